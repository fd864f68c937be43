"""Peerings, and the announcements that calls may end with."""

from typing import Final

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0006"
down_revision: Final = "r0005"

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_peer_groups (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        name VARCHAR(127) COLLATE utf8mb4_nopad_bin NOT NULL,
        priority TINYINT UNSIGNED NOT NULL DEFAULT '1',
        description VARCHAR(255),
        peering_contract_id INT UNSIGNED,
        has_inbound_rules TINYINT(1) NOT NULL DEFAULT '0',
        time_set_id INT UNSIGNED,
        PRIMARY KEY (id),
        CONSTRAINT peer_group_idx UNIQUE (name),
        CONSTRAINT vpg_contract_ref FOREIGN KEY (peering_contract_id) REFERENCES billing.contracts (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_sound_groups (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        name VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT sound_group_idx UNIQUE (name)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_sound_sets (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        reseller_id INT UNSIGNED NOT NULL,
        contract_id INT UNSIGNED,
        name VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        description VARCHAR(255),
        contract_default TINYINT(1) NOT NULL DEFAULT '0',
        parent_id INT UNSIGNED,
        expose_to_customer TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT sound_set_idx UNIQUE (reseller_id, contract_id, name),
        CONSTRAINT vss_reseller_ref FOREIGN KEY (reseller_id) REFERENCES billing.resellers (id),
        CONSTRAINT vss_contract_ref FOREIGN KEY (contract_id) REFERENCES billing.contracts (id),
        CONSTRAINT vss_parent_id_ref FOREIGN KEY (parent_id)
            REFERENCES provisioning.voip_sound_sets (id) ON DELETE SET NULL
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_peer_hosts (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        group_id INT UNSIGNED NOT NULL,
        name VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
        ip VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
        host VARCHAR(190) COLLATE utf8mb4_nopad_bin,
        port SMALLINT UNSIGNED NOT NULL DEFAULT '5060',
        transport TINYINT UNSIGNED NOT NULL DEFAULT '1',
        weight TINYINT UNSIGNED NOT NULL DEFAULT '0',
        via_route VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        via_lb TINYINT(1) NOT NULL DEFAULT '0',
        enabled TINYINT(1) NOT NULL DEFAULT '1',
        probe TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT grpname UNIQUE (group_id, name),
        CONSTRAINT v_ps_groupid_ref FOREIGN KEY (group_id)
            REFERENCES provisioning.voip_peer_groups (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_peer_inbound_rules (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        group_id INT UNSIGNED NOT NULL,
        field VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        pattern VARCHAR(1023) COLLATE utf8mb4_nopad_bin NOT NULL,
        reject_code INTEGER,
        reject_reason VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        priority INT UNSIGNED NOT NULL DEFAULT '50',
        enabled TINYINT(1) NOT NULL DEFAULT '1',
        PRIMARY KEY (id),
        CONSTRAINT v_pig_groupid_ref FOREIGN KEY (group_id)
            REFERENCES provisioning.voip_peer_groups (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_peer_rules (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        group_id INT UNSIGNED NOT NULL,
        callee_prefix VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        callee_pattern VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        caller_pattern VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        description VARCHAR(255) NOT NULL DEFAULT '',
        enabled TINYINT(1) NOT NULL DEFAULT '1',
        stopper TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT v_pg_groupid_ref FOREIGN KEY (group_id)
            REFERENCES provisioning.voip_peer_groups (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_sound_handles (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        name VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL,
        group_id INT UNSIGNED NOT NULL,
        expose_to_customer TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT sound_handle_idx UNIQUE (name, group_id),
        CONSTRAINT v_s_h_group_ref FOREIGN KEY (group_id) REFERENCES provisioning.voip_sound_groups (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_sound_files (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        filename VARCHAR(255) NOT NULL,
        data LONGBLOB,
        handle_id INT UNSIGNED NOT NULL,
        set_id INT UNSIGNED NOT NULL,
        loopplay TINYINT(1) NOT NULL DEFAULT '0',
        codec VARCHAR(16) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        use_parent TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT handle_set_id_idx UNIQUE (set_id, handle_id),
        CONSTRAINT handle_id_ref FOREIGN KEY (handle_id) REFERENCES provisioning.voip_sound_handles (id),
        CONSTRAINT set_id_ref FOREIGN KEY (set_id)
            REFERENCES provisioning.voip_sound_sets (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.dispatcher (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        setid INTEGER NOT NULL,
        destination VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        flags INTEGER NOT NULL DEFAULT '0',
        priority INTEGER NOT NULL DEFAULT '0',
        attrs VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        description VARCHAR(64) NOT NULL DEFAULT '',
        PRIMARY KEY (id),
        INDEX setid_idx (setid)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.lcr_gw (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        lcr_id SMALLINT UNSIGNED NOT NULL,
        gw_name VARCHAR(128) COLLATE utf8mb4_nopad_bin,
        ip_addr VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        hostname VARCHAR(190) COLLATE utf8mb4_nopad_bin,
        port SMALLINT UNSIGNED,
        params VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        uri_scheme TINYINT UNSIGNED,
        transport TINYINT UNSIGNED,
        strip TINYINT UNSIGNED,
        tag VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        flags INT UNSIGNED NOT NULL DEFAULT '0',
        defunct INT UNSIGNED,
        group_id INT UNSIGNED NOT NULL,
        prefix VARCHAR(16) COLLATE utf8mb4_nopad_bin,
        PRIMARY KEY (id),
        INDEX group_idx (group_id),
        INDEX lcr_id_ip_addr_idx (lcr_id, ip_addr)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.lcr_rule (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        lcr_id SMALLINT UNSIGNED NOT NULL,
        prefix VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        request_uri VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        mt_tvalue VARCHAR(128) COLLATE utf8mb4_nopad_bin,
        from_uri VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        stopper INT UNSIGNED NOT NULL DEFAULT '0',
        enabled INT UNSIGNED NOT NULL DEFAULT '1',
        group_id INT UNSIGNED NOT NULL,
        PRIMARY KEY (id),
        INDEX group_idx (group_id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.lcr_rule_target (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        lcr_id SMALLINT UNSIGNED NOT NULL,
        rule_id INT UNSIGNED NOT NULL,
        gw_id INT UNSIGNED NOT NULL,
        priority TINYINT UNSIGNED NOT NULL,
        weight INT UNSIGNED NOT NULL DEFAULT '1',
        PRIMARY KEY (id),
        CONSTRAINT rule_id_gw_id_idx UNIQUE (rule_id, gw_id),
        CONSTRAINT l_r_t_ruleid_ref FOREIGN KEY (rule_id)
            REFERENCES kamailio.lcr_rule (id) ON DELETE CASCADE,
        CONSTRAINT l_r_t_gwid_ref FOREIGN KEY (gw_id) REFERENCES kamailio.lcr_gw (id) ON DELETE CASCADE
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    create_tables(TABLES)
