"""Redis as a picture of memory: written behind, made anew whenever it may be wrong.

Nobody waits for it. Changes go out in their order, many at a time; once one fails, all that waits is thrown
away, and when Redis is back it gets the whole picture. What the last proxy left there is read first.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, Protocol

from ngcp.state.layout import Databases, counters, texts
from ngcp.state.line import Command, StateUnavailable, Store

from .batches import Spawn

_log = logging.getLogger(__name__)

#: Commands that go out together, about.
MOST: Final = 500
#: Commands of a change that are not made yet, about.
A_FEW: Final = 4
#: Commands that may wait. Redis is not dead but too slow for them: the picture is cheaper.
WAITING: Final = 200_000
#: Seconds between two attempts to reach it, and between looks whether it still is what we wrote.
RETRY: Final = 1.0
LOOK: Final = 5.0


class Change(NamedTuple):
    """Commands that belong together, and what is to be done once Redis did them."""

    commands: Sequence[Command] | Callable[[], Sequence[Command]]
    """Either, or what makes them when it is their turn."""
    done: Callable[[], None] | None = None

    @property
    def size(self) -> int:
        """How many there are, about."""
        return A_FEW if callable(self.commands) else len(self.commands)

    def make(self) -> Sequence[Command]:
        """Return the commands."""
        return self.commands() if callable(self.commands) else self.commands


class Source(Protocol):
    """The memory that is mirrored."""

    def adopt(self, calls: Sequence[str], records: Sequence[str]) -> None:
        """Take what an earlier proxy left."""

    def picture(self) -> Iterable[Change]:
        """Return everything that must be there, beginning with nothing."""


class Mirror:
    """Keeps Redis like `source`."""

    def __init__(self, store: Store, databases: Databases, spawn: Spawn) -> None:
        self.databases = databases
        self.due = 0.0
        """When `tick` wants to be called."""
        self.source: Source
        self._store = store
        self._spawn = spawn
        self._waiting: deque[Change] = deque()
        self._size = 0
        self._is_working = False
        self._is_true = False
        """Whether Redis will be right once it did what waits."""
        self._has_adopted = False
        self._was_away = False

    @property
    def is_away(self) -> bool:
        """Whether Redis does not do what it is told."""
        return not self._is_true

    def write(self, change: Change) -> None:
        """Have something done, soon."""
        if not self._is_true:
            return  # the picture will tell
        self._put(change)
        if self._size > WAITING:
            self._give_up(f"{self._size} commands wait")
        elif not self._is_working:
            self._start()

    def tick(self, now: float) -> None:
        """Look after Redis if it is time."""
        if now < self.due:
            return
        self.due = now + (LOOK if self._is_true else RETRY)
        if not self._is_working:
            self._start()

    def _start(self) -> None:
        self._is_working = True
        self._spawn(self._work())

    async def work(self) -> None:
        """Do what waits; if Redis was away, make it right first."""
        if not self._is_working:
            self._is_working = True
            await self._work()

    async def flush(self) -> None:
        """Return once Redis has everything, or is away."""
        if not self._is_true:
            await self.work()
            return
        try:
            while self._waiting:
                await self._write(self._take())
            await self._store.run(())  # it does one thing after the other: what is under way is done, too
        except StateUnavailable as error:
            self._give_up(str(error))

    async def _work(self) -> None:
        try:
            if not self._is_true:
                await self._begin()
            elif not self._waiting:
                await self._store.run(())
            while self._waiting:
                await self._write(self._take())
        except StateUnavailable as error:
            self._give_up(str(error))
        except Exception as error:
            _log.exception("what Redis was to be told")
            self._give_up(str(error))
        finally:
            self._is_working = False

    async def _begin(self) -> None:
        await self._store.open()
        if not self._has_adopted:
            calls, records = await self._store.ask(self.databases.look())
            self._has_adopted = True
            self.source.adopt(texts(calls), texts(records))
        (central,) = await self._store.ask(self.databases.look_at_central())
        await self._store.run(self.databases.reset(central))
        self._clear()
        self._is_true = True  # from here on changes follow the picture
        for change in self.source.picture():
            self._put(change)
        if self._was_away:
            _log.warning("Redis is back, and has all calls again")
            self._was_away = False

    async def _write(self, changes: Sequence[Change]) -> None:
        await self._store.run([command for change in changes for command in change.make()])
        for change in changes:
            if change.done is not None:
                change.done()

    def _take(self) -> list[Change]:
        taken, size = [], 0
        while self._waiting and size < MOST:
            change = self._waiting.popleft()
            taken.append(change)
            size += change.size
        self._size -= size
        return taken

    def _put(self, change: Change) -> None:
        self._waiting.append(change)
        self._size += change.size

    def _clear(self) -> None:
        self._waiting.clear()
        self._size = 0

    def _give_up(self, reason: str) -> None:
        if not self._was_away:
            _log.error("Redis does not follow, calls are counted in memory alone: %s", reason)
        self._was_away, self._is_true = True, False
        self._clear()

    async def found(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return what Redis has: counters, and how many each call moved. Raises `StateUnavailable`."""
        await self.flush()
        central, pair = await self._store.ask(self.databases.look_at_keys())
        names, calls = counters(central), texts(pair)
        asked = [*self.databases.look_at_counters(names), *self.databases.look_at_moved(calls)]
        answers = [int(str(answer or 0)) for answer in await self._store.ask(asked)]
        return (
            dict(zip(names, answers[: len(names)], strict=True)),
            dict(zip(calls, answers[len(names) :], strict=True)),
        )

    async def repair(self) -> None:
        """Give Redis the whole picture, now or as soon as it has done what it is doing."""
        self._is_true, self.due = False, 0.0
        self._clear()
        await self.work()
