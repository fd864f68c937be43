"""Running calls in Redis: written behind, some at a time, read when the daemon starts anew.

No command and no packet waits for it. A call that ends before it was written never gets there. While Redis
is away the changes collect; when it is back it gets all that runs.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Protocol

from ngcp.state.layout import texts
from ngcp.state.line import StateUnavailable, Store
from ngcp.state.media import RunningCalls

_log = logging.getLogger(__name__)

#: Seconds between two turns.
EVERY: Final = 0.25
#: Calls in one message to Redis: some milliseconds of work at a time.
MOST: Final = 25
#: Turns after which each call is written again, with its counters and how far its protected packets are.
ROUND: Final = 240
#: Seconds between two looks whether Redis still is what we wrote, and between attempts to reach it.
LOOK: Final = 5.0
RETRY: Final = 1.0


class Source(Protocol):
    """The calls."""

    def call_ids(self) -> Collection[str]:
        """Return the Call-IDs of all that run."""

    def take_changed(self) -> set[str]:
        """Return those that changed, began or ended since the last time."""

    def write(self, call_id: str) -> str | None:
        """Return the state of a call; None if it runs no more."""

    def adopt(self, states: Mapping[str, str]) -> None:
        """Let calls run again that an earlier daemon left, as far as possible."""


class Memory:
    """Keeps Redis like `source`."""

    def __init__(
        self, store: Store, place: RunningCalls, source: Source, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._place = place
        self._source = source
        self._clock = clock
        self._due = 0.0
        self._is_open = self._has_adopted = self._was_away = False
        self._waiting: set[str] = set()
        self._round: list[str] = []
        self._kept: set[str] = set()
        """What Redis has."""

    @property
    def status(self) -> str:
        """Whether calls would survive us, for the operator."""
        return f"{len(self._kept)} calls in Redis" if self._is_open else "Redis away: calls are not kept"

    async def turn(self) -> None:
        """Write what changed; reach out for Redis if it is away, a second after the last attempt."""
        now = self._clock()
        self._waiting |= self._source.take_changed() | self._next_of_round()
        if not self._is_open and now < self._due:
            return
        try:
            if not self._is_open:
                await self._begin()
            elif not self._waiting and now >= self._due:
                await self._store.run(())
                self._due = now + LOOK
            await self._write()
        except StateUnavailable as error:
            self._is_open, self._due = False, now + RETRY
            if not self._was_away:
                _log.error("Redis is away, running calls are not kept: %s", error)
                self._was_away = True

    async def keep(self) -> None:
        """Take turns for ever."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.turn()
            except Exception:  # the door of a worker: what could not be written must not end the writing
                _log.exception("keeping running calls")

    def _next_of_round(self) -> set[str]:
        if not self._round:
            self._round = list(self._source.call_ids())
        some = -(-len(self._source.call_ids()) // ROUND)
        taken, self._round = self._round[:some], self._round[some:]
        return {*taken}

    async def flush(self) -> None:
        """Write every call once more, with its counters of now."""
        self._waiting |= {*self._source.call_ids()}
        await self.turn()

    async def _begin(self) -> None:
        await self._store.open()
        (known,) = await self._store.ask(self._place.look())
        self._kept = {*texts(known)}
        if not self._has_adopted:
            states = await self._read(sorted(self._kept))
            self._has_adopted = True
            self._source.adopt(states)
        self._waiting |= self._kept | {*self._source.call_ids()} | self._source.take_changed()
        self._is_open, self._due = True, self._clock() + LOOK
        if self._was_away:
            _log.warning("Redis is back")
            self._was_away = False

    async def _read(self, call_ids: Sequence[str]) -> dict[str, str]:
        states: dict[str, str] = {}
        for start in range(0, len(call_ids), MOST):
            some = call_ids[start : start + MOST]
            (answer,) = await self._store.ask(self._place.read(some))
            states.update(zip(some, texts(answer), strict=True))
        return states

    async def _write(self) -> None:
        while self._waiting:
            some = {self._waiting.pop() for _ in range(min(MOST, len(self._waiting)))}
            try:
                states = {
                    call_id: text for call_id in some if (text := self._source.write(call_id)) is not None
                }
                ended = some & self._kept - states.keys()
                if states or ended:
                    await self._store.run(self._place.write(states, ended))
            except StateUnavailable:
                self._waiting |= some
                raise
            self._kept |= states.keys()
            self._kept -= ended
