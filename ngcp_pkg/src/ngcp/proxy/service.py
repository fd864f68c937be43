"""The proxy with its sockets, database and clocks: what `kamailio-proxy` runs."""

import asyncio
import contextlib
import gc
import logging
import random
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Final, NamedTuple

from ngcp.net.driver import Driver
from ngcp.net.udp import UdpSocket
from ngcp.provisioning import runtime
from ngcp.provisioning.acc import AccTable
from ngcp.provisioning.line import Line
from ngcp.provisioning.location import LocationTable
from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.service import xmlrpc
from ngcp.service.config import ConfigError
from ngcp.service.credentials import Credential
from ngcp.service.metrics import serve_metrics
from ngcp.sip.core.digest import Authenticator
from ngcp.sip.core.gruu import Gruus
from ngcp.sip.core.nonces import Nonces
from ngcp.sip.core.proxy import StatefulProxy
from ngcp.sip.core.registrar import Registrar
from ngcp.sip.transport import Flow
from ngcp.sip.transport.flow import Address, format_address
from ngcp.state import line as state

from . import archive, media, passes
from .answers import Answers
from .applications import Applications
from .batches import Spawn
from .books import Books
from .codes import Codes
from .config import Configuration
from .control import make_commands
from .core import ProxyCore
from .corridor import Corridor
from .credit import Credits
from .dialogs import Dialogs
from .directory import Directory, Source, Terms
from .edge import Edge
from .facts import Gatherer
from .floor import Floor
from .hangup import HangUp
from .ledger import Ledger
from .ledger import Terms as LedgerTerms
from .locations import Locations, Table
from .metrics import metrics
from .mirror import Mirror
from .parts import Clock, Parts, Signer
from .passes import Passes
from .pings import Pings
from .probes import Probes

_log = logging.getLogger(__name__)

#: The account at MariaDB, which is also our system user: the socket tells who we are.
ACCOUNT: Final = "kamailio-proxy"

#: Seconds for which a registration waits for others to be stored with it: no phone notices, and at 400 a
#: second eight of them share a statement.
GATHER: Final = 0.02


class Doors(NamedTuple):
    """What the proxy meets outside itself; flow tests bring doors of their own."""

    directory: Source
    locations: Table
    acc: archive.Table
    redis: state.Store
    media_relay: media.Relay
    clock: Clock
    ids: Callable[[], str]
    """Unguessable tokens."""
    spawn: Spawn
    """Starts a coroutine."""
    spawn_later: Spawn
    """Starts a coroutine after a moment, in which more of the same can gather."""
    draw: Callable[[], float] = random.random
    """Random numbers from 0 up to 1."""


def compose(configuration: Configuration, secret: bytes, doors: Doors) -> Parts:
    """Put a proxy together."""
    registrar = Registrar(configuration.registrar, doors.ids)
    edge = Edge(configuration.listen.pair, configuration.load_balancer.sockets)
    nonces = _nonces(configuration, secret, doors)
    pings = Pings(configuration.keepalive, registrar, secret, edge)
    directory = _directory(configuration, doors)
    probes = Probes(configuration.peer_probes, directory, edge, doors.ids)
    floor = Floor(
        directory,
        Authenticator(nonces, configuration.digest_algorithms),
        registrar,
        Gruus(secret, registrar),
        Dialogs(secret, configuration.listen.pair),
        edge,
        configuration.ring_timeout,
        _applications(configuration),
        doors.draw,
        probes.is_down,
        _codes(configuration),
    )
    engine = StatefulProxy(doors.ids, server=configuration.server_header)
    ledger = _ledger(configuration, doors, floor.credits)
    anchor = media.Media(doors.media_relay, ledger.conclude)
    ledger.hang_up = HangUp(engine, floor, anchor, doors.spawn, doors.clock.monotonic)
    return Parts(
        engine,
        Corridor(_gatherer(floor), floor, ledger.record_refusal),
        Locations(registrar, doors.locations, doors.spawn_later),
        anchor,
        ledger,
        _passes(configuration, doors, engine, floor, ledger),
        pings,
        probes,
        configuration.keepalive.interval,
        doors.clock,
        doors.spawn,
        Answers(configuration.server_header, doors.ids()),
        (nonces, floor.gruus, floor.dialogs, pings),
    )


def _gatherer(floor: Floor) -> Gatherer:
    return Gatherer(floor.directory, floor.authenticator, floor.applications.addresses)


def _directory(configuration: Configuration, doors: Doors) -> Directory:
    terms = Terms(configuration.memory_lifetime, doors.clock.monotonic, doors.spawn)
    return Directory(doors.directory, terms)


def _nonces(configuration: Configuration, secret: bytes, doors: Doors) -> Nonces:
    return Nonces(secret, doors.ids, lifetime=configuration.nonce_expire, now=doors.clock.unix())


