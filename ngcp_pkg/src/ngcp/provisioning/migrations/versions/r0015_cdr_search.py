"""Indexes by which pages of somebody's CDRs are found without sorting and reading; resellers get theirs."""

from typing import Final

from alembic import op

revision: Final = "r0015"
down_revision: Final = "r0014"

_INDEXES: Final = ("user_id", "uid"), ("account_id", "aid"), ("provider_id", "pid")

_OUTCOME: Final = "call_status, call_type, rating_status"


def upgrade() -> None:
    """Make the indexes anew, with the row number and what became of calls."""
    changes = [
        f"DROP INDEX IF EXISTS {side[0]}{short}_start_idx,"
        f" ADD INDEX {side[0]}{short}_start_idx ({side}_{column}, start_time, id, {_OUTCOME})"
        for side in ("source", "destination")
        for column, short in _INDEXES
    ]
    op.execute(f"ALTER TABLE accounting.cdr {', '.join(changes)}")
