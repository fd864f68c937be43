"""The proxy with its sockets, database and clocks: what `kamailio-proxy` runs."""

import asyncio
import contextlib
import gc
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Final, NamedTuple

from ngcp.net.driver import Driver
from ngcp.net.udp import UdpSocket
from ngcp.provisioning import runtime
from ngcp.provisioning.line import Line
from ngcp.provisioning.location import LocationTable
from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.service import xmlrpc
from ngcp.service.metrics import serve_metrics
from ngcp.sip.core.digest import Authenticator
from ngcp.sip.core.proxy import StatefulProxy
from ngcp.sip.core.registrar import Registrar
from ngcp.sip.transport import Flow

from . import media
from .batches import Spawn
from .config import Configuration
from .control import make_commands
from .core import Clock, Parts, ProxyCore
from .corridor import Corridor
from .dialogs import Dialogs
from .directory import Directory, Source, Terms
from .edge import Edge
from .facts import Gatherer
from .locations import Locations, Table
from .metrics import metrics
from .pings import Pings
from .stations import Floor

#: The account at MariaDB, which is also our system user: the socket tells who we are.
ACCOUNT: Final = "kamailio-proxy"

#: Seconds for which a registration waits for others to be stored with it: no phone notices, and at 400 a
#: second eight of them share a statement.
GATHER: Final = 0.02


class Doors(NamedTuple):
    """What the proxy meets outside itself; flow tests bring doors of their own."""

    directory: Source
    locations: Table
    media_relay: media.Relay
    clock: Clock
    ids: Callable[[], str]
    """Unguessable tokens."""
    spawn: Spawn
    """Starts a coroutine."""
    spawn_later: Spawn
    """Starts a coroutine after a moment, in which more of the same can gather."""


def compose(configuration: Configuration, secret: bytes, doors: Doors) -> Parts:
    """Put a proxy together."""
    registrar = Registrar(configuration.registrar, doors.ids)
    authenticator = Authenticator(secret, lifetime=configuration.nonce_expire, ids=doors.ids)
    own = configuration.listen.pair
    edge = Edge(own, configuration.load_balancer.sockets)
    floor = Floor(
        authenticator,
        registrar,
        Dialogs(secret, own),
        edge,
        configuration.ring_timeout,
    )
    terms = Terms(configuration.memory_lifetime, doors.clock.monotonic, doors.spawn)
    directory = Directory(doors.directory, terms)
    return Parts(
        StatefulProxy(doors.ids, server=configuration.server_header),
        Corridor(Gatherer(directory, registrar, authenticator), floor),
        Locations(registrar, doors.locations, doors.spawn_later),
        media.Media(doors.media_relay),
        Pings(configuration.keepalive, registrar, secret, edge),
        configuration.keepalive.interval,
        doors.clock,
        doors.spawn,
        configuration.server_header,
        doors.ids(),
    )


class ProxyService:
    """The running daemon (a `ngcp.service.frame.Service`)."""

    def __init__(self, configuration: Configuration, secret: bytes) -> None:
        self._configuration = configuration
        self._secret = secret
        self._tasks: set[asyncio.Task[None]] = set()
        self._release = contextlib.AsyncExitStack()
        self._core: ProxyCore | None = None

    async def start(self) -> None:
        """Load the registrations, then listen."""
        configuration, loop = self._configuration, asyncio.get_running_loop()
        database = configuration.database
        reading, writing = (Line(database.socket, ACCOUNT, database.timeout) for _ in range(2))
        for line in (reading, writing):
            self._release.callback(line.close)
        relay = media.NgClient(configuration.media_relay.pair, _token, configuration.media_relay.timeout)
        self._release.callback(relay.close)
        clock = Clock(loop.time, time.time)
        directory, table = runtime.Directory(reading), LocationTable(writing)
        doors = Doors(directory, table, relay, clock, _token, self._spawn, self._spawn_later)
        parts = compose(configuration, self._secret, doors)
        gc.disable()  # it would look again and again at what lives as long as we do
        try:
            await parts.locations.load()
        except DatabaseUnavailable as error:  # systemd tries again; without them nobody could be called
            raise OSError(f"registrations cannot be loaded: {error}") from error
        finally:
            gc.enable()
        self._core = ProxyCore(parts)
        driver = Driver(self._core)
        self._core.progressed = driver.transmit
        self._release.callback(driver.close)
        self._listen(driver)
        commands = make_commands(self._core, parts.locations, time.time, _token)
        server = await xmlrpc.serve(commands, *configuration.xmlrpc.pair)
        self._release.callback(server.close)
        core = self._core
        scraped = await serve_metrics(lambda: metrics(core), configuration.metrics)
        self._release.callback(scraped.close)

    def _listen(self, driver: Driver) -> None:
        local = self._configuration.listen.pair
        udp = UdpSocket(
            local, lambda data, remote: driver.receive(data, Flow("udp", local, remote)), driver.transmit
        )
        self._release.callback(udp.close)
        driver.attach("udp", local, udp)
        driver.transmit()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _spawn_later(self, work: Coroutine[None, None, None]) -> None:
        asyncio.get_running_loop().call_later(GATHER, self._spawn, work)

    async def stop(self) -> None:
        """Stop listening, let started work end, leave the database."""
        for task in self._tasks:
            task.cancel()
        await self._release.aclose()

    def status(self) -> str:
        """Return what is alive now."""
        if self._core is None:
            return "starting"
        return f"{self._core.registrations} registrations, {self._core.transactions} transactions"


def _token() -> str:
    return secrets.token_hex(8)
