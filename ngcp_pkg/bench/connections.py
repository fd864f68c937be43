"""Memory of a registered TCP connection at the edge: our load-balancer beside Kamailio.

Each phone opens a connection, registers over it with a digest, and stays. What counts is the proportional set
size before and after, divided by the connections; the kernel's memory is in neither.
"""

import contextlib
import hashlib
import os
import re
import resource
import socket
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from bench import peers, report
from bench.daemons import Daemon, is_bound, running
from bench.lb import FAST_ALLOCATOR, FORGOTTEN, INNER, KAMAILIO, SECRET, SOURCE, Place
from bench.report import Metric
from bench.sipp import Address, written

PAIRS: Final = 2
#: Connections that come in one go. All stay; the first ones also cost what is there once: memory of texts,
#: and room for as many transactions at a time.
BATCH: Final = 2500
#: Batches that are counted, after the first one.
BATCHES: Final = 2
#: Connections from one address.
PER_ADDRESS: Final = 50
#: Bytes that a connection may cost.
BOUND: Final = 4096
REALM: Final = "bench.test"

#: What Kamailio's edge needs to take connections, and to keep them.
TCP: Final = """disable_tcp=no
listen=tcp:@PUBLIC@
tcp_children=1
tcp_max_connections=20000
tcp_connection_lifetime=3610
tcp_accept_no_cl=no"""

REGISTER: Final = (
    "REGISTER sip:{realm} SIP/2.0\r\nVia: SIP/2.0/TCP {address};branch=z9hG4bK{user}x{cseq};rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:{user}@{realm}>;tag={user}\r\nTo: <sip:{user}@{realm}>\r\n"
    "Call-ID: {user}@{address}\r\nCSeq: {cseq} REGISTER\r\nContact: <sip:{user}@{address};transport=tcp>\r\n"
    "Expires: 3600\r\nUser-Agent: bench\r\n{authorization}Content-Length: 0\r\n\r\n"
)


class NotRegistered(Exception):
    """A phone was refused, or hung up on: what was measured is not what was meant."""


