"""Several processes of one daemon, its workers: the main one forks the others, and all end with any of them.

The main process, number 0, forks before it has a loop, a thread or a socket of its service. Each pair of
workers has a link for what they say to each other; what that is, is the daemon's. A lifeline joins each
worker and the main process: it ends when either does, and the worker's heartbeats go over it.
"""

import asyncio
import gc
import itertools
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

#: Workers of one daemon.
MAXIMUM: Final = 16
#: Seconds a worker may take until it serves.
START_WITHIN: Final = 60.0
#: Seconds a worker may take to end.
STOP_WITHIN: Final = 12.0
#: Seconds without a heartbeat, of which there is one every ten, after which a worker counts as stuck.
SILENCE: Final = 35.0

_log = logging.getLogger(__name__)


class WorkerLost(Exception):
    """A worker ended before it served."""


def cores() -> int:
    """Return how many cores we may use."""
    return len(os.sched_getaffinity(0))


def sockets_of(main: tuple[str, int], port: int) -> tuple[tuple[str, int], ...]:
    """Return the internal sockets of all workers there can be: `main`, then `port` and those above it."""
    host = main[0]
    return main, *((host, port + number) for number in range(MAXIMUM - 1))


class Crew:
    """The workers of a daemon, seen from one of them."""

    def __init__(self, size: int = 1) -> None:
        """Be the main process of `size`, before the others exist."""
        self.size = size
        self.number = 0
        self.links: dict[int, socket.socket] = {}
        """To each other worker: whole packets, in order, up to what the kernel keeps."""
        self.pids: dict[int, int] = {}
        """The main process knows those of the others."""
        self.is_broken = False
        """Whether a worker ended by itself."""
        self._lifelines: dict[int, socket.socket] = {}
        self._heard: dict[int, float] = {}
        self._is_over = False

    @property
    def is_main(self) -> bool:
        """Whether this is the main process."""
        return self.number == 0

    def muster(self) -> None:
        """Fork the others, each once the one before serves: their sockets are opened in order.

        Returns in each of them, and last in the main process; there it raises `WorkerLost`.
        """
        if self.size == 1:
            return
        gc.collect()
        gc.freeze()  # what is there now is shared: looking at it for garbage would copy it
        ends = _join(self.size)
        for number in range(1, self.size):
            ours, theirs = socket.socketpair()
            pid = os.fork()
            if pid == 0:
                ours.close()
                self._enlist(number, theirs, ends)
                return
            theirs.close()
            self.pids[number], self._lifelines[number] = pid, ours
            self._await(number)
        self.links = _keep(ends, 0)

    def _enlist(
        self, number: int, lifeline: socket.socket, ends: dict[tuple[int, int], socket.socket]
    ) -> None:
        """Become a worker: nothing that belongs to others stays open, or nobody would notice their end."""
        for other in self._lifelines.values():
            other.close()
        self.number, self.pids, self._lifelines = number, {}, {0: lifeline}
        self.links = _keep(ends, number)
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC"):  # systemd listens to the main process
            os.environ.pop(name, None)

    def _await(self, number: int) -> None:
        lifeline = self._lifelines[number]
        lifeline.settimeout(START_WITHIN)
        try:
            is_serving = bool(lifeline.recv(1))
        except TimeoutError as error:
            raise WorkerLost(f"worker {number} does not serve after {START_WITHIN:.0f} s") from error
        if not is_serving:
            raise WorkerLost(f"worker {number} does not serve: {_reap(self.pids.pop(number))}")
        self._heard[number] = time.monotonic()

    # While serving

    def beat(self) -> None:
        """As a worker, show the main process that the loop comes round; first when it serves."""
        if not self.is_main:
            with suppress(OSError):  # full: it does not look, and is no worse for that
                self._lifelines[0].send(b".", socket.MSG_DONTWAIT)

    def stuck(self) -> list[int]:
        """As the main process, return the workers whose heart stands still."""
        now = time.monotonic()
        return [number for number, heard in self._heard.items() if now > heard + SILENCE]

    def watch(self, stop: Callable[[], None]) -> None:
        """On the running loop, `stop` when the main process ends, or as that, when any worker does."""
        loop = asyncio.get_running_loop()
        for number, lifeline in self._lifelines.items():
            lifeline.setblocking(False)
            loop.add_reader(lifeline, self._hear, number, stop)

    def _hear(self, number: int, stop: Callable[[], None]) -> None:
        try:
            data = self._lifelines[number].recv(4096)
        except BlockingIOError:
            return
        except OSError:  # reset: the other ended with heartbeats unread
            data = b""
        if data:
            self._heard[number] = time.monotonic()
            return
        asyncio.get_running_loop().remove_reader(self._lifelines[number])
        if not self._is_over and self.is_main:
            self.is_broken = True
            _log.critical("worker %d ended, so do all: %s", number, _reap(self.pids.pop(number)))
        stop()

    def signal(self, number: signal.Signals) -> None:
        """As the main process, pass a signal on to the others."""
        for pid in self.pids.values():
            os.kill(pid, number)

    # The end

    def dismiss(self) -> None:
        """As the main process, tell the others to end."""
        self._is_over = True
        self.signal(signal.SIGTERM)

    def reap(self) -> None:
        """As the main process, when the loop is no more, see the others end; kill those that do not."""
        if not self._is_over:
            self.dismiss()
        deadline = time.monotonic() + STOP_WITHIN
        for number, pid in self.pids.items():
            if not self._ended(number, deadline):
                os.kill(pid, signal.SIGKILL)
            _reap(pid)
        self.pids.clear()

    def _ended(self, number: int, deadline: float) -> bool:
        lifeline = self._lifelines[number]
        with suppress(OSError):
            while (left := deadline - time.monotonic()) > 0:
                lifeline.settimeout(left)
                if not lifeline.recv(4096):
                    return True
        return False


def link() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a link: what is sent is a packet, and each packet arrives whole."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def _join(size: int) -> dict[tuple[int, int], socket.socket]:
    """Return the links of all pairs of workers: each end by whose it is, and where it leads."""
    ends = {}
    for pair in itertools.combinations(range(size), 2):
        ends[pair], ends[pair[::-1]] = link()
    return ends


def _keep(ends: dict[tuple[int, int], socket.socket], number: int) -> dict[int, socket.socket]:
    """Return the links of one worker; those of others are closed in this process."""
    for (own, _), end in ends.items():
        if own != number:
            end.close()
    return {other: end for (own, other), end in ends.items() if own == number}


def _reap(pid: int) -> str:
    """Return how a process ended."""
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    return f"exit status {code}" if code >= 0 else f"signal {-code}"
