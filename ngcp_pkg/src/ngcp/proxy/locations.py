"""Bindings between memory and the location table: written through, loaded at the start, swept when over."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Collection
from sys import intern
from typing import Final, NamedTuple, Protocol

from ngcp.provisioning.location import NAT, PINGING, USER_AGENT_WIDTH, LocationRow, check
from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.sip.core.bindings import AddressOfRecord, Binding, Source, Update
from ngcp.sip.core.registrar import Registrar
from ngcp.sip.core.registration import BadContact

from .batches import Batches, Settle, Spawn

_log = logging.getLogger(__name__)

#: Updates that may wait for the table; more than that are refused: the database is too slow for them.
WAITING: Final = 10_000
#: Updates in one statement.
MOST: Final = 500


class Table(Protocol):
    """The table `location`: `ngcp.provisioning.location.LocationTable` in the daemon."""

    def load(self) -> AsyncIterator[LocationRow]:
        """Yield every binding."""

    async def save(self, rows: Collection[LocationRow], removed_ruids: Collection[str]) -> None:
        """Store and forget, all of it or nothing."""

    async def remove_expired(self, now: float) -> None:
        """Forget what ended at or before `now`."""


class _Waiting(NamedTuple):
    update: Update
    rows: list[LocationRow]
    settle: Settle


class Locations:
    """The registrar's memory and the table behind it."""

    def __init__(self, registrar: Registrar, table: Table, spawn: Spawn) -> None:
        self.registrar = registrar
        self._table = table
        self._writing: Batches[_Waiting] = Batches(self._write, spawn, MOST)
        self._pending: Counter[AddressOfRecord] = Counter()

    async def load(self) -> int:
        """Fill memory from the table; return how many bindings there are."""
        async for row in self._table.load():
            self.registrar.load((from_row(row),))
        return len(self.registrar)

    def store(self, update: Update, settle: Settle) -> None:
        """Make a planned update true, in the table first, together with others that wait.

        `settle` is told None, or the error: DatabaseUnavailable or `BadContact`.
        """
        if not (update.saved or update.removed):
            settle(None)
        elif len(self._writing) >= WAITING:
            settle(DatabaseUnavailable(f"{WAITING} registrations wait for the table"))
        else:
            try:
                rows = [to_row(binding) for binding in update.saved]
            except ValueError as error:
                settle(BadContact(str(error)))
            else:
                self._pending[update.aor] += 1
                self._writing.add(_Waiting(update, rows, settle))

    def is_changing(self, aor: AddressOfRecord) -> bool:
        """Whether an update waits for the table."""
        return aor in self._pending

    async def _write(self, batch: list[_Waiting]) -> None:
        final: dict[str, LocationRow | None] = {}  # what came later counts
        for waiting in batch:
            final.update((binding.ruid, None) for binding in waiting.update.removed)
            final.update((row.ruid, row) for row in waiting.rows)
        rows = [row for row in final.values() if row is not None]
        error: Exception | None = None
        try:
            await self._table.save(rows, [ruid for ruid, row in final.items() if row is None])
        except DatabaseUnavailable as unavailable:
            error = unavailable
        except Exception as refused:
            if len(batch) > 1:  # one that cannot be stored must not keep the others from it
                for waiting in batch:
                    await self._write([waiting])
                return
            _log.warning("%s: cannot be stored: %s", batch[0].update.aor, refused)
            error = BadContact(str(refused))
        for waiting in batch:
            aor = waiting.update.aor
            self._pending[aor] -= 1
            if not self._pending[aor]:
                del self._pending[aor]
            if error is None:
                self.registrar.commit(waiting.update)
            elif isinstance(error, DatabaseUnavailable):
                self.registrar.hold(waiting.update)
            waiting.settle(error)

    async def sweep(self, now: float) -> None:
        """Forget in the table, too, the bindings that are over at `now` (Unix time)."""
        try:
            await self._table.remove_expired(now)
        except DatabaseUnavailable as error:  # they are over for whoever loads them, too
            _log.warning("expired registrations stay in the table: %s", error)


_PINGED: Final = {bit: wanted for wanted, bit in PINGING.items()}


def to_row(binding: Binding) -> LocationRow:
    """Write a binding as a row; ValueError if a column cannot hold it."""
    source = binding.source
    row = LocationRow(
        binding.ruid,
        binding.aor.username,
        binding.aor.domain,
        binding.contact,
        source.received,
        source.path,
        binding.q,
        int(binding.expires_at),
        binding.call_id,
        binding.cseq,
        binding.user_agent[:USER_AGENT_WIDTH],
        source.socket,
        binding.instance,
        binding.reg_id,
        (NAT if source.is_behind_nat else 0) | PINGING[source.pinging],
    )
    check(row)
    return row


def from_row(row: LocationRow) -> Binding:
    """Read what `to_row` wrote; texts that many bindings have in common are kept once."""
    source = Source(
        row.path,
        row.received,
        row.socket and intern(row.socket),
        bool(row.cflags & NAT),
        _PINGED.get(row.cflags & ~NAT, ""),
    )
    return Binding(
        row.ruid,
        AddressOfRecord(row.username, intern(row.domain)),
        row.contact,
        float(row.expires),
        row.call_id,
        row.cseq,
        row.q,
        source,
        intern(row.user_agent),
        row.instance,
        row.reg_id,
    )