def _applications(configuration: Configuration) -> Applications:
    elements = configuration.app_server.pair, configuration.b2bua.pair
    numbers = configuration.voicemail_number, configuration.voicemail_access_number
    return Applications.of(configuration.listen.pair, *elements, *numbers)


def _passes(
    configuration: Configuration, doors: Doors, engine: StatefulProxy, floor: Floor, ledger: Ledger
) -> Passes:
    terms = passes.Terms(
        floor.applications,
        floor.dialogs,
        doors.ids,
        doors.clock.monotonic,
        configuration.max_call_duration,
        configuration.b2bua.bypass,
    )
    made = Passes(engine, terms)
    made.lost = ledger.note_loss
    return made


def _codes(configuration: Configuration) -> Codes:
    return Codes.of(configuration.service_codes, configuration.block_override_code)


def _ledger(configuration: Configuration, doors: Doors, credits: Credits) -> Ledger:
    clock = doors.clock
    own_route = f"<sip:{format_address(configuration.listen.pair)};"
    spare = 0.0 if configuration.b2bua.bypass else passes.NET
    return Ledger(
        Books(
            Mirror(doors.redis, configuration.redis.databases, doors.spawn_later),
            archive.Archive(doors.acc, doors.spawn_later),
        ),
        LedgerTerms(clock.monotonic, clock.unix, own_route, configuration.max_call_duration, spare),
        credits,
    )


class ProxyService:
    """The running daemon (a `ngcp.service.frame.Service`)."""

    def __init__(self, configuration: Configuration, read_secret: Callable[[], Credential]) -> None:
        """`read_secret` reads it again, or raises `ConfigError`."""
        self._configuration = configuration
        self._read_secret = read_secret
        self._credential = read_secret()
        self._signers: tuple[Signer, ...] = ()
        self._tasks: set[asyncio.Task[None]] = set()
        self._release = contextlib.AsyncExitStack()
        self._core: ProxyCore | None = None
        self._ledger: Ledger | None = None

    async def start(self) -> None:
        """Load the registrations, then listen."""
        configuration, loop = self._configuration, asyncio.get_running_loop()
        database = configuration.database
        reading, writing, recording = (Line(database.socket, ACCOUNT, database.timeout) for _ in range(3))
        for line in (reading, writing, recording):
            self._release.callback(line.close)
        relay = media.NgClient(configuration.media_relay.pair, _token, configuration.media_relay.timeout)
        self._release.callback(relay.close)
        clock = Clock(loop.time, time.time)
        directory, table = runtime.Directory(reading), LocationTable(writing)
        redis = state.Line(
            configuration.redis.pair, configuration.redis.databases.own, _token, configuration.redis.timeout
        )
        self._release.push_async_callback(redis.close)
        doors = Doors(
            directory, table, AccTable(recording), redis, relay, clock, _token, self._spawn, self._spawn_later
        )
        parts = self._compose(doors)
        gc.disable()  # it would look again and again at what lives as long as we do
        try:
            await parts.locations.load()
        except DatabaseUnavailable as error:  # systemd tries again; without them nobody could be called
            raise OSError(f"registrations cannot be loaded: {error}") from error
        finally:
            gc.enable()
        self._ledger = parts.ledger
        await parts.ledger.settle()
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

    def _compose(self, doors: Doors) -> Parts:
        parts = compose(self._configuration, self._credential.secret, doors)
        self._signers = parts.signers
        self._rekey()
        return parts

    def reload(self) -> None:
        """Read the secret anew (SIGHUP)."""
        try:
            self._credential = self._read_secret()
        except ConfigError as error:
            _log.error("the old secret stays in use: %s", error)
        self._rekey()

    def _rekey(self) -> None:
        for signer in self._signers:
            signer.rekey(self._credential.secret, self._credential.earlier)

    def _listen(self, driver: Driver) -> None:
        local = self._configuration.listen.pair
        udp = UdpSocket(
            local, lambda data, remote: driver.receive(data, Flow("udp", local, remote)), driver.transmit
        )
        self._release.callback(udp.close)
        udp.watch(lambda remote: self._note_unreachable(driver, remote))
        driver.attach("udp", local, udp)
        driver.transmit()

    def _note_unreachable(self, driver: Driver, remote: Address) -> None:
        if self._core is not None:
            self._core.target_unreachable(remote, driver.now())
            driver.transmit()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _spawn_later(self, work: Coroutine[None, None, None]) -> None:
        asyncio.get_running_loop().call_later(GATHER, self._spawn, work)

    async def stop(self) -> None:
        """Stop listening, let started work end, leave the databases."""
        if self._ledger is not None:
            await self._ledger.settle()
        for task in self._tasks:
            task.cancel()
        await self._release.aclose()

    def status(self) -> str:
        """Return what is alive now."""
        if self._core is None:
            return "starting"
        core = self._core
        return f"{core.registrations} registrations, {core.transactions} transactions, {core.ledger.status}"


def _token() -> str:
    return secrets.token_hex(8)
