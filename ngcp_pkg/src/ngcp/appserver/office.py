"""What the applications of the app server stand on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning.voicemail import Greeting, Recording
from ngcp.voice.prompts import Files
from ngcp.voice.stage import Stage
from ngcp.voice.tape import Tape

from .archive import Archive
from .bell import Bell
from .callback import Dialler
from .config import Voicemail
from .doorkeeper import Doorkeeper


@dataclass(frozen=True, slots=True)
class Greeted:
    """A mailbox as its callers find it."""

    is_full: bool = False
    greeting: bytes | None = None
    """WAV file; None: its owner has spoken none."""
    name: bytes | None = None
    """WAV file of its owner's name, if there is no greeting."""


class Reception(Protocol):
    """Whoever knows the mailboxes."""

    def greet(self, mailbox: str, kind: Greeting) -> Awaitable[Greeted | None]:
        """Return how a mailbox is found, what is usual if that cannot be known soon; None: there is none."""


class Keeper(Protocol):
    """Whoever takes messages."""

    @property
    def is_full(self) -> bool:
        """Whether none can be taken now."""

    def begin(self, about: Recording, tape: Tape) -> None:
        """Keep what comes onto a tape, until it is a message or none: whatever happens, that is not lost."""

    def drop(self, key: str) -> None:
        """Let go of what was begun: it is no message."""

    def take(self, key: str, develop: Callable[[], Recording]) -> None:
        """Take a message of an unguessable key; what `develop` returns is stored, now or later."""


@dataclass(frozen=True, slots=True)
class Office:
    """One for each process."""

    stage: Stage
    engine: AsyncEngine
    files: Files
    """Prompts, by language."""
    reception: Reception
    keeper: Keeper
    bell: Bell
    """To be rung when messages were heard, moved or removed."""
    voicemail: Voicemail
    """What is a message."""
    wall: Callable[[], float]
    """Unix time."""
    archive: Archive
    doorkeeper: Doorkeeper
    dialler: Dialler
