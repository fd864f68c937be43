"""What the SIP proxy reads and writes at run time."""

from typing import Final

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0003"
down_revision: Final = "r0002"

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS kamailio.dbaliases (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        alias_username VARCHAR(127) COLLATE utf8mb4_nopad_bin NOT NULL,
        alias_domain VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL,
        username VARCHAR(127) COLLATE utf8mb4_nopad_bin NOT NULL,
        domain VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL,
        is_primary TINYINT(1) NOT NULL DEFAULT 0,
        is_devid TINYINT(1) NOT NULL DEFAULT 0,
        devid_alias VARCHAR(127) COLLATE utf8mb4_nopad_bin,
        PRIMARY KEY (id),
        CONSTRAINT alias_idx UNIQUE (alias_username, alias_domain),
        INDEX target_idx (username, domain)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.domain (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        domain VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL,
        did VARCHAR(190) COLLATE utf8mb4_nopad_bin,
        last_modified DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (id),
        CONSTRAINT domain_idx UNIQUE (domain)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.location (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        ruid VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL,
        username VARCHAR(127) COLLATE utf8mb4_nopad_bin NOT NULL,
        domain VARCHAR(190) COLLATE utf8mb4_nopad_bin,
        contact VARCHAR(512) COLLATE utf8mb4_nopad_bin NOT NULL,
        received VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        path VARCHAR(512) COLLATE utf8mb4_nopad_bin,
        expires BIGINT NOT NULL,
        q FLOAT(10, 2) NOT NULL,
        callid VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL,
        cseq BIGINT NOT NULL,
        last_modified BIGINT NOT NULL,
        flags INTEGER NOT NULL DEFAULT 0,
        cflags INTEGER NOT NULL DEFAULT 0,
        user_agent VARCHAR(255) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        socket VARCHAR(128) COLLATE utf8mb4_nopad_bin,
        methods INTEGER,
        instance VARCHAR(255) COLLATE utf8mb4_nopad_bin,
        reg_id INTEGER NOT NULL DEFAULT 0,
        server_id INTEGER NOT NULL DEFAULT 0,
        connection_id INTEGER NOT NULL DEFAULT 0,
        keepalive INTEGER NOT NULL DEFAULT 0,
        `partition` INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (id),
        CONSTRAINT ruid_idx UNIQUE (ruid),
        INDEX account_contact_idx (username, domain),
        INDEX expires_idx (expires)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.subscriber (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        username VARCHAR(127) COLLATE utf8mb4_nopad_bin NOT NULL,
        domain VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL,
        password VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL,
        ha1 VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL,
        ha1b VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL,
        uuid CHAR(36) COLLATE utf8mb4_nopad_bin NOT NULL,
        timezone VARCHAR(64) NOT NULL DEFAULT '',
        datetime_created DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (id),
        CONSTRAINT user_dom_idx UNIQUE (username, domain),
        CONSTRAINT uuid_idx UNIQUE (uuid)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.usr_preferences (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        uuid CHAR(36) COLLATE utf8mb4_nopad_bin NOT NULL,
        username VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '0',
        domain VARCHAR(190) COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        attribute VARCHAR(32) COLLATE utf8mb4_nopad_bin NOT NULL,
        type INTEGER NOT NULL DEFAULT 0,
        value VARCHAR(128) COLLATE utf8mb4_nopad_bin NOT NULL,
        last_modified DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
        PRIMARY KEY (id),
        INDEX ua_idx (uuid, attribute)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    create_tables(TABLES)
