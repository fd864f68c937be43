"""The edge: our load-balancer and Kamailio under the same calls and registrations, CPU and memory.

phones (SIPp) ─► edge ─► inner element (a Kamailio, not measured) ─► edge ─► phones (SIPp)

Ours runs with its compiled module and, as another process, without. Each has one edge for calls and one for
registrations, and they get their load in turn. What a turn costs is counted from its load until its
transactions are forgotten, 32 s later: that is part of the bill.
"""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from bench import peers, report, sipp
from bench.daemons import Daemon, is_bound, running
from bench.report import Metric
from bench.sipp import Address, Load, written

PAIRS: Final = 5
CALLS: Final = Load("call", count=1500, rate=150)
REGISTRATIONS: Final = Load("register", count=3000, rate=300)
#: The highest good ratios of CPU time: with the compiled module, and in Python alone.
TARGET: Final = 0.75
PURE_TARGET: Final = 1.5
#: Seconds after the last message until a transaction is forgotten (64 * T1, RFC 3261 §17), and some.
FORGOTTEN: Final = 33.0
#: Phones of each edge; each run of a scenario is about the next one.
PHONES: Final = 500

INNER: Final = ("127.60.0.2", 5062)
CALLERS: Final = ("127.60.0.4", 6060)
CALLEES: Final = ("127.60.0.3", 7070)
KAMAILIO: Final = Path(__file__).parent / "kamailio"
SOURCE: Final = Path(__file__).parents[1] / "src"
#: Of Kamailio's allocators the one that makes it twice as fast as its default.
FAST_ALLOCATOR: Final = ("-x", "fm", "-X", "fm")
SECRET: Final = "5a" * 32
#: Runs our load-balancer without its compiled module.
PURE: Final = """
import sys
sys.modules["ngcp_speed"] = None
from ngcp.lb.__main__ import main
sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one edge has its sockets and its files."""

    number: int
    directory: Path

    @property
    def public(self) -> Address:
        """The socket that phones see."""
        return f"127.60.{self.number}.1", 5060

    @property
    def internal(self) -> Address:
        """The socket that the inner element sees."""
        return f"127.60.{self.number}.2", 5060

    @property
    def phones(self) -> Path:
        """The file of its phones' names."""
        return self.directory / f"{self.number}.csv"

    def is_ready(self) -> bool:
        """Whether an edge serves here."""
        return is_bound(self.public) and is_bound(self.internal)


@dataclass(slots=True)
class Edge:
    """One load-balancer under measurement."""

    place: Place
    daemon: Daemon
    ended: float = 0.0
    """When its last load ended."""
    readings: list[float] = field(default_factory=list)
    """CPU seconds used before each load, and after the last one."""

    def run(self, load: Load) -> None:
        """Take one turn."""
        self.read()
        sipp.apply(load, CALLERS, self.place.public, self.place.phones)
        self.ended = time.monotonic()

    def read(self) -> None:
        """Take a reading once the last load is forgotten."""
        time.sleep(max(0.0, self.ended + FORGOTTEN - time.monotonic()))
        self.readings.append(self.daemon.cpu_seconds())

    def costs(self, load: Load) -> list[float]:
        """Return CPU µs a call or a registration, turn by turn; the first one was for warming up."""
        turns = list(zip(self.readings, self.readings[1:], strict=False))[1:]
        return [(after - before) / load.count * 1e6 for before, after in turns]


class Edges(NamedTuple):
    """The edges that get the same load."""

    ours: Edge
    pure: Edge
    peer: Edge


