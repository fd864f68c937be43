"""Who is to be woken, and when: MariaDB says so, and keeps what was done (decision 41)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, Protocol

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning import reminder_calls
from ngcp.provisioning.engine import DatabaseUnavailable, transaction
from ngcp.provisioning.reminder_calls import Found, Wakeup

#: Seconds between two looks for what has become due; they are at full tens.
EVERY: Final = 10.0
#: Calls that are begun in one second: whoever wants to be woken at seven is not alone.
MOST: Final = 20
#: Seconds between two visits, at least.
SHORTEST: Final = 1.0
#: As what a call counts that could not be begun.
FAILED: Final = 500

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """How wake-up calls are made."""

    retries: int = 2
    """Attempts behind the first one."""
    retry_time: int = 60
    """Seconds between two attempts."""
    wait_time: int = 30
    """Seconds that a phone rings."""
    late: int = 300
    """Seconds by which a call may be late, as the node was down."""
    weekdays: tuple[int, ...] = (2, 3, 4, 5, 6)
    """Days of the week that count as weekdays: 1 is Sunday, 2 is Monday."""
    sip_fromuser: str = "reminder"
    """User part of the address that calls."""
    sip_fromdomain: str = "voicebox.local"
    """Its domain."""

    def __post_init__(self) -> None:
        bounds = {"retries": (0, 10), "retry_time": (10, 3600), "wait_time": (5, 180), "late": (60, 3600)}
        for name, (least, most) in bounds.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} is from {least} to {most}, not {getattr(self, name)}")
        if not set(self.weekdays) <= set(range(1, 8)):
            raise ValueError("weekdays are numbers from 1 (Sunday) to 7 (Saturday)")

    @property
    def caller(self) -> str:
        """Who calls, as From has it."""
        return f'"Reminder" <sip:{self.sip_fromuser}@{self.sip_fromdomain}>'


class Book(Protocol):
    """Whoever knows what is due; all of it raises DatabaseUnavailable."""

    def look(self, now: float, late: float, weekdays: Collection[int]) -> Awaitable[Found]:
        """See `reminder_calls.look`."""

    def take(self, now: float, most: int) -> Awaitable[Sequence[Wakeup]]:
        """See `reminder_calls.take`."""

    def try_again(self, wakeup: Wakeup, when: float) -> Awaitable[None]:
        """See `reminder_calls.try_again`."""

    def next_attempt(self) -> Awaitable[float | None]:
        """See `reminder_calls.next_attempt`."""


class Tables:
    """MariaDB (a `Book`)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def look(self, now: float, late: float, weekdays: Collection[int]) -> Found:
        """See `Book`."""
        return await reminder_calls.look(self._engine, now, late, weekdays)

    async def take(self, now: float, most: int) -> Sequence[Wakeup]:
        """See `Book`."""
        async with transaction(self._engine) as connection:
            return await reminder_calls.take(connection, now, most)

    async def try_again(self, wakeup: Wakeup, when: float) -> None:
        """See `Book`."""
        async with transaction(self._engine) as connection:
            await reminder_calls.try_again(connection, wakeup, when)

    async def next_attempt(self) -> float | None:
        """See `Book`."""
        async with transaction(self._engine) as connection:
            return await reminder_calls.next_attempt(connection)


#: Begins a call, and tells its status.
Ring = Callable[[Wakeup, Callable[[int, float], None]], Awaitable[None]]


class Reminders:
    """Makes the calls of one app server; times here are those of the wall."""

    def __init__(self, book: Book, ring: Ring, terms: Terms, wall: Callable[[], float]) -> None:
        self._book, self._ring, self._terms, self._wall = book, ring, terms, wall
        self.is_draining: Callable[[], bool] = lambda: False
        """Whether no new call is to begin, as we are about to stop."""
        self.due = 0.0
        """When `visit` wants to be called."""
        self._look_at = 0.0
        self._failed: list[tuple[Wakeup, float]] = []
        """Attempts that failed, and when to try again, as long as the book does not know."""

    async def keep(self) -> None:
        """Do so for ever."""
        while True:
            await self.visit()
            now = self._wall()
            await asyncio.sleep(min(max(self.due - now, SHORTEST), EVERY - now % EVERY))

    async def visit(self) -> None:
        """Do what is due; without the database, try again later."""
        now = self._wall()
        try:
            await self._store()
            if now >= self._look_at or self._look_at > now + EVERY:
                self._tell(await self._book.look(now, self._terms.late, self._terms.weekdays))
                self._look_at = now - now % EVERY + EVERY
            if not self.is_draining():
                await self._begin(now)
            self.due = min(self._look_at, await self._book.next_attempt() or self._look_at)
        except (DatabaseUnavailable, DataError, IntegrityError) as error:
            self.due = now + EVERY
            _log.warning("wake-up calls: %s", error)
        except Exception:  # the door of a worker: it tries again
            self.due = now + EVERY
            _log.exception("wake-up calls")

    async def close(self) -> None:
        """Write down which calls a stop has ended unanswered: the next start makes them again."""
        try:
            await self._store()
        except (DatabaseUnavailable, DataError, IntegrityError) as error:
            _log.warning("%d wake-up calls are not tried again: %s", len(self._failed), error)

    async def _begin(self, now: float) -> None:
        for wakeup in await self._book.take(now, MOST):
            if now - wakeup.planned > self._terms.late:
                _log.warning("wake-up call of %s at %s is not made any more", wakeup.name, _shown(wakeup.due))
            else:
                await self._call(wakeup)

    async def _call(self, wakeup: Wakeup) -> None:
        """Begin one of several calls that are nobody else's: what goes wrong with it is its own matter."""
        try:
            await self._ring(wakeup, partial(self._ended, wakeup))
        except Exception:
            _log.exception("wake-up call of %s", wakeup.name)
            self._ended(wakeup, FAILED, 0.0)

    def _ended(self, wakeup: Wakeup, status: int, _: float) -> None:
        if 200 <= status < 300:
            _log.info("wake-up call of %s: answered", wakeup.name)
        elif wakeup.attempt > self._terms.retries:
            _log.info("wake-up call of %s: given up (%d)", wakeup.name, status)
        else:
            _log.info("wake-up call of %s: tried again (%d)", wakeup.name, status)
            when = self._wall() + self._terms.retry_time
            self._failed.append((wakeup, when))
            self.due = 0.0

    async def _store(self) -> None:
        while self._failed:
            await self._book.try_again(*self._failed[0])
            del self._failed[0]

    def _tell(self, found: Found) -> None:
        for name, due in found.missed:
            _log.warning(
                "wake-up call of %s at %s was missed: nobody was there to make it", name, _shown(due)
            )


def _shown(due: float) -> str:
    return f"{datetime.fromtimestamp(due, UTC):%Y-%m-%d %H:%M UTC}"
