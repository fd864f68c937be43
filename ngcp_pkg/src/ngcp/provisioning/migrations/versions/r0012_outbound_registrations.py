"""Registrations of subscribers and peers at foreign registrars."""

from typing import Final

from ngcp.provisioning.migrations import create_tables

revision: Final = "r0012"
down_revision: Final = "r0011"

TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS kamailio.sems_registrations (
        id INT UNSIGNED NOT NULL AUTO_INCREMENT,
        subscriber_id INT UNSIGNED,
        peer_host_id INT UNSIGNED,
        registration_status TINYINT(1) NOT NULL DEFAULT '0',
        last_registration DATETIME,
        expiry DATETIME,
        last_code SMALLINT,
        last_reason VARCHAR(256),
        contacts VARCHAR(512),
        PRIMARY KEY (id),
        CONSTRAINT sr_subscriber_idx UNIQUE (subscriber_id),
        CONSTRAINT sr_peer_host_idx UNIQUE (peer_host_id)
    )
    """,
)


def upgrade() -> None:
    """Add what is missing."""
    create_tables(TABLES)
