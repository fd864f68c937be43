"""Two workers beside one: what the busier of two costs for each registration of all, and the memory of both.

phones (SIPp, a socket each) ─► edge ─► inner element (a Kamailio, not measured)

How much a machine carries is decided by its busiest core. So capacity grows, from one worker to two, as much
as the CPU time of the single worker is more than that of the busier one of two, for the same load: 2.0 were
perfect balance without overhead. CPU time, not wall time: of two cores the phones take a part.
"""

import contextlib
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from bench import accounting, lb, report, sipp
from bench.daemons import Daemon, running
from bench.report import Metric
from bench.sipp import Load

PAIRS: Final = 5
#: From 2000 ports: by chance one worker gets up to 2 % more than half.
REGISTRATIONS: Final = Load("register", count=2000, rate=200, sockets="un")
#: The highest good ratio: 1.8 times the capacity.
TARGET: Final = 1 / 1.8


@dataclass(slots=True)
class Edge:
    """A load-balancer of so many workers."""

    place: lb.Place
    daemon: Daemon
    ended: float = 0.0
    """When its last load ended."""
    readings: list[list[float]] = field(default_factory=list)
    """CPU seconds of each worker before each load, and after the last one."""

    def run(self) -> None:
        """Take one turn."""
        self.read()
        turn = f"{self.place.number}x{len(self.readings)}"  # each phone once: it has a port of its own
        sipp.write_names(self.place.phones, [f"phone{turn}x{phone}" for phone in range(REGISTRATIONS.count)])
        sipp.apply(REGISTRATIONS, lb.CALLERS, self.place.public, self.place.phones)
        self.ended = time.monotonic()

    def read(self) -> None:
        """Take a reading once the last load is forgotten."""
        time.sleep(max(0.0, self.ended + lb.FORGOTTEN - time.monotonic()))
        self.readings.append([accounting.cpu_seconds([pid]) for pid in self.daemon.pids])

    def costs(self) -> list[list[float]]:
        """Return CPU µs a registration of each worker, turn by turn; the first one was for warming up."""
        turns = list(zip(self.readings, self.readings[1:], strict=False))[1:]
        return [
            [(late - early) / REGISTRATIONS.count * 1e6 for early, late in zip(before, after, strict=True)]
            for before, after in turns
        ]


def start(directory: Path, stack: contextlib.ExitStack, number: int, workers: int) -> Edge:
    """Start a load-balancer of ours."""
    place = lb.Place(number, directory)
    configuration = {
        "public": dict(zip(("address", "port"), place.public, strict=True)),
        "internal": {"address": place.internal[0], "port": place.internal[1], "xmlrpc_port": 5060},
        "proxies": [dict(zip(("address", "port"), lb.INNER, strict=True))],
        "security": {"dos_ban_enable": False, "failed_auth_ban_enable": False},
        "workers": workers,
    }
    path = directory / f"{number}.yml"
    path.write_text(yaml.safe_dump(configuration))
    (directory / "secret").write_text(lb.SECRET)
    environment = {**os.environ, "PYTHONPATH": str(lb.SOURCE), "CREDENTIALS_DIRECTORY": str(directory)}
    command = [sys.executable, "-m", "ngcp.lb", "--config", str(path)]
    log = directory / f"workers-{workers}.log"
    return Edge(place, stack.enter_context(running(command, log, place.is_ready, environment)))


def measure(directory: Path, stack: contextlib.ExitStack) -> list[Metric]:
    """Start everything and let both take turns."""
    lb.Bench(directory, stack).inner()
    one, two = (start(directory, stack, 50 + workers, workers) for workers in (1, 2))
    for turn in range(PAIRS + 1):
        print(f"turn {turn} of {PAIRS}{'' if turn else ': warming up'}", flush=True)
        for edge in (two, one):
            edge.run()
    for edge in (two, one):
        edge.read()
    single = [sum(costs) for costs in one.costs()]
    busier, both = [max(costs) for costs in two.costs()], [sum(costs) for costs in two.costs()]
    memory = two.daemon.pss() / 2**20, one.daemon.pss() / 2**20
    return [
        Metric("busiest-worker-cpu-us-per-registration", tuple(zip(busier, single, strict=True)), TARGET),
        Metric("all-workers-cpu-us-per-registration", tuple(zip(both, single, strict=True))),
        Metric("pss-mib", (memory,)),
    ]


def main() -> int:
    """Run the benchmark; 1 if two workers carry less than 1.8 times what one does."""
    with tempfile.TemporaryDirectory(prefix="bench-workers-") as name, contextlib.ExitStack() as stack:
        metrics = measure(Path(name), stack)
    print(f"two workers carry {1 / metrics[0].ratio:.2f} times what one does")
    return report.publish("workers", metrics, "one worker")
