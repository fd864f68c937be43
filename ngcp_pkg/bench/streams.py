"""RTP streams through a relay: `streams.c`, compiled when it is needed."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.sipp import Address

SOURCE: Final = Path(__file__).with_suffix(".c")
#: As there: stream n is that of port BASE + n % SOCKETS at both hosts.
BASE: Final = 7000
SOCKETS: Final = 16
CALLERS: Final = "127.60.5.10"
CALLEES: Final = "127.60.5.11"

#: The ports of a relay, or of whoever receives: facing the caller, facing the callee.
Ports = tuple[Address, Address]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the packets."""

    sent: int
    received: int
    refused: int
    """Of those sent, what the system did not take."""
    foreign: int
    """What came that is none of them."""
    seconds: float
    """From the first to the last."""
    p50: float
    """Half of those received were no longer under way, in µs."""
    p99: float
    """99 of 100 were no longer under way, in µs."""
    cpu: float
    """Seconds of CPU time to send and receive them."""

    @property
    def lost(self) -> float:
        """The share that did not arrive."""
        return 1 - self.received / self.sent

    @property
    def rate(self) -> float:
        """Packets a second."""
        return self.sent / self.seconds


def endpoints(number: int) -> Ports:
    """Return where the caller and the callee of a stream are."""
    return (CALLERS, BASE + number % SOCKETS), (CALLEES, BASE + number % SOCKETS)


def compiled(directory: Path) -> Path:
    """Return the program."""
    program = directory / "streams"
    subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", program, SOURCE], check=True)
    return program


def play(program: Path, ports: Sequence[Ports], seconds: float, interval: float = 0.02) -> Outcome:
    """Send a packet each way of every stream each `interval`."""
    lines = "".join(f"{a[0]} {a[1]} {b[0]} {b[1]}\n" for a, b in ports)
    command = [str(program), CALLERS, CALLEES, str(BASE), str(int(interval * 1e6)), str(seconds)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return Outcome(**json.loads(done.stdout))
