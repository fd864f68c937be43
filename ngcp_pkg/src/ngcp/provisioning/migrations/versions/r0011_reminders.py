"""Wake-up calls."""

from typing import Final

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0011"
down_revision: Final = "r0010"

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS provisioning.voip_reminder (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        subscriber_id INT UNSIGNED NOT NULL,
        time TIME NOT NULL,
        recur ENUM('never','weekdays','always') NOT NULL DEFAULT 'never',
        active TINYINT(1) NOT NULL DEFAULT '1',
        PRIMARY KEY (id),
        CONSTRAINT vrem_subid_idx UNIQUE (subscriber_id),
        CONSTRAINT v_rem_subscriber_ref FOREIGN KEY(subscriber_id)
            REFERENCES provisioning.voip_subscribers (id) ON DELETE CASCADE
    )
    """,
)


def upgrade() -> None:
    """Add what is missing."""
    create_tables(TABLES)
