"""Contacts, contracts, resellers, domains, subscribers and their numbers, administrators."""

from typing import Final

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0001"
down_revision: Final = None

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS billing.acl_roles (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        `role` VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT aclr_role_idx UNIQUE (`role`)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.contacts (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        reseller_id INT UNSIGNED,
        firstname VARCHAR(127),
        lastname VARCHAR(127),
        comregnum VARCHAR(31),
        company VARCHAR(127),
        street VARCHAR(127),
        postcode VARCHAR(16),
        city VARCHAR(127),
        country VARCHAR(2),
        phonenumber VARCHAR(31),
        mobilenumber VARCHAR(31),
        faxnumber VARCHAR(31),
        email VARCHAR(255),
        iban VARCHAR(34),
        bic VARCHAR(11),
        vatnum VARCHAR(127),
        bankname VARCHAR(255),
        timezone VARCHAR(80),
        status ENUM('active','terminated') NOT NULL DEFAULT 'active',
        modify_timestamp DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        create_timestamp DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        terminate_timestamp DATETIME,
        PRIMARY KEY (id),
        INDEX c_email_idx (email),
        INDEX c_reseller_idx (reseller_id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.products (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        class ENUM('sippeering','pstnpeering','reseller','sipaccount','pbxaccount') NOT NULL,
        handle VARCHAR(63) COLLATE utf8mb4_nopad_bin NOT NULL,
        name VARCHAR(127) NOT NULL,
        on_sale TINYINT(1) NOT NULL DEFAULT 0,
        PRIMARY KEY (id),
        CONSTRAINT p_handle_idx UNIQUE (handle)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.contracts (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        contact_id INT UNSIGNED NOT NULL,
        product_id INT UNSIGNED NOT NULL,
        status ENUM('pending','active','locked','terminated') NOT NULL DEFAULT 'pending',
        external_id VARCHAR(255),
        max_subscribers INTEGER,
        modify_timestamp DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        create_timestamp DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        activate_timestamp DATETIME,
        terminate_timestamp DATETIME,
        PRIMARY KEY (id),
        CONSTRAINT co_contact_ref FOREIGN KEY (contact_id) REFERENCES billing.contacts (id),
        CONSTRAINT co_product_ref FOREIGN KEY (product_id) REFERENCES billing.products (id),
        INDEX externalid_idx (external_id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.resellers (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        contract_id INT UNSIGNED NOT NULL,
        name VARCHAR(63) NOT NULL,
        status ENUM('active','locked','terminated') NOT NULL DEFAULT 'active',
        PRIMARY KEY (id),
        CONSTRAINT r_contract_idx UNIQUE (contract_id),
        CONSTRAINT r_name_idx UNIQUE (name),
        CONSTRAINT r_contract_ref FOREIGN KEY (contract_id) REFERENCES billing.contracts (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.admins (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        reseller_id INT UNSIGNED,
        login VARCHAR(31) COLLATE utf8mb4_nopad_bin NOT NULL,
        saltedpass VARCHAR(60) COLLATE utf8mb4_nopad_bin NOT NULL,
        is_active TINYINT(1) NOT NULL DEFAULT 1,
        read_only TINYINT(1) NOT NULL DEFAULT 0,
        show_passwords TINYINT(1) NOT NULL DEFAULT 1,
        email VARCHAR(255),
        role_id INT UNSIGNED NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT login_idx UNIQUE (login),
        CONSTRAINT a_reseller_ref FOREIGN KEY (reseller_id) REFERENCES billing.resellers (id),
        CONSTRAINT a_role_ref FOREIGN KEY (role_id) REFERENCES billing.acl_roles (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.billing_profiles (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        reseller_id INT UNSIGNED,
        handle VARCHAR(63) COLLATE utf8mb4_nopad_bin NOT NULL,
        name VARCHAR(31) NOT NULL,
        currency VARCHAR(31),
        status ENUM('active','terminated') NOT NULL DEFAULT 'active',
        PRIMARY KEY (id),
        CONSTRAINT b_p_handle_idx UNIQUE (reseller_id, handle),
        CONSTRAINT b_p_reseller_ref FOREIGN KEY (reseller_id) REFERENCES billing.resellers (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.domains (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        domain VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL,
        reseller_id INT UNSIGNED NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT domain_idx UNIQUE (domain),
        CONSTRAINT dom_reseller_ref FOREIGN KEY (reseller_id) REFERENCES billing.resellers (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.billing_mappings (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        start_date DATETIME,
        end_date DATETIME,
        billing_profile_id INT UNSIGNED NOT NULL,
        contract_id INT UNSIGNED NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT b_m_profile_ref FOREIGN KEY (billing_profile_id) REFERENCES billing.billing_profiles (id),
        CONSTRAINT b_m_contract_ref FOREIGN KEY (contract_id)
            REFERENCES billing.contracts (id) ON DELETE CASCADE,
        INDEX b_m_contract_idx (contract_id, start_date, end_date)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.voip_subscribers (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        contract_id INT UNSIGNED NOT NULL,
        uuid CHAR(36) COLLATE utf8mb4_nopad_bin NOT NULL,
        username VARCHAR(127) COLLATE utf8mb4_nopad_bin NOT NULL,
        domain_id INT UNSIGNED NOT NULL,
        status ENUM('active','locked','terminated') NOT NULL DEFAULT 'active',
        primary_number_id INT UNSIGNED,
        external_id VARCHAR(255),
        PRIMARY KEY (id),
        CONSTRAINT uuid_idx UNIQUE (uuid),
        CONSTRAINT v_s_contract_ref FOREIGN KEY (contract_id) REFERENCES billing.contracts (id),
        CONSTRAINT v_s_domain_ref FOREIGN KEY (domain_id) REFERENCES billing.domains (id),
        INDEX externalid_idx (external_id),
        INDEX pnum_idx (primary_number_id),
        INDEX username_idx (username, domain_id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.voip_numbers (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        cc INT UNSIGNED NOT NULL,
        ac VARCHAR(7) COLLATE utf8mb4_nopad_bin NOT NULL,
        sn VARCHAR(31) COLLATE utf8mb4_nopad_bin NOT NULL,
        subscriber_id INT UNSIGNED NOT NULL,
        status ENUM('active','reserved','locked','deported') NOT NULL DEFAULT 'active',
        ported TINYINT(1) NOT NULL DEFAULT 0,
        PRIMARY KEY (id),
        CONSTRAINT number_idx UNIQUE (cc, ac, sn),
        CONSTRAINT v_n_subscriber_ref FOREIGN KEY (subscriber_id) REFERENCES billing.voip_subscribers (id)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    create_tables(TABLES)