class Bench:
    """All daemons of the measurement, as long as its `stack` is open."""

    def __init__(self, directory: Path, stack: contextlib.ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self._kamailio = peers.fetch("kamailio")

    def inner(self) -> None:
        """Start the element behind the edges."""
        self._start_kamailio("inner", Place(0, self._directory), lambda: is_bound(INNER))

    def edges(self, number: int) -> Edges:
        """Start one edge of ours with the compiled module, one without, and one of the peer's."""
        places = [Place(number + offset, self._directory) for offset in range(3)]
        for place in places:
            sipp.write_names(place.phones, [f"phone{place.number}x{phone}" for phone in range(PHONES)])
        ours, pure, peer = places
        return Edges(
            Edge(ours, self._start_ours(ours)),
            Edge(pure, self._start_ours(pure, is_pure=True)),
            Edge(peer, self._start_kamailio("edge", peer, peer.is_ready)),
        )

    def _start_ours(self, place: Place, *, is_pure: bool = False) -> Daemon:
        configuration = {
            "public": dict(zip(("address", "port"), place.public, strict=True)),
            "internal": {"address": place.internal[0], "port": place.internal[1], "xmlrpc_port": 5060},
            "proxies": [dict(zip(("address", "port"), INNER, strict=True))],
            "security": {"dos_whitelisted_subnets": ["127.60.0.0/16"]},
        }
        path = self._directory / f"{place.number}.yml"
        path.write_text(yaml.safe_dump(configuration))
        (self._directory / "secret").write_text(SECRET)
        program = ["-c", PURE] if is_pure else ["-m", "ngcp.lb"]
        command = [sys.executable, *program, "--config", str(path)]
        environment = {"PYTHONPATH": str(SOURCE), "CREDENTIALS_DIRECTORY": str(self._directory)}
        log = self._directory / f"ours-{place.number}.log"
        return self._stack.enter_context(running(command, log, place.is_ready, {**os.environ, **environment}))

    def _start_kamailio(self, name: str, place: Place, is_ready: Callable[[], bool]) -> Daemon:
        path = self._directory / f"{name}-{place.number}.cfg"
        path.write_text(self._configure((KAMAILIO / f"{name}.cfg").read_text(), place))
        run = self._directory / f"run-{place.number}"
        run.mkdir()
        process = [self._kamailio.program("kamailio"), "-f", str(path), "-DD", "-E", "-Y", str(run)]
        memory = ["-m", "256", "-M", "16", *FAST_ALLOCATOR]
        log = path.with_suffix(".log")
        return self._stack.enter_context(
            running([*process, *memory], log, is_ready, self._kamailio.environment)
        )

    def _configure(self, text: str, place: Place) -> str:
        places = {
            "MODULES": f"{self._kamailio.libraries}/kamailio/modules/",
            "INTERNAL_HOST": place.internal[0],
            "INTERNAL": written(place.internal),
            "PUBLIC": written(place.public),
            "INNER_HOST": INNER[0],
            "INNER": written(INNER),
        }
        for name, value in places.items():
            text = text.replace(f"@{name}@", value)
        return text


def measure(directory: Path, stack: contextlib.ExitStack) -> list[Metric]:
    """Start everything and let the edges take turns."""
    bench = Bench(directory, stack)
    bench.inner()
    calls, registrations = bench.edges(10), bench.edges(20)
    for edge in calls:  # from where they will be called
        sipp.apply(Load("register", PHONES, 250), CALLEES, edge.place.public, edge.place.phones)
        edge.ended = time.monotonic()
    stack.enter_context(sipp.answering(CALLEES, directory))
    for turn in range(PAIRS + 1):
        print(f"turn {turn} of {PAIRS}{'' if turn else ': warming up'}", flush=True)
        for edges, load in ((calls, CALLS), (registrations, REGISTRATIONS)):
            for edge in edges:
                edge.run(load)
    metrics = []
    for name, edges, load in (("call", calls, CALLS), ("registration", registrations, REGISTRATIONS)):
        for edge in edges:
            edge.read()
        for suffix, ours, target in (("", edges.ours, TARGET), ("-pure", edges.pure, PURE_TARGET)):
            costs = zip(ours.costs(load), edges.peer.costs(load), strict=True)
            metrics.append(Metric(f"cpu-us-per-{name}{suffix}", tuple(costs), target))
            memory = ours.daemon.pss() / 2**20, edges.peer.daemon.pss() / 2**20
            metrics.append(Metric(f"pss-mib-after-{name}s{suffix}", (memory,)))
    return metrics


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    with tempfile.TemporaryDirectory(prefix="bench-lb-") as name, contextlib.ExitStack() as stack:
        metrics = measure(Path(name), stack)
    return report.publish("lb", metrics, "kamailio")
