"""The media relay with its sockets and clock: what `ngcp-rtpengine-daemon` runs."""

import asyncio
import contextlib
import logging
import random
import resource
import time
from typing import Final

from ngcp.net.udp import UdpSocket

from .calls import Calls, Policy
from .config import Configuration
from .control import Control
from .flows import Address
from .ports import PortPool
from .report import Reporter
from .userspace import UserspacePlane

#: Seconds between two looks for dead calls.
TICK: Final = 1.0
#: Descriptors beside those of media: control, epoll, standard streams, the event loop's own.
SPARE_DESCRIPTORS: Final = 64

_log = logging.getLogger(__name__)


class MediaRelayService:
    """The running daemon (a `ngcp.service.frame.Service`)."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._plane = UserspacePlane()
        # An order that nobody can guess: whoever sprays our ports does not know where the next call is.
        even_ports = random.SystemRandom().sample(configuration.even_ports, len(configuration.even_ports))
        self._pool = PortPool(configuration.interface, even_ports, self._plane)
        self._calls = Calls(
            Policy(
                configuration.interface,
                configuration.tos,
                configuration.timeout,
                configuration.silent_timeout,
            ),
            self._pool,
            self._plane,
        )
        self._control = Control(self._calls, Reporter(self._plane.counters, _unix_time))
        self._release = contextlib.ExitStack()

    async def start(self) -> None:
        """Listen for commands; media ports open with the calls that need them."""
        _allow_descriptors(2 * len(self._configuration.even_ports) + SPARE_DESCRIPTORS)
        _check_interface(self._configuration.interface)
        self._release.callback(self._plane.stop)
        self._plane.start(self._calls.learn)
        self._socket = UdpSocket(self._configuration.control, self._receive)
        self._release.callback(self._socket.close)
        ticking = asyncio.create_task(self._tick())
        self._release.callback(ticking.cancel)

    async def stop(self) -> None:
        """Let go of every socket; calls lose their media."""
        self._release.close()

    def status(self) -> str:
        """Return what is alive now."""
        return f"{len(self._calls)} calls, {len(self._pool)} port pairs free"

    def _receive(self, datagram: bytes, sender: Address) -> None:
        try:
            reply = self._control.receive(datagram, sender, time.monotonic())
        except Exception:  # the door of a worker: a bug in one command must not take all calls down
            _log.exception("command from %s:%d failed", *sender)
            return
        if reply.note:
            _log.warning("%s", reply.note)
        if reply.datagram is not None:
            self._socket.send(reply.datagram, sender)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                for call_id in self._calls.handle_timer(time.monotonic()):
                    _log.info("call %.100r ended: no media", call_id)
            except Exception:  # the door of a worker: dead calls must be looked for all the same next time
                _log.exception("looking for dead calls failed")


def _unix_time(moment: float) -> float:
    """Translate the monotonic clock; a corrected wall clock corrects what was before, too."""
    return time.time() - time.monotonic() + moment


def _check_interface(host: str) -> None:
    """Raise `OSError` now, rather than refuse every call, if the address is not ours."""
    try:
        UdpSocket((host, 0), lambda data, remote: None).close()
    except OSError as error:
        raise OSError(error.errno, f"INTERFACE {host}: {error.strerror}") from error


def _allow_descriptors(wanted: int) -> None:
    """Raise the limit of open files as far as we may: each port is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        _log.warning("LimitNOFILE %d allows fewer ports than configured (%d needed)", hard, wanted)
        wanted = hard
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
