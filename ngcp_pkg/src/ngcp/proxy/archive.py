"""Call records on their way into the database: together, in order, again and again until they are there."""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice
from typing import Final, Protocol

from ngcp.provisioning.acc import AccRow
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.line import StatementRefused

from .batches import Spawn

_log = logging.getLogger(__name__)

#: Records in one statement.
MOST: Final = 200
#: Records that may wait, some 200 MB; beyond that the oldest are left to Redis alone.
WAITING: Final = 100_000
#: Seconds between two attempts.
RETRY: Final = 1.0
NEVER: Final = float("inf")


class Table(Protocol):
    """The table `acc`: `ngcp.provisioning.acc.AccTable` in the daemon."""

    async def save(self, rows: Collection[AccRow]) -> None:
        """Store records, once each however often they are sent."""


class Archive:
    """What the database does not have yet."""

    def __init__(self, table: Table, spawn: Spawn) -> None:
        self.due = NEVER
        """When `tick` wants to be called."""
        self.kept: Callable[[Sequence[str]], None] = lambda keys: None
        """Told the keys of records that had to wait for an attempt of their own, once they are stored."""
        self.delayed: Callable[[Iterable[AccRow]], None] = lambda rows: None
        """Told the records that have to."""
        self._table = table
        self._spawn = spawn
        self._waiting: dict[str, AccRow] = {}
        self._delayed: set[str] = set()
        self._is_working = False
        self._is_away = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def delayed_rows(self) -> list[AccRow]:
        """The records that the database did not take at once."""
        return [row for key, row in self._waiting.items() if key in self._delayed]

    def add(self, rows: Iterable[AccRow], *, is_delayed: bool = False) -> None:
        """Have records stored; those that an earlier proxy left are delayed already."""
        for row in rows:
            if len(self._waiting) >= WAITING:
                oldest = next(iter(self._waiting))
                _log.error("%s: record not in the database, %d wait for it", oldest, WAITING)
                del self._waiting[oldest]
            self._waiting[row.key] = row
            if is_delayed:
                self._delayed.add(row.key)
        if self._waiting and not self._is_working and not self._is_away:
            self._start()

    def tick(self, now: float) -> None:
        """Try again if it is time."""
        if now < self.due:
            return
        self.due = now + RETRY
        if not self._is_working:
            self._start()

    def _start(self) -> None:
        self._is_working = True
        self._spawn(self._work())

    async def _work(self) -> None:
        try:
            await self.flush()
        finally:
            self._is_working = False

    async def flush(self) -> None:
        """Return once the database has everything, or is away."""
        try:
            while self._waiting:
                await self._save([*islice(self._waiting.values(), MOST)])
        except DatabaseUnavailable as error:
            if not self._is_away:
                _log.error("call records wait for the database: %s", error)
            self._is_away = True
            late = [row for key, row in self._waiting.items() if key not in self._delayed]
            self._delayed.update(row.key for row in late)
            self.delayed(late)
            if self.due == NEVER:
                self.due = 0.0
        else:
            if self._is_away:
                _log.warning("the database has all call records")
            self._is_away = False
            self.due = NEVER

    async def _save(self, rows: Sequence[AccRow]) -> None:
        try:
            await self._table.save(rows)
        except StatementRefused as error:
            if len(rows) > 1:  # one that cannot be stored must not keep the others from it
                for row in rows:
                    await self._save([row])
                return
            _log.error("%s: record cannot be stored: %s: %s", rows[0].key, error, rows[0])
        keys = [row.key for row in rows]
        late = [key for key in keys if key in self._delayed]
        for key in keys:
            self._waiting.pop(key, None)
        self._delayed.difference_update(late)
        if late:
            self.kept(late)


def write(row: AccRow) -> str:
    """Write a record as text, for Redis."""
    return json.dumps(row, separators=(",", ":"), ensure_ascii=False)


def read(text: str) -> AccRow:
    """Read what `write` wrote; ValueError if it did not."""
    try:
        return AccRow(*json.loads(text))
    except TypeError as error:
        raise ValueError(f"no record: {error}") from error
