"""What is to be told of mailboxes: to telephones, and by mail."""

from typing import Final

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0017"
down_revision: Final = "r0016"

_UUID: Final = "CHAR(36) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL"

TABLES: Final = (
    f"""
    CREATE TABLE IF NOT EXISTS kamailio.voicemail_notices (
        mailbox {_UUID},
        PRIMARY KEY (mailbox)
    )
    """,
    f"""
    CREATE TABLE IF NOT EXISTS kamailio.voicemail_mails (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        mailbox {_UUID},
        message INT UNSIGNED NOT NULL,
        created DATETIME NOT NULL,
        attempts INT UNSIGNED NOT NULL DEFAULT '0',
        next_attempt DATETIME NOT NULL,
        PRIMARY KEY (id),
        INDEX next_idx (next_attempt)
    )
    """,
)


def upgrade() -> None:
    """Add what is missing."""
    create_tables(TABLES)
