"""What the ledger writes, and where: calls and counters to Redis, call records to Redis and the database."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from ngcp.provisioning.acc import AccRow
from ngcp.state.line import Command

from . import archive as archives
from .archive import Archive
from .livecall import LiveCall
from .mirror import Change, Mirror

_log = logging.getLogger(__name__)


class Books:
    """Redis and the database, neither of which anybody waits for."""

    def __init__(self, mirror: Mirror, archive: Archive) -> None:
        self.mirror = mirror
        self._archive = archive
        self._databases = mirror.databases
        self._unsaved: dict[str, AccRow] = {}
        """Records that Redis does not have yet."""
        archive.delayed = self._keep
        archive.kept = self._forget_kept

    @property
    def due(self) -> float:
        """When `tick` wants to be called, in monotonic time."""
        return min(self.mirror.due, self._archive.due)

    @property
    def status(self) -> str:
        """What an operator must know; nothing if all is well."""
        late = len(self._archive.delayed_rows)
        away = "; Redis is away" if self.mirror.is_away else ""
        return away + (f"; {late} call records wait for MariaDB" if late else "")

    def tick(self, now: float) -> None:
        """Look after both."""
        self.mirror.tick(now)
        self._archive.tick(now)

    async def settle(self) -> None:
        """Have both do what waits, if they can."""
        await self._archive.flush()  # what it cannot store now is kept in Redis
        await self.mirror.flush()

    def move(self, live: LiveCall, counts: Mapping[str, int]) -> None:
        """Write a call that moved counters, and what these are now."""
        self.mirror.write(Change([*self._databases.count(counts), *self._call(live)]))

    def save(self, live: LiveCall) -> None:
        """Write how a call stands."""
        self.mirror.write(Change([self._databases.save_call(live.name, live.text())]))

    def close(self, live: LiveCall, counts: Mapping[str, int]) -> None:
        """Forget a call, and write the counters that it gave back."""
        self.mirror.write(Change([*self._databases.count(counts), *self._databases.forget_call(live.name)]))

    def record(self, rows: Sequence[AccRow]) -> None:
        """Write call records."""
        self._unsaved.update((row.key, row) for row in rows)
        while len(self._unsaved) > archives.WAITING:
            del self._unsaved[next(iter(self._unsaved))]  # the database has it, or it has waited for both
        for row in rows:
            self.mirror.write(self._record(row))
        self._archive.add(rows)

    def take_over(self, records: Iterable[str]) -> None:
        """Take the records that an earlier proxy did not bring into the database."""
        for text in records:
            try:
                self._archive.add([archives.read(text)], is_delayed=True)
            except ValueError as error:
                _log.error("a call record that was kept cannot be read: %s", error)

    def picture(self, calls: Iterable[LiveCall], counts: Mapping[str, int]) -> Iterator[Change]:
        """Yield everything that Redis must have."""
        yield Change(self._databases.count(counts))
        yield from (Change(partial(self._call, live)) for live in calls)
        yield from map(self._record, self._unsaved.values())
        yield Change([self._waiting(row) for row in self._archive.delayed_rows])

    def _call(self, live: LiveCall) -> list[Command]:
        return [
            *self._databases.save_moved(live.name, live.moved),
            self._databases.save_call(live.name, live.text()),
        ]

    def _record(self, row: AccRow) -> Change:
        return Change(self._databases.save_record(row._asdict()), self._saved(row.key))

    def _saved(self, key: str) -> Callable[[], None]:
        def done() -> None:
            self._unsaved.pop(key, None)

        return done

    def _waiting(self, row: AccRow) -> Command:
        return self._databases.keep_for_database(row.key, archives.write(row))

    def _keep(self, rows: Iterable[AccRow]) -> None:
        self.mirror.write(Change([self._waiting(row) for row in rows]))

    def _forget_kept(self, keys: Sequence[str]) -> None:
        self.mirror.write(Change([self._databases.forget_for_database(keys)]))
