"""Call forwards, speed dials, location mappings, trusted sources."""

from typing import Final

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0009"
down_revision: Final = "r0008"

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_cf_destination_sets (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        subscriber_id INT UNSIGNED NOT NULL,
        name VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT cfds_name_idx UNIQUE (subscriber_id, name),
        CONSTRAINT cfds_subscriber_ref FOREIGN KEY(subscriber_id)
            REFERENCES provisioning.voip_subscribers (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_cf_time_sets (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        subscriber_id INT UNSIGNED NOT NULL,
        name VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT cfts_name_idx UNIQUE (subscriber_id, name),
        CONSTRAINT cfts_subscriber_ref FOREIGN KEY(subscriber_id)
            REFERENCES provisioning.voip_subscribers (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_cf_source_sets (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        subscriber_id INT UNSIGNED NOT NULL,
        name VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        mode ENUM('whitelist','blacklist') NOT NULL DEFAULT 'whitelist',
        is_regex TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT cfss_name_idx UNIQUE (subscriber_id, name),
        CONSTRAINT cfss_subscriber_ref FOREIGN KEY(subscriber_id)
            REFERENCES provisioning.voip_subscribers (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_cf_bnumber_sets (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        subscriber_id INT UNSIGNED NOT NULL,
        name VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        mode ENUM('whitelist','blacklist') NOT NULL DEFAULT 'whitelist',
        is_regex TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT cfbs_name_idx UNIQUE (subscriber_id, name),
        CONSTRAINT cfbs_subscriber_ref FOREIGN KEY(subscriber_id)
            REFERENCES provisioning.voip_subscribers (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_cf_destinations (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        destination_set_id INT UNSIGNED NOT NULL,
        destination VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        priority INT UNSIGNED NOT NULL DEFAULT '1',
        timeout INT UNSIGNED NOT NULL DEFAULT '300',
        announcement_id INT UNSIGNED,
        PRIMARY KEY (id),
        CONSTRAINT cfd_dset_ref FOREIGN KEY(destination_set_id)
            REFERENCES provisioning.voip_cf_destination_sets (id) ON DELETE CASCADE,
        CONSTRAINT cfd_announcement_ref FOREIGN KEY(announcement_id)
            REFERENCES provisioning.voip_sound_handles (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_cf_periods (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        time_set_id INT UNSIGNED NOT NULL,
        year VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        month VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        mday VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        wday VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        hour VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        minute VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        PRIMARY KEY (id),
        CONSTRAINT cfp_tset_ref FOREIGN KEY(time_set_id)
            REFERENCES provisioning.voip_cf_time_sets (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_cf_sources (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        source_set_id INT UNSIGNED NOT NULL,
        source VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT cfs_sset_ref FOREIGN KEY(source_set_id)
            REFERENCES provisioning.voip_cf_source_sets (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_cf_bnumbers (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        bnumber_set_id INT UNSIGNED NOT NULL,
        bnumber VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT cfb_bset_ref FOREIGN KEY(bnumber_set_id)
            REFERENCES provisioning.voip_cf_bnumber_sets (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_cf_mappings (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        subscriber_id INT UNSIGNED NOT NULL,
        type ENUM('cfu','cfb','cft','cfna','cfs','cfr','cfo') NOT NULL DEFAULT 'cfu',
        destination_set_id INT UNSIGNED,
        time_set_id INT UNSIGNED,
        source_set_id INT UNSIGNED,
        bnumber_set_id INT UNSIGNED,
        enabled TINYINT(1) NOT NULL DEFAULT '1',
        use_redirection TINYINT(1) NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        CONSTRAINT cfm_subscriber_ref FOREIGN KEY(subscriber_id)
            REFERENCES provisioning.voip_subscribers (id) ON DELETE CASCADE,
        CONSTRAINT cfm_dset_ref FOREIGN KEY(destination_set_id)
            REFERENCES provisioning.voip_cf_destination_sets (id) ON DELETE CASCADE,
        CONSTRAINT cfm_tset_ref FOREIGN KEY(time_set_id)
            REFERENCES provisioning.voip_cf_time_sets (id) ON DELETE CASCADE,
        CONSTRAINT cfm_sset_ref FOREIGN KEY(source_set_id)
            REFERENCES provisioning.voip_cf_source_sets (id) ON DELETE CASCADE,
        CONSTRAINT cfm_bset_ref FOREIGN KEY(bnumber_set_id)
            REFERENCES provisioning.voip_cf_bnumber_sets (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_speed_dial (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        subscriber_id INT UNSIGNED NOT NULL,
        slot VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
        destination VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT sd_slot_idx UNIQUE (subscriber_id, slot),
        CONSTRAINT v_sd_subscriber_ref FOREIGN KEY(subscriber_id)
            REFERENCES provisioning.voip_subscribers (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_trusted_sources (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        subscriber_id INT UNSIGNED NOT NULL,
        src_ip VARCHAR(50) COLLATE utf8mb4_nopad_bin NOT NULL,
        protocol ENUM('UDP','TCP','TLS','ANY') NOT NULL DEFAULT 'ANY',
        from_pattern VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        uuid CHAR(36) COLLATE utf8mb4_nopad_bin NOT NULL,
        PRIMARY KEY (id),
        CONSTRAINT v_ts_subscriber_ref FOREIGN KEY(subscriber_id)
            REFERENCES provisioning.voip_subscribers (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_subscriber_location_mappings (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        subscriber_id INT UNSIGNED NOT NULL,
        location VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        caller_pattern VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        callee_pattern VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        mode ENUM('add','replace','offline','forward') NOT NULL DEFAULT 'replace',
        to_username VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        external_id VARCHAR(255),
        enabled TINYINT(1) NOT NULL DEFAULT '1',
        PRIMARY KEY (id),
        CONSTRAINT v_slm_subscriber_ref FOREIGN KEY(subscriber_id)
            REFERENCES provisioning.voip_subscribers (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.trusted (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        src_ip VARCHAR(50) COLLATE utf8mb4_nopad_bin NOT NULL,
        proto VARCHAR(4) COLLATE utf8mb4_nopad_bin NOT NULL,
        from_pattern VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        ruri_pattern VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        tag VARCHAR(64) COLLATE utf8mb4_nopad_bin,
        priority INTEGER NOT NULL DEFAULT '0',
        PRIMARY KEY (id),
        INDEX peer_idx (src_ip),
        INDEX tag_idx (tag)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    create_tables(TABLES)
