"""What every daemon that talks needs of the world: sockets for media, the beat, MariaDB, prompts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ngcp.provisioning.engine import connect
from ngcp.service.errands import Errands
from ngcp.sip.core.agent import UserAgent

from .beat import Beat
from .library import Library
from .media_ports import MediaPorts, MediaRange
from .prompts import Files
from .stage import Stage
from .studio import Studio


@dataclass(frozen=True, slots=True)
class Database:
    """Where MariaDB is."""

    socket: str = "/run/mysqld/mysqld.sock"
    """Path of its unix socket; the account is the daemon's own user."""
    timeout: float = 2.0
    """Seconds until a transaction is given up."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a daemon's configuration says of all this."""

    account: str
    """At MariaDB, which is also our system user: the socket tells who we are."""
    database: Database
    media: MediaRange
    sounds: str
    """Directory of prompts."""


class Household:
    """One for each process."""

    def __init__(self, equipment: Equipment, now: Callable[[], float], transmit: Callable[[], None]) -> None:
        """Read the clock of the core by `now`; `transmit` is called when messages wait."""
        database, media = equipment.database, equipment.media
        self.now, self.transmit = now, transmit
        self.engine = connect(database.socket, equipment.account, database.timeout)
        self.files = Files(Path(equipment.sounds))
        self.errands = Errands(transmit)
        self._studio = Studio(MediaPorts(media.address, media.even))
        self._beat = Beat(self._studio, now, transmit)

    def stage(self, agent: UserAgent) -> Stage:
        """Return what the applications of a user agent stand on."""
        library = Library(self.engine, self.files)
        return Stage(agent.ids, self._studio, library, self.errands.spawn, self.now)

    async def close(self) -> None:
        """Let go of everything."""
        self._beat.close()
        self.errands.close()
        await self.engine.dispose()
