"""One round of mediation: read what is new, pair it, store what is complete, take its records away.

Memory is never the only place of anything: whatever goes wrong, what is in it is thrown away and read again.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.line import StatementRefused
from ngcp.provisioning.mediation import Done, MediationTables, Turn
from ngcp.state.acc import AccEntries
from ngcp.state.line import StateUnavailable, Store

from .clerk import Clerk
from .closing import Closer, LiveDialog, Moment
from .entry import SUFFIXES, Entry, name_of
from .pool import ALONE, Pool
from .sources import RedisSource, TableSource

_log = logging.getLogger(__name__)

#: Seconds between two looks at calls that go on.
LOOK: Final = 30.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What an operator decides."""

    longest: float
    """Seconds that a call lasts at most."""
    patience: float
    """Seconds that a record waits for one that belongs to it and that nobody can name."""


class Mediator:
    """Makes CDRs of records, round by round."""

    def __init__(
        self,
        tables: MediationTables,
        redis: tuple[Store, AccEntries],
        terms: Terms,
    ) -> None:
        self.statistics: Counter[str] = Counter()
        self.is_active = False
        """Whether it is our turn: another mediator may be at work."""
        self._tables = tables
        self._terms = terms
        self._pool = Pool()
        self._clerk = Clerk(tables)
        self._clerk.statistics = self.statistics
        self._redis = RedisSource(*redis)
        self._table = TableSource(tables, self._pool)
        self._closer = Closer(terms.longest, terms.patience)
        self._looked = float("-inf")

    @property
    def pool(self) -> Pool:
        """What waits."""
        return self._pool

    @property
    def closer(self) -> Closer:
        """What is known of calls that go on."""
        return self._closer

    @property
    def patience(self) -> float:
        """Seconds that a stop record waits for its call."""
        return self._terms.patience

    @property
    def is_redis_away(self) -> bool:
        """Whether the database alone says what happens."""
        return self._redis.is_away

    def forget_all(self) -> None:
        """Throw memory away: everything is read again."""
        self._pool = Pool()
        self._redis.forget_all()
        self._table = TableSource(self._tables, self._pool)
        self._clerk.forget_all()
        self._looked = float("-inf")

    async def work(self, now: Moment) -> None:
        """Do one round; raises DatabaseUnavailable, and has forgotten everything then."""
        try:
            turn = await self._tables.take_turn()
            self.is_active = turn is not Turn.NO
            if turn is not Turn.KEPT:
                self.forget_all()
            if self.is_active:
                await self._read_redis(now)
                async for entries in self._table.new():
                    await self._take(entries, now)
                await self._close(now)
        except (DatabaseUnavailable, StatementRefused) as error:
            self.is_active = False
            self.forget_all()
            if isinstance(error, StatementRefused):
                raise DatabaseUnavailable(str(error)) from error
            raise

    async def _read_redis(self, now: Moment) -> None:
        try:
            await self._redis.open()
            async for entries in self._redis.new():
                await self._take(entries, now)
        except StateUnavailable as error:
            self._lose_redis(error)

    def _lose_redis(self, error: StateUnavailable) -> None:
        if not self._redis.is_away:
            _log.error("records are read from MariaDB alone: %s", error)
        self._redis.lose()

    async def _take(self, entries: Iterable[Entry], now: Moment) -> None:
        """Take new records, and store the calls that are complete with them."""
        new = []
        for entry in entries:
            known = self._pool.find(entry.key)
            if known is None:
                new.append(entry)
            else:
                known.redis_key = known.redis_key or entry.redis_key
        done = await self._tables.done({name for entry in new for name in _related(entry)})
        keys = {row[:4] for row in done}
        by_name: dict[str, list[Done]] = {}
        for row in done:
            by_name.setdefault(name_of(row.callid), []).append(row)
        repeated = []
        for entry in new:
            if entry.key in keys:
                repeated.append(entry)
            elif self._pool.find(entry.key) is None:
                self._pool.add(entry, by_name.get(entry.name, ()), now.monotonic)
        self.statistics["records.repeated"] += len(repeated)
        await self._settle(repeated)

    async def _settle(self, repeated: Iterable[Entry] = ()) -> None:
        """Store what is over, and take its records away."""
        finished = self._pool.take()
        again = await self._clerk.store(finished)
        if again:
            self.forget_all()
        gone = [*repeated, *(entry for one in finished for entry in one.entries if entry not in again)]
        await self._table.forget(gone)
        try:
            if not self._redis.is_away:
                await self._redis.forget(gone)
        except StateUnavailable as error:
            self._lose_redis(error)

    async def _close(self, now: Moment) -> None:
        """Look after calls that go on, and after stop records without a call."""
        if now.monotonic < self._looked + LOOK:
            return
        self._looked = now.monotonic
        for waiting in self._pool.lone:
            if now.monotonic - waiting.since >= self._terms.patience:
                self._pool.discard(waiting.entry, ALONE)
        entries = [waiting.entry for waiting in self._pool.open]
        self._closer.keep({entry.key for entry in entries})
        dialogs = await self._dialogs(entries)
        for entry in entries:
            if dialogs is None:
                end = self._closer.look_blindly(entry, now)
            else:
                end = self._closer.look(entry, dialogs[entry.key], now)
            if end is not None:
                _log.warning("%s: closed without a stop record (%s)", entry.row.callid, end.closed_by)
                self._pool.close(entry, end)
        await self._settle()

    async def _dialogs(self, entries: list[Entry]) -> dict[tuple[str, ...], LiveDialog | None] | None:
        """Return the dialogs that Redis has, or that it has none; None while it is away."""
        try:
            return None if self._redis.is_away else await self._redis.dialogs(entries)
        except StateUnavailable as error:
            self._lose_redis(error)
            return None


def _related(entry: Entry) -> Iterable[str]:
    """Return the Call-IDs under which other records of a record's call may be."""
    yield entry.row.callid
    if entry.is_suffixed:
        yield entry.name
    elif entry.is_answered:
        yield from (entry.name + suffix for suffix in SUFFIXES)
