"""Preferences: which there are, what is set at each level, subscriber profiles, and the proxy's copy."""

from typing import Final

from alembic import op

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0008"
down_revision: Final = "r0007"

#: Level, the column that says whose a value is, and the table of those who have some.
LEVELS: Final = (
    ("usr", "subscriber_id", "provisioning.voip_subscribers"),
    ("dom", "domain_id", "provisioning.voip_domains"),
    ("peer", "peer_host_id", "provisioning.voip_peer_hosts"),
    ("contract", "contract_id", "billing.contracts"),
    ("prof", "profile_id", "provisioning.voip_subscriber_profiles"),
    ("reseller", "reseller_id", "billing.resellers"),
)
#: Level, and the column that says whose a value is in the proxy's copy.
COPIES: Final = (
    ("dom", "domain"),
    ("peer", "uuid"),
    ("contract", "uuid"),
    ("prof", "uuid"),
    ("reseller", "uuid"),
)

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_preference_groups (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        name VARCHAR(80) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT vpg_name_idx UNIQUE (name)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_preferences (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        voip_preference_groups_id INT UNSIGNED NOT NULL,
        attribute VARCHAR(31) COLLATE utf8mb4_nopad_bin NOT NULL,
        label VARCHAR(255) NOT NULL DEFAULT '',
        type TINYINT(1) NOT NULL DEFAULT '0',
        max_occur TINYINT UNSIGNED NOT NULL,
        usr_pref TINYINT(1) NOT NULL DEFAULT '0',
        prof_pref TINYINT(1) NOT NULL DEFAULT '0',
        dom_pref TINYINT(1) NOT NULL DEFAULT '0',
        peer_pref TINYINT(1) NOT NULL DEFAULT '0',
        contract_pref TINYINT(1) NOT NULL DEFAULT '0',
        reseller_pref TINYINT(1) NOT NULL DEFAULT '0',
        internal TINYINT(1) NOT NULL DEFAULT '0',
        expose_to_customer TINYINT(1) NOT NULL DEFAULT '0',
        data_type ENUM('boolean', 'int', 'string', 'enum', 'blob') NOT NULL DEFAULT 'string',
        read_only TINYINT(1) NOT NULL DEFAULT '0',
        description TEXT,
        PRIMARY KEY (id),
        CONSTRAINT attribute_idx UNIQUE (attribute),
        CONSTRAINT vp_group_ref FOREIGN KEY (voip_preference_groups_id)
            REFERENCES provisioning.voip_preference_groups (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_preferences_enum (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        preference_id INT UNSIGNED NOT NULL,
        label VARCHAR(64),
        value VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        default_val TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT pref_value_idx UNIQUE (preference_id, value),
        CONSTRAINT v_p_e_pref_ref FOREIGN KEY (preference_id)
            REFERENCES provisioning.voip_preferences (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_subscriber_profile_sets (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        reseller_id INT UNSIGNED NOT NULL,
        name VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        description VARCHAR(255) NOT NULL DEFAULT '',
        PRIMARY KEY (id),
        CONSTRAINT vsps_resname_idx UNIQUE (reseller_id, name),
        CONSTRAINT vsps_reseller_ref FOREIGN KEY (reseller_id) REFERENCES billing.resellers (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_subscriber_profiles (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        set_id INT UNSIGNED NOT NULL,
        name VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        description VARCHAR(255) NOT NULL DEFAULT '',
        set_default TINYINT(1) NOT NULL DEFAULT '0',
        catchall TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT vsp_setname_idx UNIQUE (set_id, name),
        CONSTRAINT vsp_setid_ref FOREIGN KEY (set_id)
            REFERENCES provisioning.voip_subscriber_profile_sets (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_subscriber_profile_attributes (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        profile_id INT UNSIGNED NOT NULL,
        attribute_id INT UNSIGNED NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT vspa_profattr_idx UNIQUE (profile_id, attribute_id),
        CONSTRAINT vspa_profile_ref FOREIGN KEY (profile_id)
            REFERENCES provisioning.voip_subscriber_profiles (id) ON DELETE CASCADE,
        CONSTRAINT vspa_attribute_ref FOREIGN KEY (attribute_id)
            REFERENCES provisioning.voip_preferences (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_aig_sequence (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_allowed_ip_groups (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        group_id INT UNSIGNED NOT NULL,
        ipnet VARCHAR(46) COLLATE utf8mb4_nopad_bin NOT NULL,
        net_from VARBINARY(16) NOT NULL,
        net_to VARBINARY(16) NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT groupnet_idx UNIQUE (group_id, ipnet)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.address (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        grp INT UNSIGNED NOT NULL DEFAULT '1',
        ip_addr VARCHAR(50) COLLATE utf8mb4_nopad_bin NOT NULL,
        mask INTEGER NOT NULL DEFAULT '32',
        port INTEGER UNSIGNED NOT NULL DEFAULT '0',
        tag VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        PRIMARY KEY (id),
        INDEX grp_idx (grp)
    )
    """,
)

TRUTH: Final = """
    CREATE TABLE IF NOT EXISTS provisioning.voip_{level}_preferences (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        {owner} INT UNSIGNED NOT NULL,
        attribute_id INT UNSIGNED NOT NULL,
        value VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL,
        modify_timestamp DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        PRIMARY KEY (id),
        INDEX owner_attribute_idx ({owner}, attribute_id),
        INDEX attribute_value_idx (attribute_id, value),
        CONSTRAINT v_{level}_p_owner_ref FOREIGN KEY ({owner}) REFERENCES {target} (id) ON DELETE CASCADE,
        CONSTRAINT v_{level}_p_attribute_ref FOREIGN KEY (attribute_id)
            REFERENCES provisioning.voip_preferences (id) ON DELETE CASCADE
    )
"""
BLOB: Final = """
    CREATE TABLE IF NOT EXISTS provisioning.voip_{level}_preferences_blob (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        preference_id INT UNSIGNED NOT NULL,
        content_type VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT 'text/plain',
        value MEDIUMBLOB NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT preference_idx UNIQUE (preference_id),
        CONSTRAINT v_{level}_p_b_pref_ref FOREIGN KEY (preference_id)
            REFERENCES provisioning.voip_{level}_preferences (id) ON DELETE CASCADE
    )
"""
COPY: Final = """
    CREATE TABLE IF NOT EXISTS kamailio.{level}_preferences (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        uuid CHAR(36) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        username VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '0',
        domain VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        attribute VARCHAR(32) COLLATE utf8mb4_nopad_bin NOT NULL,
        type INTEGER NOT NULL DEFAULT '0',
        value VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL,
        last_modified DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (id),
        INDEX ua_idx ({key}, attribute)
    )
"""

PROFILES: Final = """
    ALTER TABLE provisioning.voip_subscribers
        ADD COLUMN IF NOT EXISTS profile_set_id INT UNSIGNED,
        ADD COLUMN IF NOT EXISTS profile_id INT UNSIGNED,
        ADD CONSTRAINT v_s_profile_set_ref FOREIGN KEY IF NOT EXISTS (profile_set_id)
            REFERENCES provisioning.voip_subscriber_profile_sets (id),
        ADD CONSTRAINT v_s_profile_ref FOREIGN KEY IF NOT EXISTS (profile_id)
            REFERENCES provisioning.voip_subscriber_profiles (id)
"""


def upgrade() -> None:
    """Make the tables, and let subscribers have profiles."""
    create_tables(TABLES)
    create_tables(TRUTH.format(level=level, owner=owner, target=target) for level, owner, target in LEVELS)
    create_tables(BLOB.format(level=level) for level, _, _ in LEVELS)
    create_tables(COPY.format(level=level, key=key) for level, key in COPIES)
    op.execute(PROFILES)
