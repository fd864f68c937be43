"""A banned source: what each of its messages costs our load-balancer, and Kamailio with pike and htable.

attacker (a socket) ─► edge, which drops

Both ban the attacker for its first messages, by the same limit, and then drop the rest. The attacker sends no
faster than both can read; a message that the kernel drops all the same, because the machine is busy, costs
nobody anything and is not counted.
"""

import contextlib
import os
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import yaml

from bench import peers, report
from bench.daemons import Daemon, running
from bench.lb import FAST_ALLOCATOR, INNER, KAMAILIO, SECRET, SOURCE, Place
from bench.report import Metric
from bench.sipp import Address, written

PAIRS: Final = 5
#: Messages of a turn: a second of CPU time or so, of which a tick is a hundredth.
MESSAGES: Final = 150_000
#: The share of them that the kernel may drop.
LOST: Final = 0.05
#: Messages sent in a burst, and seconds from one burst to the next: 15,000 a second.
BURST: Final = 30
PAUSE: Final = 0.002
#: Seconds until all that was sent is read, and answered.
SETTLE: Final = 0.2
#: More than what is let pass before a ban, and less than what fits into a socket's buffer.
PRELUDE: Final = 120
#: So many times: pike needs more where a unit ends amid them.
PRELUDES: Final = 4
#: The highest good ratio of CPU time. Kamailio reads a message by one system call, parses what it needs of it
#: and runs a script; we read those that wait by one call, and pay for it being Python.
TARGET: Final = 1.5
ATTACKER: Final = ("127.60.0.66", 5060)

MESSAGE: Final = (
    "OPTIONS sip:{host} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.60.0.66:5060;branch=z9hG4bK{number};rport\r\n"
    'From: "sipvicious" <sip:100@1.1.1.1>;tag={number}\r\n'
    'To: "sipvicious" <sip:100@1.1.1.1>\r\n'
    "Call-ID: {number}\r\nCSeq: 1 OPTIONS\r\nContact: <sip:100@127.60.0.66:5060>\r\n"
    "Max-Forwards: 70\r\nUser-Agent: friendly-scanner\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n"
)


class NotDropped(Exception):
    """The edge answered, or did not read nearly everything: what was measured is not what was meant."""


class Attacker:
    """Somebody who scans one edge."""

    def __init__(self, edge: Address) -> None:
        self._edge = edge
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(ATTACKER)
        self._socket.connect(edge)
        self._socket.setblocking(False)
        self._messages = [MESSAGE.format(host=edge[0], number=number).encode() for number in range(BURST)]

    def send(self, count: int) -> int:
        """Send messages at the pace; return how many were answered."""
        due = time.monotonic()
        for _ in range(count // BURST):
            for message in self._messages:
                self._socket.send(message)
            due += PAUSE
            time.sleep(max(0.0, due - time.monotonic()))
        time.sleep(SETTLE)
        return self._answers()

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def _answers(self) -> int:
        answers = 0
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(65536):
                answers += 1
        return answers


def lost(address: Address) -> int:
    """Return how many datagrams the kernel dropped at a socket, IPv4 (proc(5))."""
    host, port = address
    name = f"{bytes(map(int, reversed(host.split('.')))).hex().upper()}:{port:04X}"
    for line in Path("/proc/net/udp").read_text().splitlines():
        fields = line.split()
        if fields[1] == name:
            return int(fields[-1])
    raise NotDropped(f"nobody listens at {written(address)}")


def turn(place: Place, daemon: Daemon) -> float:
    """Let the attacker have a turn; return the CPU µs that each message cost."""
    attacker = Attacker(place.public)
    try:
        before, lost_before = daemon.cpu_seconds(), lost(place.public)
        answers = attacker.send(MESSAGES)
        after = daemon.cpu_seconds()
    finally:
        attacker.close()
    unread = lost(place.public) - lost_before
    if answers or unread > MESSAGES * LOST:
        raise NotDropped(f"{daemon.name}: {answers} answers, {unread} messages not read")
    return (after - before) / (MESSAGES - unread) * 1e6


def provoke(place: Place) -> None:
    """Get the attacker banned."""
    attacker = Attacker(place.public)
    try:
        answers = [attacker.send(PRELUDE) for _ in range(PRELUDES)]
    finally:
        attacker.close()
    if answers[0] == 0 or answers[-1] != 0:
        raise NotDropped(f"{written(place.public)} answered {answers} of {PRELUDE} messages each")


def start_ours(place: Place, stack: contextlib.ExitStack) -> Daemon:
    """Start our load-balancer with its defaults."""
    configuration = {
        "public": dict(zip(("address", "port"), place.public, strict=True)),
        "internal": {"address": place.internal[0], "port": place.internal[1], "xmlrpc_port": 5060},
        "proxies": [dict(zip(("address", "port"), INNER, strict=True))],
    }
    path = place.directory / "ours.yml"
    path.write_text(yaml.safe_dump(configuration))
    (place.directory / "secret").write_text(SECRET)
    environment = {"PYTHONPATH": str(SOURCE), "CREDENTIALS_DIRECTORY": str(place.directory)}
    command = [sys.executable, "-m", "ngcp.lb", "--config", str(path)]
    log = place.directory / "ours.log"
    return stack.enter_context(running(command, log, place.is_ready, {**os.environ, **environment}))


def start_peer(place: Place, stack: contextlib.ExitStack) -> Daemon:
    """Start Kamailio."""
    kamailio = peers.fetch("kamailio")
    text = (KAMAILIO / "banned.cfg").read_text()
    text = text.replace("@MODULES@", f"{kamailio.libraries}/kamailio/modules/")
    text = text.replace("@PUBLIC@", written(place.public)).replace("@INTERNAL@", written(place.internal))
    path = place.directory / "peer.cfg"
    path.write_text(text)
    run = place.directory / "run"
    run.mkdir()
    program = kamailio.program("kamailio")
    command = [program, "-f", str(path), "-DD", "-E", "-Y", str(run), *FAST_ALLOCATOR]
    log = place.directory / "peer.log"
    return stack.enter_context(running(command, log, place.is_ready, kamailio.environment))


def measure(directory: Path, stack: contextlib.ExitStack) -> list[Metric]:
    """Let both have their turns, one after the other."""
    places = Place(30, directory), Place(31, directory)
    edges = [
        (place, start(place, stack)) for place, start in zip(places, (start_ours, start_peer), strict=True)
    ]
    for place, _ in edges:
        provoke(place)
    runs = []
    for number in range(PAIRS + 1):
        print(f"turn {number} of {PAIRS}{'' if number else ': warming up'}", flush=True)
        ours, peer = (turn(place, daemon) for place, daemon in edges)
        runs.append((ours, peer))
    return [Metric("cpu-us-per-dropped-message", tuple(runs[1:]), TARGET)]


def main() -> int:
    """Run the benchmark; 1 if the target is missed."""
    with tempfile.TemporaryDirectory(prefix="bench-banned-") as name, contextlib.ExitStack() as stack:
        metrics = measure(Path(name), stack)
    return report.publish("banned", metrics, "kamailio")
