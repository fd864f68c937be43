"""Whoever brings messages to MariaDB. While that is away, they wait: in files, and if that fails, here.

A message is told of (`bell`) once it is stored. One whose storing got no answer is stored again; its key
keeps it from being there twice. What is being recorded is written down meanwhile (`drafts`): a daemon that is
killed finds it when it starts again, and makes the message of it that was said.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning.engine import DatabaseUnavailable, transaction
from ngcp.provisioning.voicemail import NoMailbox, Recording, deposit
from ngcp.voice.tape import Tape

from .bell import Bell, Change
from .drafts import Drafts
from .hold import BadFile, Hold

#: Messages that are stored at a time.
AT_ONCE: Final = 4
#: Seconds between two attempts to store what waits.
RETRY: Final = 5.0
#: Seconds between two times that what is being recorded is written down.
WRITTEN: Final = 1.0
#: Seconds that a stop waits for MariaDB.
HURRY: Final = 1.0
MEGABYTE: Final = 1 << 20

#: Makes a message of what was recorded; to be called from a thread.
Develop = Callable[[], Recording]

_log = logging.getLogger(__name__)


class Keeper:
    """One for each process."""

    def __init__(
        self,
        engine: AsyncEngine,
        patient: AsyncEngine,
        hold: Hold,
        drafts: Drafts,
        bell: Bell,
        megabytes: int,
    ) -> None:
        """Hold messages of so many `megabytes` altogether; what waits has time, and so has `patient`."""
        self._engine, self._patient, self._bell = engine, patient, bell
        self._hold, self._drafts = hold, drafts
        self._most = megabytes * MEGABYTE
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._taken: dict[str, tuple[Develop, asyncio.Task[None]]] = {}
        self._files: dict[str, int] = {}
        self._memory: dict[str, Recording] = {}
        self._dropped: set[asyncio.Task[None]] = set()
        self._is_away = False
        self.stored = 0
        """Messages that were stored."""

    @property
    def held(self) -> int:
        """Messages that wait."""
        return len(self._files) + len(self._memory)

    @property
    def is_full(self) -> bool:
        """Whether no more can wait."""
        return self.held > 0 and self._size >= self._most

    async def open(self) -> None:
        """Find what a stop or a crash has left."""
        await asyncio.to_thread(self._recover)
        self._files = await asyncio.to_thread(self._hold.load)
        if self._files:
            _log.warning("%d messages wait for the database", len(self._files))

    def begin(self, about: Recording, tape: Tape) -> None:
        """Keep what comes onto a tape from now on, for a message that has no sound yet."""
        self._drafts.begin(about, tape)

    def drop(self, key: str) -> None:
        """Let go of what was begun: it is no message."""
        task = asyncio.get_running_loop().create_task(self._forget(key))
        self._dropped.add(task)
        task.add_done_callback(self._dropped.discard)

    def take(self, key: str, develop: Develop) -> None:
        """Take a message; it is stored, now or later."""
        self._drafts.end(key)
        task = asyncio.get_running_loop().create_task(self._keep(key, develop))
        self._taken[key] = develop, task

    async def close(self) -> None:
        """Store what was taken, or let it wait for the next start."""
        tasks = [task for _, task in self._taken.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=HURRY)
        for develop, task in list(self._taken.values()):
            task.cancel()
            await self._wait(await asyncio.to_thread(develop))
        for recording in list(self._memory.values()):
            await self._wait(recording)
        if self._dropped:
            await asyncio.wait(self._dropped)

    async def write(self) -> None:
        """Write down what is being recorded, for ever."""
        while True:
            entries = self._drafts.collect()
            if entries:
                await asyncio.to_thread(self._drafts.write, entries)
            await asyncio.sleep(WRITTEN)

    async def _keep(self, key: str, develop: Develop) -> None:
        try:
            async with self._gate:
                await self._store_or_wait(await asyncio.to_thread(develop))
        except Exception:  # the door of a worker: the others' messages go on
            _log.exception("a message is lost")
        del self._taken[key]

    async def _store_or_wait(self, recording: Recording) -> None:
        try:
            if self._is_away:
                raise DatabaseUnavailable("as it was for those before")
            await self._store(recording, self._engine)
        except DatabaseUnavailable as error:
            self._is_away = True
            _log.warning("a message for %s waits: %s", recording.mailbox, error)
            await self._wait(recording)

    async def watch(self) -> None:
        """Store what waits as soon as that can be done, for ever."""
        while True:
            if self.held:
                await self.retry()
            await asyncio.sleep(RETRY)

    async def retry(self) -> None:
        """Store what waits; leave the rest where it is at the first that cannot be stored yet."""
        try:
            self._is_away = False
            for key in list(self._memory):
                await self._store(self._memory[key], self._patient)
                del self._memory[key]
            for key in list(self._files):
                await self._store_file(key)
        except DatabaseUnavailable as error:
            self._is_away = True
            _log.warning("%d messages wait: %s", self.held, error)

    async def _store_file(self, key: str) -> None:
        try:
            recording = await asyncio.to_thread(self._hold.get, key)
        except (OSError, BadFile) as error:
            _log.error("a message that waited cannot be read: %s", error)
            await asyncio.to_thread(self._hold.refuse, key)
        else:
            is_taken = await self._store(recording, self._patient)
            await asyncio.to_thread(self._hold.drop if is_taken else self._hold.refuse, key)
        del self._files[key]

    async def _store(self, recording: Recording, engine: AsyncEngine) -> bool:
        """Store a message; False: the database wants it never. Raises DatabaseUnavailable."""
        try:
            async with transaction(engine) as connection:
                number = await deposit(connection, recording)
        except NoMailbox as error:
            _log.warning("a message is dropped: %s", error)
            await self._forget(recording.key)
            return True
        except (DataError, IntegrityError) as error:
            _log.error("a message for %s is refused: %s", recording.mailbox, error.orig)
            return False
        self.stored += 1
        self._bell.ring(Change(recording.mailbox, number))
        await self._forget(recording.key)
        return True

    async def _wait(self, recording: Recording) -> None:
        try:
            self._files[recording.key] = await asyncio.to_thread(self._hold.put, recording)
        except OSError as error:
            _log.error("a message for %s waits in memory only: %s", recording.mailbox, error)
            self._memory[recording.key] = recording
        else:
            await self._forget(recording.key)

    async def _forget(self, key: str) -> None:
        """Remove what was written down of a message that is safe, or none."""
        self._drafts.forget(key)
        try:
            await asyncio.to_thread(self._drafts.drop, key)
        except OSError as error:
            _log.error("what was recorded is not removed: %s", error)

    def _recover(self) -> None:
        """Make messages that wait of what was being recorded at a crash."""
        for key, recording in self._drafts.find():
            try:
                if recording is not None:
                    _log.warning("a message for %s was being recorded at a crash", recording.mailbox)
                    self._hold.put(recording)
                self._drafts.drop(key)
            except OSError as error:
                _log.error("what was recorded waits for the next start: %s", error)

    @property
    def _size(self) -> int:
        return sum(self._files.values()) + sum(len(one.wav) for one in self._memory.values())
