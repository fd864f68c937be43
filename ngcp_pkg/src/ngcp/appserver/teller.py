"""Tells telephones what waits: of mailboxes that changed, and of those that somebody asked for.

Whoever changes a mailbox, here or by the API, says so in MariaDB; what happened here is told at once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from typing import Final, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning.engine import DatabaseUnavailable, transaction
from ngcp.provisioning.voicemail_news import Waiting, take_notices, what_waits

from .lamps import Lamps

#: Seconds between two looks at what changed, unless somebody says that something did.
EVERY: Final = 2.0
#: Seconds between two looks at least: what changes meanwhile is told once.
REST: Final = 0.2
#: Mailboxes that are told of in one look.
MOST: Final = 100

_log = logging.getLogger(__name__)


class News(Protocol):
    """Whoever knows what changed."""

    def take(self, asked: Collection[str]) -> Awaitable[tuple[Collection[str], Mapping[str, Waiting]]]:
        """Return which mailboxes changed, and what waits in them and in those that are `asked` for.

        Raises DatabaseUnavailable; then nothing was taken.
        """


class Tables:
    """MariaDB (`News`)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take(self, asked: Collection[str]) -> tuple[Collection[str], Mapping[str, Waiting]]:
        """See `News`."""
        async with transaction(self._engine) as connection:
            changed = await take_notices(connection, MOST)
            wanted = {*changed, *asked}
            return changed, await what_waits(connection, wanted) if wanted else {}


class Teller:
    """One for each process."""

    def __init__(
        self, news: News, lamps: Lamps, now: Callable[[], float], transmit: Callable[[], None]
    ) -> None:
        """Read the clock of the core by `now`; `transmit` is called when messages wait."""
        self._news, self._lamps, self._now, self._transmit = news, lamps, now, transmit
        self._asked: set[str] = set()
        self._woken = asyncio.Event()
        lamps.asked = self.ask

    def ask(self, mailbox: str) -> None:
        """Tell who has subscribed to a mailbox, soon."""
        self._asked.add(mailbox)
        self._woken.set()

    def poke(self) -> None:
        """Something changed."""
        self._woken.set()

    async def keep(self) -> None:
        """Tell for ever."""
        while True:
            self._woken.clear()
            await self.visit()
            await asyncio.sleep(REST)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._woken.wait()

    async def visit(self) -> None:
        """Tell what is to be told now; without the database, later."""
        asked, self._asked = self._asked, set()
        try:
            changed, waiting = await self._news.take(asked)
        except DatabaseUnavailable as error:
            self._asked |= asked
            _log.warning("telephones are not told what waits: %s", error)
            return
        except Exception:  # the door of a worker: it tries again
            self._asked |= asked
            _log.exception("telephones are not told what waits")
            return
        now = self._now()
        for mailbox, what in waiting.items():
            self._lamps.tell(mailbox, what, now, everybody=mailbox in changed)
        if len(changed) == MOST:
            self._woken.set()
        if waiting:
            self._transmit()