class Phone:
    """One registered connection."""

    def __init__(self, name: str, number: int, edge: Address) -> None:
        share = number // PER_ADDRESS
        self._user = f"{name}{number}"
        self._socket = socket.socket()
        self._socket.bind((f"127.70.{share // 250}.{share % 250 + 1}", 0))
        self._socket.settimeout(20.0)
        self._socket.connect(edge)
        self._address = written(self._socket.getsockname())

    def register(self) -> None:
        """Register: the challenge, and its answer."""
        challenge = self._ask(1, "")
        nonce = re.search(r'nonce="([^"]+)"', challenge)
        if nonce is None:
            raise NotRegistered(challenge)
        answer = self._ask(2, self._authorization(nonce[1]))
        if not answer.startswith("SIP/2.0 200"):
            raise NotRegistered(answer)

    def is_alive(self) -> bool:
        """Whether a ping has its answer (RFC 5626 §4.4.1)."""
        self._socket.sendall(b"\r\n\r\n")
        return self._socket.recv(16) == b"\r\n"

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _ask(self, cseq: int, authorization: str) -> str:
        words = {"realm": REALM, "user": self._user, "address": self._address, "cseq": cseq}
        self._socket.sendall(REGISTER.format(**words, authorization=authorization).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            received = self._socket.recv(65536)
            if not received:
                raise NotRegistered(f"{self._user}: the edge hung up")
            answer += received
        return answer.decode()

    def _authorization(self, nonce: str) -> str:
        uri = f"sip:{REALM}"
        secret, request = _md5(f"{self._user}:{REALM}:bench"), _md5(f"REGISTER:{uri}")
        response = _md5(f"{secret}:{nonce}:00000001:c:auth:{request}")
        return (
            f'Authorization: Digest username="{self._user}", realm="{REALM}", nonce="{nonce}", uri="{uri}", '
            f'qop=auth, nc=00000001, cnonce="c", response="{response}", algorithm=MD5\r\n'
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Reading:
    """What connections have cost one edge."""

    memory: float
    """Bytes a connection."""
    time: float
    """CPU µs a connection, its registration included."""


class Edges:
    """The daemons, as long as the `stack` is open."""

    def __init__(self, directory: Path, stack: contextlib.ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self._kamailio = peers.fetch("kamailio")

    def inner(self) -> Daemon:
        """Start the registrar behind the edges."""
        return self._start_kamailio("inner", Place(0, self._directory), INNER)

    def ours(self, place: Place) -> Daemon:
        """Start our load-balancer."""
        configuration = {
            "public": dict(zip(("address", "port"), place.public, strict=True)),
            "internal": {"address": place.internal[0], "port": place.internal[1]},
            "proxies": [dict(zip(("address", "port"), INNER, strict=True))],
            "security": {"dos_ban_enable": False},
        }
        path = self._directory / f"{place.number}.yml"
        path.write_text(yaml.safe_dump(configuration))
        (self._directory / "secret").write_text(SECRET)
        environment = {"PYTHONPATH": str(SOURCE), "CREDENTIALS_DIRECTORY": str(self._directory)}
        command = [sys.executable, "-m", "ngcp.lb", "--config", str(path)]
        log = self._directory / f"ours-{place.number}.log"
        return self._stack.enter_context(running(command, log, place.is_ready, {**os.environ, **environment}))

    def peer(self, place: Place) -> Daemon:
        """Start Kamailio as the edge."""
        return self._start_kamailio("edge", place, place.public)

    def _start_kamailio(self, name: str, place: Place, socket: Address) -> Daemon:
        text = (KAMAILIO / f"{name}.cfg").read_text()
        if name == "edge":
            text = text.replace("disable_tcp=yes", TCP)
        places = {
            "MODULES": f"{self._kamailio.libraries}/kamailio/modules/",
            "INTERNAL_HOST": place.internal[0],
            "INTERNAL": written(place.internal),
            "PUBLIC": written(place.public),
            "INNER": written(INNER),
        }
        for word, value in places.items():
            text = text.replace(f"@{word}@", value)
        path = self._directory / f"{name}-{place.number}.cfg"
        path.write_text(text)
        run = self._directory / f"run-{place.number}"
        run.mkdir()
        command = [self._kamailio.program("kamailio"), "-f", str(path), "-DD", "-E", "-Y", str(run)]
        memory = ["-m", "256", "-M", "16", *FAST_ALLOCATOR]
        environment = self._kamailio.environment
        log = path.with_suffix(".log")
        return self._stack.enter_context(
            running([*command, *memory], log, lambda: is_bound(socket), environment)
        )


def weigh(daemon: Daemon, edge: Address) -> Reading:
    """Let phones come, and look what they cost once their transactions are forgotten."""
    phones = _open(daemon.name, edge, 0)
    memory, spent = daemon.pss(), daemon.cpu_seconds()
    for batch in range(1, BATCHES + 1):
        phones += _open(daemon.name, edge, batch)
    count = BATCHES * BATCH
    cost = Reading((daemon.pss() - memory) / count, (daemon.cpu_seconds() - spent) / count * 1e6)
    if not all(phone.is_alive() for phone in phones[::100]):
        raise NotRegistered("a connection is gone")
    for phone in phones:
        phone.close()
    return cost


def _open(name: str, edge: Address, batch: int) -> list[Phone]:
    """Let a batch of phones register, and their transactions be forgotten."""
    phones = []
    for number in range(batch * BATCH, (batch + 1) * BATCH):
        phones.append(Phone(name, number, edge))
        phones[-1].register()
    time.sleep(FORGOTTEN)
    return phones


def measure(directory: Path) -> list[Metric]:
    """Weigh both edges in turn, each time new ones."""
    readings: list[tuple[Reading, Reading]] = []
    for turn in range(PAIRS):
        print(f"turn {turn + 1} of {PAIRS}", flush=True)
        (directory / str(turn)).mkdir()
        with contextlib.ExitStack() as stack:
            edges = Edges(directory / str(turn), stack)
            edges.inner()
            ours, peer = Place(30, directory), Place(31, directory)
            readings.append(
                (weigh(edges.ours(ours), ours.public), weigh(edges.peer(peer), peer.public)),
            )
    memory = [(ours.memory, peer.memory) for ours, peer in readings]
    return [
        Metric("pss-bytes-per-connection", tuple(memory)),
        Metric("pss-of-a-connection-to-4096", tuple((ours, float(BOUND)) for ours, _ in memory), 1.0),
        Metric("cpu-us-per-registered-connection", tuple((ours.time, peer.time) for ours, peer in readings)),
    ]


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="bench-connections-") as name:
        metrics = measure(Path(name))
    return report.publish("connections", metrics, "kamailio")
