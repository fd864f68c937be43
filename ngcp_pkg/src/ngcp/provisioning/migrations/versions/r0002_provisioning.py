"""What the platform does for a subscriber."""

from typing import Final

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0002"
down_revision: Final = "r0001"

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_domains (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        domain VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT domain_idx UNIQUE (domain)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_subscribers (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        username VARCHAR(127) COLLATE utf8mb4_nopad_bin NOT NULL,
        domain_id INT UNSIGNED NOT NULL,
        uuid CHAR(36) COLLATE utf8mb4_nopad_bin NOT NULL,
        password VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL,
        `admin` TINYINT(1) NOT NULL DEFAULT 0,
        webusername VARCHAR(127) COLLATE utf8mb4_nopad_bin,
        webpassword VARCHAR(60) COLLATE utf8mb4_nopad_bin,
        create_timestamp DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        modify_timestamp DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        PRIMARY KEY (id),
        CONSTRAINT user_dom_idx UNIQUE (username, domain_id),
        CONSTRAINT uuid_idx UNIQUE (uuid),
        CONSTRAINT webuser_dom_idx UNIQUE (domain_id, webusername),
        CONSTRAINT v_s_domain_ref FOREIGN KEY (domain_id) REFERENCES provisioning.voip_domains (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_dbaliases (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        username VARCHAR(127) COLLATE utf8mb4_nopad_bin NOT NULL,
        domain_id INT UNSIGNED NOT NULL,
        subscriber_id INT UNSIGNED NOT NULL,
        is_primary TINYINT(1) NOT NULL DEFAULT 0,
        is_devid TINYINT(1) NOT NULL DEFAULT 0,
        PRIMARY KEY (id),
        CONSTRAINT number_idx UNIQUE (username),
        CONSTRAINT v_da_domain_ref FOREIGN KEY (domain_id) REFERENCES provisioning.voip_domains (id),
        CONSTRAINT v_da_subid_ref FOREIGN KEY (subscriber_id)
            REFERENCES provisioning.voip_subscribers (id) ON DELETE CASCADE,
        INDEX domain_idx (domain_id, username)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    create_tables(TABLES)
