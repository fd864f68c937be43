"""How a caller finds a mailbox, as MariaDB has it; no caller waits long for that."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning.engine import DatabaseUnavailable, transaction
from ngcp.provisioning.voicemail import Greeting, count_messages, find_greeting, find_mailbox

from .office import Greeted

#: Seconds that a caller waits for his mailbox, and for which nobody else waits after one did so in vain.
PATIENCE: Final = 1.0
PAUSE: Final = 5.0

_log = logging.getLogger(__name__)


class MailboxReception:
    """Asks MariaDB (an `office.Reception`)."""

    def __init__(self, engine: AsyncEngine, most: int, now: Callable[[], float]) -> None:
        """Count a mailbox of `most` messages as full."""
        self._engine, self._most, self._now = engine, most, now
        self._away_until = 0.0

    async def greet(self, mailbox: str, kind: Greeting) -> Greeted | None:
        """See `Reception`."""
        if self._now() < self._away_until:
            return Greeted()
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._look(mailbox, kind)
        except (DatabaseUnavailable, TimeoutError) as error:
            self._away_until = self._now() + PAUSE
            _log.warning("mailbox %s cannot be seen: %s", mailbox, error or "too late")
            return Greeted()

    async def _look(self, mailbox: str, kind: Greeting) -> Greeted | None:
        async with transaction(self._engine) as connection:
            if await find_mailbox(connection, mailbox) is None:
                return None
            counts = await count_messages(connection, mailbox)
            if sum(counts.values()) >= self._most:
                return Greeted(is_full=True)
            for spoken in (Greeting.TEMPORARY, kind):
                greeting = await find_greeting(connection, mailbox, spoken)
                if greeting is not None:
                    return Greeted(greeting=greeting)
            return Greeted(name=await find_greeting(connection, mailbox, Greeting.NAME))
