"""Rewrite rules, restriction classes, ported numbers, emergency numbers."""

from typing import Final

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0005"
down_revision: Final = "r0004"

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS billing.lnp_providers (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        name VARCHAR(255),
        prefix VARCHAR(32) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        authoritative TINYINT(1) NOT NULL DEFAULT '0',
        skip_rewrite TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.lnp_numbers (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        number VARCHAR(31) COLLATE utf8mb4_nopad_bin NOT NULL,
        routing_number VARCHAR(31) COLLATE utf8mb4_nopad_bin,
        lnp_provider_id INT UNSIGNED NOT NULL,
        start DATETIME,
        end DATETIME,
        type VARCHAR(255),
        PRIMARY KEY (id),
        CONSTRAINT l_n_lnpproid_ref FOREIGN KEY (lnp_provider_id) REFERENCES billing.lnp_providers (id),
        INDEX l_n_start_idx (start),
        INDEX lnp_number_idx (number)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.ncos_levels (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        reseller_id INT UNSIGNED,
        level VARCHAR(31) COLLATE utf8mb4_nopad_bin NOT NULL,
        mode ENUM('blacklist','whitelist') NOT NULL DEFAULT 'blacklist',
        local_ac TINYINT(1) NOT NULL DEFAULT '0',
        intra_pbx TINYINT(1) NOT NULL DEFAULT '0',
        description TEXT,
        time_set_id INT UNSIGNED,
        expose_to_customer TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT reslev_idx UNIQUE (reseller_id, level),
        CONSTRAINT c_l_resellerid_ref FOREIGN KEY (reseller_id) REFERENCES billing.resellers (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.ncos_sets (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        reseller_id INT UNSIGNED,
        name VARCHAR(127) COLLATE utf8mb4_nopad_bin NOT NULL,
        description TEXT,
        expose_to_customer TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT ns_name_idx UNIQUE (reseller_id, name),
        CONSTRAINT ns_reseller_id_ref FOREIGN KEY (reseller_id) REFERENCES billing.resellers (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.ncos_lnp_list (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        ncos_level_id INT UNSIGNED NOT NULL,
        lnp_provider_id INT UNSIGNED NOT NULL,
        description TEXT,
        PRIMARY KEY (id),
        CONSTRAINT levpro_idx UNIQUE (ncos_level_id, lnp_provider_id),
        CONSTRAINT c_l_l_ncoslevid_ref FOREIGN KEY (ncos_level_id)
            REFERENCES billing.ncos_levels (id) ON DELETE CASCADE,
        CONSTRAINT c_l_l_lnpproid_ref FOREIGN KEY (lnp_provider_id) REFERENCES billing.lnp_providers (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.ncos_pattern_list (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        ncos_level_id INT UNSIGNED NOT NULL,
        pattern VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        description TEXT,
        PRIMARY KEY (id),
        CONSTRAINT levpat_idx UNIQUE (ncos_level_id, pattern),
        CONSTRAINT c_p_l_ncoslevid_ref FOREIGN KEY (ncos_level_id)
            REFERENCES billing.ncos_levels (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.ncos_set_levels (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        ncos_set_id INT UNSIGNED NOT NULL,
        ncos_level_id INT UNSIGNED NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT set_level_idx UNIQUE (ncos_set_id, ncos_level_id),
        CONSTRAINT nlm_ncos_set_id_ref FOREIGN KEY (ncos_set_id)
            REFERENCES billing.ncos_sets (id) ON DELETE CASCADE,
        CONSTRAINT nlm_ncos_level_id_ref FOREIGN KEY (ncos_level_id)
            REFERENCES billing.ncos_levels (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS billing.ncos_lnp_pattern_list (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        ncos_lnp_list_id INT UNSIGNED NOT NULL,
        pattern VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        description TEXT,
        PRIMARY KEY (id),
        CONSTRAINT listpat_idx UNIQUE (ncos_lnp_list_id, pattern),
        CONSTRAINT c_p_l_ncoslnplist_ref FOREIGN KEY (ncos_lnp_list_id)
            REFERENCES billing.ncos_lnp_list (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.emergency_containers (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        reseller_id INT UNSIGNED NOT NULL,
        name VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT res_name_idx UNIQUE (reseller_id, name),
        CONSTRAINT ec_reseller_ref FOREIGN KEY (reseller_id) REFERENCES billing.resellers (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_rewrite_rule_sets (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        reseller_id INT UNSIGNED NOT NULL,
        name VARCHAR(32) COLLATE utf8mb4_nopad_bin NOT NULL,
        description VARCHAR(255),
        caller_in_dpid INT UNSIGNED,
        callee_in_dpid INT UNSIGNED,
        caller_out_dpid INT UNSIGNED,
        callee_out_dpid INT UNSIGNED,
        caller_lnp_dpid INT UNSIGNED,
        callee_lnp_dpid INT UNSIGNED,
        PRIMARY KEY (id),
        CONSTRAINT rwrs_name_idx UNIQUE (name),
        CONSTRAINT vrwrs_reseller_ref FOREIGN KEY (reseller_id) REFERENCES billing.resellers (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_rwrs_sequence (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.emergency_mappings (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        emergency_container_id INT UNSIGNED NOT NULL,
        code VARCHAR(32) COLLATE utf8mb4_nopad_bin NOT NULL,
        prefix VARCHAR(32) COLLATE utf8mb4_nopad_bin,
        suffix VARCHAR(32) COLLATE utf8mb4_nopad_bin,
        PRIMARY KEY (id),
        CONSTRAINT ec_code_idx UNIQUE (emergency_container_id, code),
        CONSTRAINT container_fk FOREIGN KEY (emergency_container_id)
            REFERENCES provisioning.emergency_containers (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_rewrite_rules (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        set_id INT UNSIGNED NOT NULL,
        match_pattern VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        replace_pattern VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        description VARCHAR(127) NOT NULL DEFAULT '',
        direction ENUM('in','out','lnp') NOT NULL DEFAULT 'in',
        field ENUM('caller','callee') NOT NULL DEFAULT 'caller',
        priority INT UNSIGNED NOT NULL DEFAULT '50',
        enabled TINYINT(1) NOT NULL DEFAULT '1',
        PRIMARY KEY (id),
        CONSTRAINT v_rwr_setid_ref FOREIGN KEY (set_id)
            REFERENCES provisioning.voip_rewrite_rule_sets (id) ON DELETE CASCADE,
        INDEX dirfieldidx (direction, field)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.dialplan (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        dpid INT UNSIGNED NOT NULL,
        pr INT UNSIGNED NOT NULL,
        match_op INT UNSIGNED NOT NULL,
        match_exp VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        match_len INT UNSIGNED NOT NULL,
        subst_exp VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        repl_exp VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        attrs VARCHAR(64) NOT NULL,
        PRIMARY KEY (id),
        INDEX dpid_idx (dpid, pr)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    create_tables(TABLES)
