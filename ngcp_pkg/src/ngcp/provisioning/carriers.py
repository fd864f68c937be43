"""Number portability: carriers, and the numbers that were ported to them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.records import RecordStore
from ngcp.provisioning.refusals import BadListing, InvalidValue
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Condition, Entity, Values
from ngcp.provisioning.tables.numbers import lnp_numbers, lnp_providers

#: Rows of one statement.
MOST: Final = 1000


class CarrierNumber(NamedTuple):
    """A number, and the carrier that it was ported to; both as stores take them, but for `carrier_id`."""

    carrier: Values
    number: Values


class CarrierStore(RecordStore):
    """Holders of ported numbers."""

    table = lnp_providers


class PortedNumberStore(RecordStore):
    """Ported numbers, from when and until when."""

    table = lnp_numbers
    renamed: ClassVar[Mapping[str, str]] = {"lnp_provider_id": "carrier_id"}

    def conditions(self) -> Mapping[str, Condition]:
        """Find those that hold at a time, `now` or `YYYY-MM-DD HH:MM:SS` (UTC)."""
        return {"actual": _holds_at}

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """Check that it ends after it begins; times are kept in UTC."""
        start, end = _utc(values["start"]), _utc(values["end"])
        if start is not None and end is not None and end <= start:
            raise InvalidValue("end", values["end"], "must be later than start")
        return {**values, "start": start, "end": end}

    async def load(
        self, connection: AsyncConnection, numbers: Sequence[CarrierNumber], *, purge: bool
    ) -> None:
        """Store numbers, and the carriers that are new by name and prefix; `purge` forgets all others."""
        if purge:
            await connection.execute(delete(lnp_numbers))
        carriers = await _carriers(connection, [each.carrier for each in numbers])
        rows = []
        for carrier, number in numbers:
            values = await self.prepare(connection, number, None)
            rows.append(self.row({**values, "carrier_id": carriers[_key(carrier)]}))
        for start in range(0, len(rows), MOST):
            await connection.execute(insert(lnp_numbers), rows[start : start + MOST])
        await self.publish(connection, {})


async def _carriers(connection: AsyncConnection, wanted: Iterable[Values]) -> dict[tuple[str, str], int]:
    """Return the numbers of carriers by name and prefix; those that are missing are made."""
    columns = lnp_providers.c
    rows = await connection.execute(
        select(columns.id, columns.name, columns.prefix).order_by(columns.id.desc())
    )
    known = {(str(row.name), str(row.prefix)): int(row.id) for row in rows}
    for carrier in wanted:
        if _key(carrier) not in known:
            known[_key(carrier)] = await add_row(connection, lnp_providers, **carrier)
    return known


def _key(carrier: Values) -> tuple[str, str]:
    return str(carrier["name"]), str(carrier["prefix"])


def _utc(time: datetime | None) -> datetime | None:
    return time.astimezone(UTC).replace(tzinfo=None) if time is not None and time.tzinfo else time


def _holds_at(wanted: str) -> ColumnElement[bool]:
    try:
        moment = datetime.now(UTC) if wanted in ("", "now", "1", "true") else datetime.fromisoformat(wanted)
    except ValueError as error:
        raise BadListing("Invalid query parameter 'actual', a time expected.") from error
    columns, time = lnp_numbers.c, _utc(moment)
    return and_(
        or_(columns.start.is_(None), columns.start <= time), or_(columns.end.is_(None), columns.end > time)
    )
