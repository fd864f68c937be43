"""Voicemail: a mailbox for each subscriber, and what was spoken."""

from typing import Final

from alembic import op

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0014"
down_revision: Final = "r0013"

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS kamailio.voicemail_users (
        uniqueid INT UNSIGNED NOT NULL AUTO_INCREMENT,
        customer_id CHAR(36) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
        context VARCHAR(63) NOT NULL DEFAULT 'default',
        mailbox CHAR(36) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
        password VARCHAR(31) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
        fullname VARCHAR(255) NOT NULL DEFAULT '',
        email VARCHAR(255) NOT NULL DEFAULT '',
        pager VARCHAR(255) NOT NULL DEFAULT '',
        tz VARCHAR(64) NOT NULL DEFAULT '',
        attach ENUM('yes','no') NOT NULL DEFAULT 'yes',
        saycid ENUM('yes','no') NOT NULL DEFAULT 'yes',
        review ENUM('yes','no') NOT NULL DEFAULT 'no',
        operator ENUM('yes','no') NOT NULL DEFAULT 'no',
        envelope ENUM('yes','no') NOT NULL DEFAULT 'no',
        sayduration ENUM('yes','no') NOT NULL DEFAULT 'no',
        saydurationm TINYINT UNSIGNED NOT NULL DEFAULT '1',
        sendvoicemail ENUM('yes','no') NOT NULL DEFAULT 'no',
        `delete` ENUM('yes','no') NOT NULL DEFAULT 'no',
        nextaftercmd ENUM('yes','no') NOT NULL DEFAULT 'yes',
        forcename ENUM('yes','no') NOT NULL DEFAULT 'no',
        forcegreetings ENUM('yes','no') NOT NULL DEFAULT 'no',
        hidefromdir ENUM('yes','no') NOT NULL DEFAULT 'yes',
        dialout VARCHAR(10),
        callback VARCHAR(10),
        stamp TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        PRIMARY KEY (uniqueid),
        CONSTRAINT customer_idx UNIQUE (customer_id),
        CONSTRAINT mailbox_idx UNIQUE (mailbox, context)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kamailio.voicemail_spool (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        msgnum INT NOT NULL DEFAULT '0',
        dir VARCHAR(127) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
        context VARCHAR(63) NOT NULL DEFAULT '',
        macrocontext VARCHAR(63) NOT NULL DEFAULT '',
        callerid VARCHAR(255) NOT NULL DEFAULT '',
        origtime BIGINT UNSIGNED NOT NULL,
        duration INT UNSIGNED NOT NULL DEFAULT '0',
        mailboxuser CHAR(36) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL,
        mailboxcontext VARCHAR(63) NOT NULL DEFAULT 'default',
        recording LONGBLOB NOT NULL,
        flag VARCHAR(128) NOT NULL DEFAULT '',
        msg_id VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
        call_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL DEFAULT '',
        transcript_status ENUM('none','pending','done','failed') NOT NULL DEFAULT 'none',
        transcript TEXT,
        PRIMARY KEY (id),
        CONSTRAINT msg_id_idx UNIQUE (msg_id)
    )
    """,
)
INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS dir_idx ON kamailio.voicemail_spool (dir, msgnum)",
    "CREATE INDEX IF NOT EXISTS mailboxuser_idx ON kamailio.voicemail_spool (mailboxuser)",
    "CREATE INDEX IF NOT EXISTS origtime_idx ON kamailio.voicemail_spool (origtime)",
)
#: Who is here already gets a mailbox, too, with a PIN that nobody can guess.
MAILBOXES: Final = """
    INSERT IGNORE INTO kamailio.voicemail_users (customer_id, mailbox, password)
    SELECT uuid, uuid, LPAD(CONV(HEX(RANDOM_BYTES(4)), 16, 10) % 10000, 4, '0') FROM kamailio.subscriber
"""


def upgrade() -> None:
    """Add what is missing."""
    create_tables(TABLES)
    for statement in (*INDEXES, MAILBOXES):
        op.execute(statement)
