"""What the app server does unasked: it wakes people up, lights lamps of telephones, and writes letters."""

import asyncio
import time
from collections.abc import Callable

from ngcp.provisioning.reminder_calls import Wakeup
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.transport.flow import format_address
from ngcp.voice.household import Household
from ngcp.voice.registry import Registry
from ngcp.voice.switchboard import Switchboard

from . import mailer, reminders, teller
from .bell import Bell, Change
from .config import Configuration
from .lamps import Lamps
from .letters import read_style
from .mailer import Mailer
from .reminders import Reminders
from .teller import Teller
from .wakeup import Done, Ringer


class Outreach:
    """One for each process."""

    def __init__(
        self, configuration: Configuration, home: Household, agent: UserAgent, registry: Registry
    ) -> None:
        """Raise `ConfigError` if the text of letters cannot be used."""
        mail, terms = configuration.mail, configuration.reminder
        proxy = f"<sip:{format_address(configuration.proxy.pair)};lr>"
        self._home = home
        ringer = Ringer(agent, registry, home.stage(agent), terms.caller, proxy, float(terms.wait_time))
        ring = _sending(ringer.ring, home.transmit)
        self.reminders = Reminders(reminders.Tables(home.engine), ring, terms, time.time)
        self.lamps = Lamps(agent, proxy, configuration.voicemail_number)
        self.teller = Teller(teller.Tables(home.engine), self.lamps, home.now, home.transmit)
        style = read_style(mail.letter, mail.sender, mail.name)
        self.mailer = Mailer(mailer.Tables(home.engine), mail.server.hand_in, style, time.time)

    def attach(self, core: Switchboard, bell: Bell) -> None:
        """Take subscriptions from `core`, and hear of what changes by `bell`."""
        core.others["SUBSCRIBE"] = self.lamps.subscribe
        self.reminders.is_draining = lambda: core.is_draining
        bell.attach(self._hear)

    def open(self) -> None:
        """Begin."""
        for work in (self.reminders.keep(), self.teller.keep(), self.mailer.keep()):
            self._home.errands.spawn(work)

    async def close(self) -> None:
        """Let go, when what is under way had its time."""
        await self.reminders.close()
        await self.mailer.close()

    def _hear(self, change: Change) -> None:
        self.teller.poke()
        if change.message is not None:
            self.mailer.poke()


def _sending(ring: reminders.Ring, transmit: Callable[[], None]) -> reminders.Ring:
    """Let what a call has to send go out at once, and others have their turn before the next one."""

    async def ring_and_send(wakeup: Wakeup, done: Done) -> None:
        await ring(wakeup, done)
        transmit()
        await asyncio.sleep(0)

    return ring_and_send
