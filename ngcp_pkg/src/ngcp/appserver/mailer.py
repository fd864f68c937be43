"""Letters about messages that were left: those that wait in MariaDB are sent, later again if need be.

A letter is deleted there when the mail server took it, and not before: a dead server, a dead database or a
crash delays letters and loses none.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Final, NamedTuple, Protocol

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning import voicemail_news
from ngcp.provisioning.engine import DatabaseUnavailable, transaction
from ngcp.provisioning.periods import local_time
from ngcp.provisioning.voicemail import read_recording
from ngcp.provisioning.voicemail_news import Mail

from .letters import BadAddress, Occasion, Style, recipients, write
from .post import Later, Never

#: Seconds between two looks at what waits, unless somebody says that something does.
EVERY: Final = 10.0
#: Letters that are under way at a time.
MOST: Final = 5
#: Seconds for which a letter that is taken is nobody else's.
LEASE: Final = 900.0
#: Seconds until it is tried again: doubled each time, at most `SLOWEST`.
FIRST: Final = 60.0
SLOWEST: Final = 900.0
#: Seconds after which one gives up (RFC 5321 §4.5.4.1: four to five days).
LONGEST: Final = 5 * 86_400.0
#: Seconds that a stop waits for letters that are under way.
HURRY: Final = 2.0

_log = logging.getLogger(__name__)


class Queue(Protocol):
    """Whoever keeps letters; all of it raises DatabaseUnavailable."""

    def take(self, now: float, lease: float, most: int) -> Awaitable[Sequence[Mail]]:
        """Return letters that are to be sent now; for `lease` seconds they are nobody else's."""

    def recording(self, mail: Mail) -> Awaitable[bytes | None]:
        """Return the WAV of its message; None: that is gone."""

    def sent(self, mail: Mail) -> Awaitable[None]:
        """Forget a letter, and its message if the mailbox wants that."""

    def failed(self, mail: Mail, again: float | None) -> Awaitable[None]:
        """Keep a letter until `again`; None: forget it, but not its message."""


class Tables:
    """MariaDB (a `Queue`)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def take(self, now: float, lease: float, most: int) -> Sequence[Mail]:
        """See `Queue`."""
        async with transaction(self._engine) as connection:
            return await voicemail_news.take_mails(connection, now, lease, most)

    async def recording(self, mail: Mail) -> bytes | None:
        """See `Queue`."""
        async with transaction(self._engine) as connection:
            return await read_recording(connection, mail.mailbox, mail.message)

    async def sent(self, mail: Mail) -> None:
        """See `Queue`."""
        async with transaction(self._engine) as connection:
            await voicemail_news.mail_was_sent(connection, mail)

    async def failed(self, mail: Mail, again: float | None) -> None:
        """See `Queue`."""
        async with transaction(self._engine) as connection:
            await voicemail_news.mail_waits(connection, mail, again)


class Outcome(NamedTuple):
    """What came of an attempt."""

    mail: Mail
    is_sent: bool
    again: float | None = None
    """When it is to be tried again; None: never."""


#: Hands a letter in, to these addresses, or raises `NotSent`.
Send = Callable[[EmailMessage, str, Sequence[str]], Awaitable[None]]


class Mailer:
    """Sends what waits; times are those of the wall."""

    def __init__(self, queue: Queue, send: Send, style: Style, wall: Callable[[], float]) -> None:
        self._queue, self._send, self._style, self._wall = queue, send, style, wall
        self._untold: list[Outcome] = []
        """What the queue could not be told."""
        self._woken = asyncio.Event()
        self._resting = asyncio.Event()
        """Nothing is under way."""
        self._resting.set()
        self._is_closed = False

    async def close(self) -> None:
        """Take no more letters, and wait a moment for those that are under way."""
        self._is_closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(HURRY):
                await self._resting.wait()

    def poke(self) -> None:
        """Something waits."""
        self._woken.set()

    async def keep(self) -> None:
        """Send for ever."""
        while True:
            is_more = await self.visit()
            if not is_more:
                with suppress(TimeoutError):
                    async with asyncio.timeout(EVERY):
                        await self._woken.wait()
            self._woken.clear()

    async def visit(self) -> bool:
        """Send what waits now; tell whether more may wait."""
        if self._is_closed:
            return False
        self._resting.clear()
        try:
            return await self._work()
        finally:
            self._resting.set()

    async def _work(self) -> bool:
        try:
            await self._settle()
            mails = await self._queue.take(self._wall(), LEASE, MOST)
        except (DatabaseUnavailable, DataError, IntegrityError) as error:
            _log.warning("mail of the voicebox: %s", error)
            return False
        except Exception:  # the door of a worker: it tries again
            _log.exception("mail of the voicebox")
            return False
        await asyncio.gather(*map(self._deliver, mails))
        return len(mails) == MOST

    async def _deliver(self, mail: Mail) -> None:
        try:
            outcome = await self._try(mail)
        except Exception:
            _log.exception("mail %d to %s", mail.id, mail.email)
            outcome = self._again(mail)
        self._untold.append(outcome)
        try:
            await self._settle()
        except (DatabaseUnavailable, DataError, IntegrityError) as error:
            _log.warning("mail %d: %s", mail.id, error)

    async def _try(self, mail: Mail) -> Outcome:
        wav = await self._queue.recording(mail)
        if wav is None:
            return Outcome(mail, False)
        try:
            to = recipients(mail.email)
            letter = write(self._style, _occasion(mail), to, wav if mail.attach else None, self._now())
            await self._send(letter, self._style.sender, to)
        except (BadAddress, Never) as error:
            _log.warning("mail %d to %s is not sent: %s", mail.id, mail.email, error)
            return Outcome(mail, False)
        except Later as error:
            _log.warning("mail %d to %s is sent later: %s", mail.id, mail.email, error)
            return self._again(mail)
        _log.info("mail %d to %s: sent", mail.id, mail.email)
        return Outcome(mail, True)

    def _again(self, mail: Mail) -> Outcome:
        now = self._wall()
        if now - mail.created > LONGEST:
            _log.warning("mail %d to %s is given up", mail.id, mail.email)
            return Outcome(mail, False)
        pause = min(FIRST * 2.0 ** min(mail.attempts - 1, 10), SLOWEST)
        return Outcome(mail, False, now + pause)

    async def _settle(self) -> None:
        """Tell the queue what it does not know yet, before anything else is taken from it."""
        while self._untold:
            outcome = self._untold[0]
            if outcome.is_sent:
                await self._queue.sent(outcome.mail)
            else:
                await self._queue.failed(outcome.mail, outcome.again)
            with suppress(ValueError):
                self._untold.remove(outcome)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), UTC)


def _occasion(mail: Mail) -> Occasion:
    when = local_time(float(mail.time), mail.timezone)
    return Occasion(mail.key, mail.own_number, mail.owner, mail.caller, mail.number, when, mail.duration)
