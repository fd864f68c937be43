"""CDRs on their way out: which are due, and that they have gone.

A CDR's `export_status` and the numbers of the files are changed in one transaction: `accounting.mark` has the
last number of each series, `exporter-lastseq` of the provider's files, `exporter-lastseq-CONTRACT` of a
reseller's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, or_, select, tuple_, update
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.cdrs import Row
from ngcp.provisioning.tables.accounting import cdr, mark
from ngcp.provisioning.tables.billing import resellers

COLLECTOR: Final = "exporter"
#: The series of the provider's own files; those of resellers have the number of their contract.
SYSTEM: Final = 0
#: What a side has instead of a subscriber, if there is none.
NOBODY: Final = "0"
_SERIES: Final = f"{COLLECTOR}-lastseq"
_LAST: Final = f"{COLLECTOR}-lastid"

#: The last number of each series.
Marks = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which CDRs are exported; calls that were answered, came from a subscriber and are rated always are."""

    unrated: bool = False
    failed: bool = False
    incoming: bool = False

    @property
    def condition(self) -> ColumnElement[bool]:
        """What is true of those that need not wait."""
        return cdr.c.rating_status.is_not(None) if self.unrated else cdr.c.rating_status == "ok"

    def wants(self, row: Row) -> bool:
        """Tell whether a CDR that need not wait is exported."""
        is_failed, is_incoming = row["call_status"] != "ok", row["source_user_id"] == NOBODY
        return (self.failed or not is_failed) and (self.incoming or not is_incoming)


async def read_marks(connection: AsyncConnection, *, lock: bool = False) -> Marks:
    """Return the last number of each series; with `lock` no other exporter changes them meanwhile."""
    query = select(mark.c.collector, mark.c.acc_id).where(
        or_(mark.c.collector == _SERIES, mark.c.collector.startswith(f"{_SERIES}-", autoescape=True))
    )
    rows = await connection.execute(query.with_for_update() if lock else query)
    return {_owner(row.collector): int(row.acc_id) for row in rows}


async def take_due(connection: AsyncConnection, wanted: Wanted, most: int) -> Sequence[Row]:
    """Return the CDRs that are next, and keep them until the transaction ends.

    One that is being rated is not waited for: it is due the next time.
    """
    query = (
        select(cdr)
        .with_hint(cdr, "USE INDEX (export_idx)", "mysql")
        .where(cdr.c.export_status == "unexported", wanted.condition)
        .order_by(cdr.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def settle(connection: AsyncConnection, rows: Sequence[Row], exported: datetime | None) -> None:
    """Note that CDRs are in files since then; None: that they need not be in any."""
    if not rows:
        return
    keys = [(row["id"], row["start_time"]) for row in rows]
    here = tuple_(cdr.c.id, cdr.c.start_time).in_(keys)
    await connection.execute(update(cdr).where(here).values(export_status="ok", exported_at=exported))


async def write_marks(connection: AsyncConnection, marks: Marks, last: int) -> None:
    """Note the last number of each series, and the highest row number of a CDR in a file."""
    rows: list[dict[str, Any]] = [{"collector": _collector(owner), "acc_id": n} for owner, n in marks.items()]
    rows.append({"collector": _LAST, "acc_id": last})
    statement = insert(mark)
    await connection.execute(
        statement.on_duplicate_key_update(acc_id=statement.inserted.acc_id).values(rows),
    )


async def reseller_names(connection: AsyncConnection) -> Mapping[int, str]:
    """Return resellers' names by their contracts."""
    rows = await connection.execute(select(resellers.c.contract_id, resellers.c.name))
    return {int(row.contract_id): str(row.name) for row in rows}


def _collector(owner: int) -> str:
    return _SERIES if owner == SYSTEM else f"{_SERIES}-{owner}"


def _owner(collector: str) -> int:
    return int(collector.removeprefix(_SERIES).lstrip("-") or SYSTEM)
