"""The media relay with its sockets and clock: what `ngcp-rtpengine-daemon` runs."""

import asyncio
import contextlib
import datetime
import logging
import os
import random
import resource
import secrets
import time
import uuid
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Final

from ngcp.net.udp import UdpSocket
from ngcp.provisioning import line as database
from ngcp.provisioning.runtime.music import load_music
from ngcp.service import xmlrpc
from ngcp.service.errands import Errands
from ngcp.service.metrics import Metrics, serve_metrics
from ngcp.state.line import Line
from ngcp.state.media import RunningCalls

from .calls import Calls, Policy
from .commands import no_file, table
from .config import Configuration
from .control import Control
from .dtls import Identity
from .flows import Address, Binder
from .forwarding import Forwarding
from .guard import Guard
from .interfaces import Interfaces, group
from .jukebox import Shelf
from .keeper import Clock, Keeper, snapshots
from .memory import Memory
from .metrics import metrics
from .music import Jukebox
from .own_reports import OwnReports
from .planes import fast_plane
from .playing import Players
from .ports import PortPool
from .processing import Archive, Processing
from .report import Reporter
from .spool import SoundFiles, Spool
from .stream_control import StreamControl
from .switchboard import Switchboard
from .totals import Totals
from .userspace import UserspacePlane
from .view import View, make_commands

#: What no two boots of a system have in common (random(4)).
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
#: The account at MariaDB, which is also our system user: the socket tells who we are.
ACCOUNT: Final = "rtpengine"
#: Seconds that it may take to answer.
DATABASE_TIMEOUT: Final = 5.0
#: Seconds between two looks for dead calls.
TICK: Final = 1.0
#: Descriptors beside those of media: control, epoll, standard streams, the event loop's own.
SPARE_DESCRIPTORS: Final = 64

_log = logging.getLogger(__name__)


