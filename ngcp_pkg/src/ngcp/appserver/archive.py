"""Mailboxes as their owners use them by telephone: messages, greetings, PINs, in MariaDB."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from ngcp.audio import wav
from ngcp.provisioning import voicemail
from ngcp.provisioning.engine import DatabaseUnavailable, transaction
from ngcp.provisioning.voicemail import Folder, Greeting, NoMailbox, Recording
from ngcp.provisioning.voicemail_pins import check_pin
from ngcp.provisioning.zones import zone_or_home
from ngcp.voice.guest import Frames
from ngcp.voice.stream import frames_of
from ngcp.voice.tape import Tape

from .bell import Bell, Change
from .menu_state import Opened, Settlement

#: Seconds between attempts to settle what somebody did who has hung up.
AGAIN: Final = (2.0, 10.0, 60.0, 300.0, 900.0)
#: Seconds of a message that are played, and of one that gets a comment before it.
LONGEST: Final = 600.0

_log = logging.getLogger(__name__)


class Archive:
    """All mailboxes; whatever needs MariaDB raises `DatabaseUnavailable`."""

    def __init__(self, engine: AsyncEngine, bell: Bell, most: int, wall: Callable[[], float]) -> None:
        """Count a mailbox of `most` messages as full; `wall` is Unix time."""
        self._engine, self._bell, self._most, self._wall = engine, bell, most, wall

    async def find(self, number: str) -> str | None:
        """Return the mailbox of whoever has a number, as telephones dial it or as calls have it."""
        async with transaction(self._engine) as connection:
            for spelling in dict.fromkeys((number, number.removeprefix("+"), number.removeprefix("00"))):
                uuid = await voicemail.find_owner(connection, spelling)
                if uuid is not None and await voicemail.find_mailbox(connection, uuid) is not None:
                    return uuid
        return None

    async def pin(self, uuid: str) -> str | None:
        """Return the PIN of a mailbox; None: there is no such mailbox."""
        async with transaction(self._engine) as connection:
            mailbox = await voicemail.find_mailbox(connection, uuid)
        return None if mailbox is None else mailbox.pin

    async def open(self, uuid: str, folder: Folder | None, *, is_own: bool) -> Opened:
        """Return a folder; None: the one to begin with. `is_own`: by the mailbox's own telephone."""
        async with transaction(self._engine) as connection:
            return await self._open(connection, uuid, folder, is_own)

    async def settle(self, uuid: str, settlement: Settlement) -> None:
        """Remove and move messages; what is gone already is passed over."""
        async with transaction(self._engine) as connection:
            for number in settlement.removed:
                await voicemail.delete_message(connection, uuid, number)
            for number, folder in settlement.moved.items():
                await voicemail.move_message(connection, uuid, number, folder)
        self._bell.ring(Change(uuid))

    async def settle_at_last(self, uuid: str, settlement: Settlement) -> None:
        """Do the same for somebody who waits no more, as soon as it can be done."""
        for pause in (*AGAIN, None):
            try:
                await self.settle(uuid, settlement)
            except NoMailbox:
                return
            except DatabaseUnavailable as error:
                if pause is None:
                    _log.error("mailbox %s: what its owner did is lost: %s", uuid, error)
                    return
                _log.warning("mailbox %s is settled later: %s", uuid, error)
                await asyncio.sleep(pause)
            else:
                return

    async def recording(self, uuid: str, number: int) -> bytes | None:
        """Return the WAV file of a message; None: it is gone."""
        async with transaction(self._engine) as connection:
            return await voicemail.read_recording(connection, uuid, number)

    async def develop(self, tape: Tape) -> bytes:
        """Return the samples of a tape, while others are served."""
        return await asyncio.to_thread(tape.samples)

    async def cut(self, file: bytes | None) -> Frames:
        """Return the frames of a WAV file, while others are served; of one that cannot be played, none."""
        return () if file is None else await asyncio.to_thread(frames_of_file, file)

    async def keep_greeting(self, uuid: str, greeting: Greeting, samples: bytes) -> None:
        """Store a greeting."""
        sound = wav.write(samples)
        async with transaction(self._engine) as connection:
            await voicemail.keep_greeting(connection, uuid, greeting, sound, self._wall())

    async def drop_greeting(self, uuid: str, greeting: Greeting) -> None:
        """Remove a greeting."""
        async with transaction(self._engine) as connection:
            await voicemail.delete_greeting(connection, uuid, greeting)

    async def change_pin(self, uuid: str, pin: str) -> bool:
        """Give a mailbox another PIN; False: it is too simple."""
        try:
            check_pin(pin)
        except ValueError:
            return False
        async with transaction(self._engine) as connection:
            await voicemail.change_mailbox(connection, uuid, {"password": pin})
        return True

    async def forward(self, uuid: str, number: int, recipient: str, key: str, comment: bytes) -> bool:
        """Deliver a message to somebody else, behind samples of a comment; False: it cannot be done.

        `key` is unguessable, and of this copy alone.
        """
        async with transaction(self._engine) as connection:
            message = await voicemail.find_message(connection, uuid, number)
            sound = await voicemail.read_recording(connection, uuid, number)
        if message is None or sound is None:
            return False
        if comment:
            sound = await asyncio.to_thread(_join, comment, sound)
        duration = message.duration + round(len(comment) / (wav.RATE * wav.WIDTH))
        about = message.caller, message.time, duration
        copy = Recording(key, recipient, *about, sound, message.call_id)
        async with transaction(self._engine) as connection:
            if not await self._has_room(connection, recipient):
                return False
            stored = await voicemail.deposit(connection, copy)
        self._bell.ring(Change(recipient, stored))
        return True

    async def has_room(self, uuid: str) -> bool:
        """Tell whether a mailbox takes one more message."""
        async with transaction(self._engine) as connection:
            return await self._has_room(connection, uuid)

    async def address(self, uuid: str) -> voicemail.Address | None:
        """Return by which names the owner of a mailbox calls."""
        async with transaction(self._engine) as connection:
            return await voicemail.find_address(connection, uuid)

    async def _has_room(self, connection: AsyncConnection, uuid: str) -> bool:
        if await voicemail.find_mailbox(connection, uuid) is None:
            return False
        return sum((await voicemail.count_messages(connection, uuid)).values()) < self._most

    async def _open(
        self, connection: AsyncConnection, uuid: str, folder: Folder | None, is_own: bool
    ) -> Opened:
        mailbox = await voicemail.find_mailbox(connection, uuid)
        if mailbox is None:
            raise NoMailbox(uuid)
        counts = await voicemail.count_messages(connection, uuid)
        new, old = counts[Folder.INBOX], counts[Folder.OLD]
        if folder is None:
            folder = Folder.OLD if old and not new else Folder.INBOX
        messages = await voicemail.list_messages(connection, uuid, folder)
        greetings = await voicemail.find_greetings(connection, uuid)
        now = datetime.fromtimestamp(self._wall(), zone_or_home(mailbox.timezone))
        manner = replace(mailbox.manner, may_call=is_own or mailbox.manner.may_call)
        return Opened(folder, tuple(messages), new, old, frozenset(greetings), now, manner)


def frames_of_file(file: bytes) -> Frames:
    """Return the frames of a WAV file; of one that cannot be played, none."""
    try:
        return frames_of(wav.samples_of(file, LONGEST))
    except wav.BadWav:
        return ()


def _join(comment: bytes, sound: bytes) -> bytes:
    """Put samples before a WAV file; one that cannot be read is left out."""
    try:
        return wav.write(comment + wav.samples_of(sound, LONGEST))
    except wav.BadWav:
        return wav.write(comment)
