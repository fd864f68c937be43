"""A switchboard with its sockets and clock: what the daemons that talk run."""

import asyncio
import contextlib
import sys
from typing import Final, Protocol

from ngcp.net.driver import Driver
from ngcp.net.udp import UdpSocket
from ngcp.service import xmlrpc
from ngcp.service.commands import CommandTable
from ngcp.service.datagrams import DatagramControl
from ngcp.service.endpoint import Endpoint
from ngcp.service.metrics import Metrics, serve_metrics
from ngcp.sip.transport import Flow

from .switchboard import Switchboard

#: Octets of a token: tags and branches must be unguessable (RFC 3261 §19.3).
TOKEN: Final = 8
#: Seconds that the BYEs of a stop may take to be answered.
FAREWELL: Final = 2.0
#: Seconds after which a thread that computes lets the next one have its turn: the beat waits for none longer.
SWITCH: Final = 0.0005
#: SIP messages that are served before audio has its turn: two hundred that hang up at once are 30 ms of work.
TURN: Final = 8
#: A stop takes no longer than its frame allows, farewells included.
LONGEST_DRAIN: Final = 7.0


def check_drain(drain: float) -> None:
    """Raise ValueError unless a stop may take so long."""
    if not 0 <= drain <= LONGEST_DRAIN:
        raise ValueError(f"drain is between 0 and {LONGEST_DRAIN:g} seconds, not {drain:g}")


class Places(Protocol):
    """What a daemon's configuration says of where it is found."""

    @property
    def listen(self) -> Endpoint:
        """Where SIP is received."""

    @property
    def control(self) -> Endpoint:
        """Where commands are received over UDP."""

    @property
    def xmlrpc(self) -> Endpoint:
        """Where they are received over XMLRPC."""

    @property
    def metrics(self) -> Metrics:
        """Where counters are."""

    @property
    def drain(self) -> float:
        """Seconds in which calls may end by themselves when the daemon stops."""


class House(Protocol):
    """What the applications of a daemon need of the world."""

    async def open(self) -> None:
        """Begin what goes on beside calls; sockets are bound."""

    async def close(self) -> None:
        """Let go of everything."""


class VoiceService:
    """The running daemon (a `ngcp.service.frame.Service`)."""

    core: Switchboard
    house: House

    def __init__(self, places: Places) -> None:
        """Be there; who builds on this gives `core` and `house`."""
        self._places = places
        self._driver: Driver | None = None
        self._release = contextlib.AsyncExitStack()

    def commands(self) -> CommandTable:
        """Return what operators may ask."""
        raise NotImplementedError

    def exposition(self) -> str:
        """Return what Prometheus is told."""
        raise NotImplementedError

    async def start(self) -> None:
        """Listen for calls and for commands."""
        places, core = self._places, self.core
        sys.setswitchinterval(SWITCH)
        self._driver = driver = Driver(core)
        core.progressed = driver.transmit
        self._release.callback(driver.close)
        self._release.push_async_callback(self.house.close)
        local = places.listen.pair
        udp = UdpSocket(
            local,
            lambda data, remote: driver.receive(data, Flow("udp", local, remote)),
            driver.transmit,
            turn=TURN,
        )
        self._release.callback(udp.close)
        driver.attach("udp", local, udp)
        commands = self.commands()
        server = await xmlrpc.serve(commands, *places.xmlrpc.pair)
        self._release.callback(server.close)
        datagrams = DatagramControl(commands, places.control.pair)
        self._release.callback(datagrams.close)
        scraped = await serve_metrics(self.exposition, places.metrics)
        self._release.callback(scraped.close)
        await self.house.open()

    async def stop(self) -> None:
        """Take no new calls, wait for those that may end by themselves, hang up on the others, let go."""
        self.core.is_draining = True
        if self._driver is not None:
            await self._emptied(self._places.drain)
            self.core.end(self._driver.now())
            self._driver.transmit()
            await self._quiet(self._driver)
        await self._release.aclose()

    def status(self) -> str:
        """Return what is alive now."""
        what = "stopping, " if self.core.is_draining else ""
        return f"{what}{len(self.core.calls)} calls, {self.core.transactions} transactions"

    def now(self) -> float:
        """Return the time on the clock of the core."""
        assert self._driver is not None, "nobody calls before the start"
        return self._driver.now()

    def transmit(self) -> None:
        """Send what waits."""
        if self._driver is not None:
            self._driver.transmit()

    async def _emptied(self, within: float) -> None:
        if not len(self.core.calls):
            return
        empty = asyncio.Event()
        self.core.calls.emptied = empty.set
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await empty.wait()

    async def _quiet(self, driver: Driver) -> None:
        """Wait until every request of ours is answered, or long enough."""
        until = driver.now() + FAREWELL
        while self.core.agent.is_waiting and driver.now() < until:
            await asyncio.sleep(0.05)
