"""Daemons under measurement: started, accounted for and ended by the benchmark."""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import accounting

#: Where our own daemons are.
SOURCE: Final = Path(__file__).parents[1] / "src"
START_WITHIN: Final = 20.0
STOP_WITHIN: Final = 10.0


class DaemonFailed(Exception):
    """A daemon did not start, or did not live."""


@dataclass(slots=True)
class Daemon:
    """A running daemon."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    pids: list[int] = field(default_factory=list)
    """All its processes, once it is ready."""
    ready_at: float = 0.0
    """When it was seen to serve (monotonic seconds)."""

    def seconds_waited(self) -> float:
        """Return how long its main thread was ready to run and others had the processors (proc(5))."""
        waited = Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[1]
        return int(waited) / 1e9

    def cpu_seconds(self) -> float:
        """Return the CPU time used so far."""
        return accounting.cpu_seconds(self.pids)

    def pss(self) -> int:
        """Return the memory in use, in bytes."""
        return accounting.pss(self.pids)

    def wait_until(self, is_ready: Callable[[], bool]) -> None:
        """Return once the daemon serves."""
        deadline = time.monotonic() + START_WITHIN
        while not is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise DaemonFailed(f"{self.name} does not serve: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)
        self.ready_at = time.monotonic()
        time.sleep(0.5)  # a daemon that forks has all its children by then
        self.pids = accounting.family(self.process.pid)

    def stop(self) -> None:
        """End the daemon, politely first."""
        self.process.terminate()
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running(
    command: Sequence[str],
    log: Path,
    is_ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
) -> Iterator[Daemon]:
    """Run a daemon for the time of a `with`; its output goes to `log`, whose name is the daemon's."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    daemon = Daemon(log.stem, process, log)
    try:
        daemon.wait_until(is_ready)
        yield daemon
    finally:
        daemon.stop()


def is_bound(address: tuple[str, int]) -> bool:
    """Whether some process listens on a UDP address, IPv4."""
    host, port = address
    packed = bytes(map(int, reversed(host.split("."))))  # proc(5) prints the address as a little-endian word
    return f" {packed.hex().upper()}:{port:04X} " in Path("/proc/net/udp").read_text()
