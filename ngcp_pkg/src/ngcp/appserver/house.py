"""What the applications need of the world, made from the configuration."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from ngcp.provisioning.engine import connect
from ngcp.service.statistics import Statistics
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.transport.flow import format_address
from ngcp.voice.application import Application
from ngcp.voice.household import Equipment, Household
from ngcp.voice.registry import Registry

from .applications import make_applications
from .archive import Archive
from .bell import Bell
from .callback import Dialler
from .config import Configuration
from .doorkeeper import Doorkeeper
from .drafts import Drafts
from .hold import Hold
from .keeper import MEGABYTE, Keeper
from .lockout import Lockout
from .office import Office
from .outreach import Outreach
from .reception import MailboxReception

#: The account at MariaDB, which is also our system user: the socket tells who we are.
ACCOUNT: Final = "asterisk"

#: Seconds that a message may take that was too large, or the disk too slow, to be stored at once.
STORED_WITHIN: Final = 30.0


class House:
    """One for each process."""

    def __init__(
        self, configuration: Configuration, now: Callable[[], float], transmit: Callable[[], None]
    ) -> None:
        """Read the clock of the core by `now`; `transmit` is called when messages wait."""
        self._configuration = configuration
        self._voicemail = configuration.voicemail
        equipment = Equipment(ACCOUNT, configuration.database, configuration.media, configuration.sounds)
        self._home = Household(equipment, now, transmit)
        self._proxy = f"<sip:{format_address(configuration.proxy.pair)};lr>"
        self.bell, self.lockout = Bell(), Lockout()
        spool, most = Path(configuration.spool), self._voicemail.held * MEGABYTE
        engine, hold = self._home.engine, Hold(spool)
        drafts = Drafts(spool, most, self._voicemail.shortest)
        self._patient = connect(configuration.database.socket, ACCOUNT, STORED_WITHIN)
        self.keeper = Keeper(engine, self._patient, hold, drafts, self.bell, self._voicemail.held)
        self.outreach: Outreach
        """What is done unasked, once there is a user agent."""

    def applications(self, agent: UserAgent, registry: Registry) -> Mapping[str, Application]:
        """Make the applications of the core."""
        home = self._home
        self.outreach = Outreach(self._configuration, home, agent, registry)
        stage, most = home.stage(agent), self._voicemail.messages
        archive = Archive(home.engine, self.bell, most, time.time)
        office = Office(
            stage=stage,
            engine=home.engine,
            files=home.files,
            reception=MailboxReception(home.engine, most, home.now),
            keeper=self.keeper,
            bell=self.bell,
            voicemail=self._voicemail,
            wall=time.time,
            archive=archive,
            doorkeeper=Doorkeeper(archive, self.lockout, home.now),
            dialler=Dialler(agent, registry, stage, self._proxy),
        )
        return make_applications(office, agent, registry)

    async def open(self) -> None:
        """Store what waits, and tell of it, from now on."""
        await self.keeper.open()
        self._home.errands.spawn(self.keeper.watch())
        self._home.errands.spawn(self.keeper.write())
        self.outreach.open()

    def statistics(self) -> Statistics:
        """Return what became of messages."""
        locked = sum(1 for _ in self.lockout.locked(self._home.now()))
        messages = {"messages.stored": self.keeper.stored, "messages.held": self.keeper.held}
        return {**messages, "locked": locked}

    async def close(self) -> None:
        """Let go of everything."""
        await self.keeper.close()
        await self.outreach.close()
        await self._home.close()
        await self._patient.dispose()
