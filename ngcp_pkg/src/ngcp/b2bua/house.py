"""What the applications that talk need of the world: sockets, the beat, MariaDB, and the proxy's ear."""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from ngcp.service.forgetting import tell_proxies
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.transport.flow import Flow, format_address
from ngcp.voice.application import Application
from ngcp.voice.household import Equipment, Household
from ngcp.voice.registry import Registry

from .applications import make_applications
from .clerk import Clerk
from .config import Configuration
from .enrolment import Enrolment
from .registrations import Registrations

#: The account at MariaDB, which is also our system user: the socket tells who we are.
ACCOUNT: Final = "sems"


class House:
    """One for each process."""

    enrolment: Enrolment
    """Registrations at foreign registrars, once there are applications."""

    def __init__(
        self, configuration: Configuration, now: Callable[[], float], transmit: Callable[[], None]
    ) -> None:
        """Read the clock of the core by `now`; `transmit` is called when messages wait."""
        self._configuration = configuration
        equipment = Equipment(ACCOUNT, configuration.database, configuration.media, configuration.sounds)
        self._home = Household(equipment, now, transmit)

    def applications(self, agent: UserAgent, registry: Registry) -> Mapping[str, Application]:
        """Make the applications of the core."""
        home = self._home
        self.enrolment = self._enrolment(agent)
        clerk = Clerk(home.engine, self._announce)
        return make_applications(home.stage(agent), clerk, home.files, agent, registry)

    async def open(self) -> None:
        """Keep registrations from now on."""
        self._home.errands.spawn(self.enrolment.keep())

    async def close(self) -> None:
        """Let go of everything."""
        await self._home.close()

    def _enrolment(self, agent: UserAgent) -> Enrolment:
        edge, public = self._configuration.load_balancer.pair, self._configuration.public.pair
        flow = Flow("udp", self._configuration.listen.pair, edge)
        way = f"<sip:{format_address(edge)};lr>", flow
        registrations = Registrations(agent, way, format_address(public), time.time)
        return Enrolment(self._home.engine, registrations, self._home.now, self._home.transmit)

    async def _announce(self, changed: Collection[str]) -> None:
        """Let the proxy forget what it remembers of these; one that is down remembers nothing."""
        proxy = f"http://{format_address(self._configuration.proxy_xmlrpc.pair)}/RPC2"
        await tell_proxies((proxy,), changed)
