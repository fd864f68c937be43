"""Indexes by which due wake-up calls are found without reading all reminders."""

from typing import Final

from alembic import op

revision: Final = "r0018"
down_revision: Final = "r0017"


def upgrade() -> None:
    """Add what is missing."""
    op.execute("ALTER TABLE provisioning.voip_reminder ADD INDEX IF NOT EXISTS vrem_time_idx (time, active)")
    op.execute("ALTER TABLE kamailio.subscriber ADD INDEX IF NOT EXISTS timezone_idx (timezone)")
