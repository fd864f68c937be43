"""Bindings between memory and the location table: written through, loaded at the start, swept when over."""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Protocol

from ngcp.provisioning.location import LocationRow
from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.sip.core.registrar import AddressOfRecord, BadContact, Binding, Registrar, Source, Update

_log = logging.getLogger(__name__)

#: Seconds between two sweeps; a binding that is over is never called, it only still takes room.
SWEEP: Final = 30.0


class Table(Protocol):
    """The table `location`: `ngcp.provisioning.location.LocationTable` in the daemon."""

    async def load(self) -> list[LocationRow]:
        """Return every binding."""

    async def save(self, rows: Collection[LocationRow], removed_ruids: Collection[str]) -> None:
        """Store and forget, all of it or nothing."""

    async def remove_expired(self, now: float) -> None:
        """Forget what ended at or before `now`."""


@dataclass(frozen=True, slots=True)
class Locations:
    """The registrar's memory and the table behind it."""

    registrar: Registrar
    table: Table

    async def load(self) -> int:
        """Fill memory from the table; return how many bindings there are."""
        self.registrar.load([from_row(row) for row in await self.table.load()])
        return len(self.registrar)

    async def store(self, update: Update) -> None:
        """Make a planned update true, in the table first. Raises DatabaseUnavailable and `BadContact`."""
        if update.saved or update.removed:
            try:
                rows = [to_row(binding) for binding in update.saved]
            except ValueError as error:
                raise BadContact(str(error)) from error
            await self.table.save(rows, [binding.ruid for binding in update.removed])
            self.registrar.commit(update)

    async def sweep(self, now: float) -> None:
        """Forget the bindings that are over at `now` (Unix time)."""
        if self.registrar.expire(now):
            try:
                await self.table.remove_expired(now)
            except DatabaseUnavailable as error:  # they are over for whoever loads them, too
                _log.warning("expired registrations stay in the table: %s", error)


def to_row(binding: Binding) -> LocationRow:
    """Write a binding as a row; ValueError if a column cannot hold it."""
    return LocationRow(
        ruid=binding.ruid,
        username=binding.aor.username,
        domain=binding.aor.domain,
        contact=binding.contact,
        received=binding.source.received,
        path=binding.source.path,
        q=binding.q,
        expires=binding.expires_at,
        call_id=binding.call_id,
        cseq=binding.cseq,
        user_agent=binding.user_agent,
        socket=binding.source.socket,
        instance=binding.instance,
        reg_id=binding.reg_id,
    )


def from_row(row: LocationRow) -> Binding:
    """Read what `to_row` wrote."""
    return Binding(
        ruid=row.ruid,
        aor=AddressOfRecord(row.username, row.domain),
        contact=row.contact,
        expires_at=row.expires,
        call_id=row.call_id,
        cseq=row.cseq,
        q=row.q,
        source=Source(row.path, row.received, row.socket),
        user_agent=row.user_agent,
        instance=row.instance,
        reg_id=row.reg_id,
    )
