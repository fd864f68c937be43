"""Records that are old enough: those the mediator is done with, and what was told of CDRs that are gone.

Rows are removed from the oldest on, some thousand at a time, so that nobody waits long for a lock.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text

#: What the mediator is done with; `kamailio.acc` itself is what it still has to do.
DONE: Final = ("kamailio.acc_backup", "kamailio.acc_trash")
#: What is told of CDRs beside them.
BESIDE: Final = ("accounting.cdr_mos_data", "accounting.cdr_export_status_data")
DAY: Final = 86_400


def remove_done(connection: Connection, now: float, days: int, batch: int) -> Iterator[str]:
    """Remove records older than so many days; yield how many of each table."""
    for table in DONE:
        count = _remove(connection, table, ("id", "time_hires"), now - days * DAY, batch)
        if count:
            yield f"{table}: {count} removed"


def remove_beside(connection: Connection, first: int, batch: int) -> Iterator[str]:
    """Remove what is told of CDRs before Unix time `first`; yield how many of each table."""
    for table in BESIDE:
        count = _remove(connection, table, ("cdr_id", "cdr_start_time"), first, batch)
        if count:
            yield f"{table}: {count} removed"


def _remove(connection: Connection, table: str, columns: tuple[str, str], end: float, batch: int) -> int:
    """Remove rows with a time before `end`, in the order of their numbers, until younger ones come."""
    number, time = columns
    removed = last = 0
    while True:
        some = f"SELECT {number} FROM {table} WHERE {number} > :last ORDER BY {number} LIMIT :batch"
        numbers = connection.execute(text(some), {"last": last, "batch": batch}).scalars().all()
        if not numbers:
            return removed
        old = f"DELETE FROM {table} WHERE {number} > :last AND {number} <= :to AND {time} < :end"
        values = {"last": last, "to": numbers[-1], "end": end}
        count = connection.execute(text(old), values).rowcount
        removed += count
        if count < len(numbers):
            return removed
        last = int(numbers[-1])