class MediaRelayService:
    """The running daemon (a `ngcp.service.frame.Service`)."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._userspace = UserspacePlane()
        ports = 2 * len(configuration.even_ports) * len(configuration.addresses)
        self._fast = fast_plane(configuration.forwarding, configuration.table, ports, self._userspace)
        self._plane = Forwarding(self._userspace, self._fast)
        identity = Identity(datetime.datetime.now(datetime.UTC))
        guard = Guard(self._plane, identity, os.urandom)
        self._music = _open_music(configuration)
        self._errands = Errands(lambda: None)
        self._release = contextlib.ExitStack()
        self._calls = _open_calls(configuration, self._userspace, guard, self._shelf())
        self._view = View(self._calls, self._plane)
        reporter = Reporter(self._plane, _unix_time)
        clock = Clock(BOOT.read_text().strip(), time.monotonic, time.time)
        written = snapshots(guard.secrets, identity)
        self._keeper = Keeper(self._calls, self._plane, self._userspace, written, clock)
        self._memory = _open_memory(configuration, self._keeper)
        commands = table(self._calls, reporter, self._view, _read_file(configuration))
        self._control = Control(commands, self._calls.totals.commands, self._keeper.mark)
        self._playing: asyncio.Task[None] | None = None

    def _shelf(self) -> Shelf:
        line, configuration = self._music, self._configuration
        fetch = None if line is None else partial(load_music, line)
        usual = configuration.music_on_hold or ""
        return Shelf(_read_file(configuration), usual, fetch, self._errands.spawn, time.monotonic)

    async def start(self) -> None:
        """Listen for commands; media ports open with the calls that need them."""
        hosts = self._calls.interfaces.ports()
        _allow_descriptors(2 * len(self._configuration.even_ports) * len(hosts) + SPARE_DESCRIPTORS)
        for host in hosts:
            _check_interface(host)
        self._release.callback(self._errands.close)
        if self._music is not None:
            self._release.callback(self._music.close)
        self._release.callback(self._userspace.stop)
        if self._fast is not None:
            self._release.callback(self._fast.close)
        self._check_planes()
        self._userspace.start(self._calls.learn)
        if self._memory is not None:
            await self._memory.turn()  # before anybody asks for ports that calls have had
            self._spawn(self._memory.keep())
        self._socket = UdpSocket(self._configuration.control, self._receive)
        self._release.callback(self._socket.close)
        if self._configuration.tcp_control is not None:
            stream = StreamControl(self._execute)
            self._release.callback(stream.close)
            await stream.listen(*self._configuration.tcp_control)
        await self._serve_operators()
        self._spawn(self._tick())
        self._release.callback(lambda: self._playing.cancel() if self._playing else None)

    async def _serve_operators(self) -> None:
        view = self._view
        if self._configuration.operators is not None:
            commands = make_commands(view, time.monotonic)
            server = await xmlrpc.serve(commands, *self._configuration.operators)
            self._release.callback(server.close)
        scraped = await serve_metrics(lambda: metrics(view), Metrics(self._configuration.metrics_port))
        self._release.callback(scraped.close)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        """Do `work` until the end."""
        task = asyncio.create_task(work)
        self._release.callback(task.cancel)

    async def stop(self) -> None:
        """Let go of every socket; calls lose their media until a next daemon takes them over."""
        if self._memory is not None:
            await self._memory.flush()
        self._release.close()

    def status(self) -> str:
        """Return what is alive now."""
        ports = len(self._calls.interfaces)
        kept = f", {self._memory.status}" if self._memory is not None else ""
        return f"{len(self._calls)} calls, {ports} port pairs free, {self._plane.status}{kept}"

    def _receive(self, datagram: bytes, sender: Address) -> None:
        reply = self._execute(datagram, sender)
        if reply is not None:
            self._socket.send(reply, sender)

    def _execute(self, message: bytes, sender: Address) -> bytes | None:
        try:
            reply = self._control.receive(message, sender, time.monotonic())
        except Exception:  # the door of a worker: a bug in one command must not take all calls down
            _log.exception("command from %s:%d failed", *sender)
            return None
        if reply.note:
            _log.warning("%s", reply.note)
        if self._calls.sound_due is not None and (self._playing is None or self._playing.done()):
            self._playing = asyncio.create_task(self._play())
        return reply.datagram

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                for call_id, cause in self._calls.handle_timer(time.monotonic()):
                    _log.info("call %.100r ended: %s", call_id, cause)
                    self._keeper.mark(call_id)
                self._check_planes()
            except Exception:  # the door of a worker: dead calls must be looked for all the same next time
                _log.exception("looking for dead calls failed")

    def _check_planes(self) -> None:
        change = self._plane.check()
        if change:
            _log.warning("%s", change)

    async def _play(self) -> None:
        """Send sounds in their time, until there are none."""
        while (due := self._calls.sound_due) is not None:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            try:
                self._calls.handle_sounds(time.monotonic())
            except Exception:  # the door of a worker: others hear theirs
                _log.exception("playing failed")


def _unix_time(moment: float) -> float:
    """Translate the monotonic clock; a corrected wall clock corrects what was before, too."""
    return time.time() - time.monotonic() + moment


def _open_memory(configuration: Configuration, keeper: Keeper) -> Memory | None:
    if configuration.store is None:
        return None
    place = RunningCalls(configuration.redis_db)
    line = Line(configuration.store, place.database, lambda: uuid.uuid4().hex, configuration.redis_timeout)
    return Memory(line, place, keeper)


def _read_file(configuration: Configuration) -> Callable[[str], bytes]:
    directory = configuration.sound_dir
    return SoundFiles(Path(directory)).read if directory else no_file


def _open_music(configuration: Configuration) -> database.Line | None:
    """Return the line to the sound sets."""
    if configuration.database is None:
        return None
    return database.Line(configuration.database, ACCOUNT, DATABASE_TIMEOUT)


def _open_calls(configuration: Configuration, binder: Binder, guard: Guard, jukebox: Jukebox) -> Calls:
    switchboard = Switchboard(
        guard,
        _open_interfaces(configuration, binder),
        Processing(
            guard.plane.send,
            configuration.listener,
            Players(guard.plane, _random),
            _archive(configuration),
            jukebox,
            OwnReports(guard.plane, _random, _unix_time, secrets.token_hex(8)),
        ),
        Totals(time.monotonic()),
        configuration.tos,
    )
    policy = Policy(
        configuration.timeout,
        configuration.silent_timeout,
        configuration.final_timeout or None,
        configuration.delete_delay,
    )
    return Calls(policy, switchboard)


def _archive(configuration: Configuration) -> Archive:
    """Return the place of recordings; a directory that is not there is said at the first call."""
    if configuration.recording_dir is None:
        return Archive()
    spool = Spool(Path(configuration.recording_dir), configuration.recording_longest, time.time)
    return Archive(spool.open, configuration.recording_mixed)


def _random(bits: int) -> int:
    return random.SystemRandom().getrandbits(bits)


def _open_interfaces(configuration: Configuration, binder: Binder) -> Interfaces:
    """Give each address ports in an order that nobody can guess.

    Whoever sprays our ports does not know where the next call is.
    """
    even_ports, chance = configuration.even_ports, random.SystemRandom()
    hosts = {host for _, host in configuration.addresses}
    pools = {host: PortPool(host, chance.sample(even_ports, len(even_ports)), binder) for host in hosts}
    return Interfaces(group(configuration.addresses), pools)


def _check_interface(host: str) -> None:
    """Raise `OSError` now, rather than refuse every call, if the address is not ours."""
    try:
        UdpSocket((host, 0), lambda data, remote: None).close()
    except OSError as error:
        raise OSError(error.errno, f"INTERFACES {host}: {error.strerror}") from error


def _allow_descriptors(wanted: int) -> None:
    """Raise the limit of open files as far as we may: each port is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        _log.warning("LimitNOFILE %d allows fewer ports than configured (%d needed)", hard, wanted)
        wanted = hard
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
