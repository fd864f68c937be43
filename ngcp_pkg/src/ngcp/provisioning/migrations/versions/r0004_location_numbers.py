"""Row numbers of registrations that do not run out.

InnoDB spends a number on each `INSERT … ON DUPLICATE KEY UPDATE`, also where it only updates: 32 bits would
last a year for a hundred thousand phones.
"""

from typing import Final

from alembic import op

revision: Final = "r0004"
down_revision: Final = "r0003"


def upgrade() -> None:
    """Widen the column; doing it again does nothing."""
    op.execute("ALTER TABLE kamailio.location MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT")
