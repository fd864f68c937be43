"""Which wake-up calls were made, and until when they were looked for."""

from typing import Final

from alembic import op

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0016"
down_revision: Final = "r0015"

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_reminder_calls (
        reminder_id INT UNSIGNED NOT NULL,
        due DATETIME NOT NULL,
        attempts INT UNSIGNED NOT NULL DEFAULT '0',
        next_attempt DATETIME,
        PRIMARY KEY (reminder_id),
        INDEX vrc_next_idx (next_attempt),
        CONSTRAINT vrc_reminder_ref FOREIGN KEY(reminder_id)
            REFERENCES provisioning.voip_reminder (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_reminder_rounds (
        id INT UNSIGNED NOT NULL,
        checked DATETIME,
        PRIMARY KEY (id)
    )
    """,
)


def upgrade() -> None:
    """Add what is missing."""
    create_tables(TABLES)
    op.execute("INSERT IGNORE INTO provisioning.voip_reminder_rounds (id) VALUES (1)")
