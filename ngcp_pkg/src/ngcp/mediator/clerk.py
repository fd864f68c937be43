"""Stores what is over: calls as CDRs, and their records; what cannot be used, with why."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from ngcp.provisioning.line import StatementRefused
from ngcp.provisioning.mediation import Batch, MediationTables

from .entry import Entry, Unusable
from .legs import NOBODY, Leg
from .pool import Finished
from .portions import portions
from .sound import read_sound

_log = logging.getLogger(__name__)

#: Calls in one transaction.
MOST: Final = 200
#: Subscribers and peers that are remembered.
REMEMBERED: Final = 100_000
WITHOUT_START: Final = "no start record of its call can be used"


class Clerk:
    """Writes to the database."""

    def __init__(self, tables: MediationTables) -> None:
        self.statistics: Counter[str] = Counter()
        self._tables = tables
        self._subscribers: dict[str, int] = {}
        self._carriers: dict[str, int] = {}

    def forget_all(self) -> None:
        """Ask anew whose calls they are."""
        self._subscribers.clear()
        self._carriers.clear()

    async def store(self, finished: Sequence[Finished]) -> list[Entry]:
        """Store calls; return the records that were stored by somebody else meanwhile, and need a new look.

        Raises DatabaseUnavailable.
        """
        again: list[Entry] = []
        for some in portions(finished, MOST):
            try:
                await self._store(some)
            except StatementRefused as error:
                _log.warning("stored one by one, for MariaDB refused %d calls at once: %s", len(some), error)
                for one in some:
                    again += await self._store_alone(one)
        return again

    async def _store_alone(self, one: Finished) -> list[Entry]:
        """Store what may have been stored by somebody else, or be refused by the database."""
        try:
            await self._store([one])
            return []
        except StatementRefused as error:
            found = await self._tables.done({entry.row.callid for entry in one.entries})
            done = {tuple(row[:4]) for row in found}
            if any(entry.key in done for entry in one.entries):
                return one.entries
            _log.error("%s: MariaDB refuses the call: %s", one.entries[0].row.callid, error)
            await self._store([Finished(trash=[(entry, str(error)) for entry in one.entries])])
            return []

    async def _store(self, finished: Iterable[Finished]) -> None:
        batch = Batch()
        legs = [(one, self._read(one, batch)) for one in finished]
        await self._find_providers([leg for _, some in legs for leg in some])
        for one, some in legs:
            self._write(one, some, batch)
        await self._tables.store(batch)
        self._count(batch)

    def _read(self, one: Finished, batch: Batch) -> list[Leg]:
        legs = []
        for entry in one.starts:
            try:
                legs.append(Leg.read(entry))
            except Unusable as error:
                batch.trash.append((entry.row, str(error)))
        return legs

    def _write(self, one: Finished, legs: Iterable[Leg], batch: Batch) -> None:
        """Add a call to a batch."""
        sound = read_sound(one.stop.row.dst_leg) if one.stop else None
        before = len(batch.cdrs)
        for leg in legs:
            try:
                cdr = leg.cdr(one.end, self._subscribers, self._carriers)
            except Unusable as error:
                batch.trash.append((leg.entry.row, str(error)))
                continue
            if sound:
                batch.sounds[len(batch.cdrs)] = sound
            batch.cdrs.append(cdr)
            batch.done.append(leg.entry.row)
        if one.stop and not one.stop.is_done:
            if len(batch.cdrs) > before:
                batch.done.append(one.stop.row)
            else:
                batch.trash.append((one.stop.row, WITHOUT_START))
        batch.trash += [(entry.row, reason) for entry, reason in one.trash]

    async def _find_providers(self, legs: Iterable[Leg]) -> None:
        sides = [side for leg in legs for side in (leg.source, leg.destination)]
        for known in (self._subscribers, self._carriers):
            if len(known) > REMEMBERED:
                known.clear()
        uuids = {side.uuid for side in sides} - self._subscribers.keys() - {NOBODY}
        servers = {side.server for side in sides} - self._carriers.keys() - {NOBODY}
        self._subscribers |= dict.fromkeys(uuids, 0) | await self._tables.providers(uuids)
        self._carriers |= dict.fromkeys(servers, 0) | await self._tables.carriers(servers)

    def _count(self, batch: Batch) -> None:
        count = self.statistics
        for cdr in batch.cdrs:
            count[f"calls.{cdr.call_status}"] += 1
            if cdr.closed_by:
                count[f"closed.{cdr.closed_by}"] += 1
        count["records.used"] += len(batch.done)
        count["records.trash"] += len(batch.trash)
