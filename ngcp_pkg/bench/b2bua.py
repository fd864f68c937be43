"""The back-to-back user agent: ours beside Sippy's, the plain relay of two legs in Python.

callers, as the proxy (SIPp) ─► back-to-back user agent ─► callees, as the proxy (SIPp)

Ours also filters headers, keeps a registry of calls and watches their length; Sippy's logs nothing.
"""

import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from bench import peers, report, sipp
from bench.daemons import SOURCE, Daemon, is_bound, running
from bench.report import Metric
from bench.sipp import Address, Load, LoadFailed

PAIRS: Final = 5
CALLS: Final = Load("call-two-legs", count=1000, rate=100)
#: The highest good ratio of CPU time, and the most kilobytes that a call may hold.
TARGET: Final = 0.33
KILOBYTES: Final = 20.0
#: Calls that are alive at a time where memory is measured, and seconds for which each one lasts.
CONCURRENT: Final = Load("call-two-legs", count=2000, rate=100, pause=75.0)
#: Seconds after the last message until a transaction is forgotten (64 * T1, RFC 3261 §17), and some.
FORGOTTEN: Final = 34.0
#: The highest rate is looked for from here, by steps of a fifth, each held for so many seconds.
FIRST_RATE: Final = 100
GROWTH: Final = 1.2
SECONDS: Final = 8

VERSION: Final = "2.5.0"
CALLERS: Final = ("127.63.0.1", 6060), ("127.63.0.1", 6061)
CALLEE: Final = ("127.63.0.2", 5062)
OURS: Final = ("127.63.1.1", 5080)
PEER: Final = ("127.63.2.1", 5080)


@dataclass(slots=True)
class Side:
    """One back-to-back user agent under measurement."""

    socket: Address
    daemon: Daemon
    caller: Address
    """Where its calls come from."""
    costs: list[float] = field(default_factory=list)
    """CPU µs a call, turn by turn; the first one is for warming up."""
    rate: int = 1
    """Calls a second that it held."""
    kilobytes: float = 0.0
    """Memory a call, once its transactions are forgotten."""

    def apply(self, load: Load, names: Path) -> None:
        """Put a load on it."""
        sipp.apply(load, self.caller, self.socket, names)

    def race(self, names: Path) -> None:
        """Find the highest rate that is held without a failed call."""
        rate = FIRST_RATE
        with contextlib.suppress(LoadFailed):
            while True:
                self.apply(Load("call-two-legs", rate * SECONDS, rate), names)
                print(f"{self.daemon.name} held {rate} calls/s", flush=True)
                self.rate, rate = rate, int(rate * GROWTH)


def run(both: Sequence[Side], names: Path) -> None:
    """Let each take a turn, until the transactions of both are forgotten."""
    before = [side.daemon.cpu_seconds() for side in both]
    for side in both:
        side.apply(CALLS, names)
    time.sleep(FORGOTTEN)
    for side, seconds in zip(both, before, strict=True):
        side.costs.append((side.daemon.cpu_seconds() - seconds) / CALLS.count * 1e6)


def hold(both: Sequence[Side], names: Path) -> None:
    """Measure what calls hold that are answered, and nothing else."""
    before = [side.daemon.pss() for side in both]
    loads = [threading.Thread(target=side.apply, args=(CONCURRENT, names)) for side in both]
    for load in loads:
        load.start()
    time.sleep(CONCURRENT.seconds + FORGOTTEN)
    for side, octets in zip(both, before, strict=True):
        side.kilobytes = (side.daemon.pss() - octets) / CONCURRENT.count / 1024
    for load in loads:
        load.join()
    time.sleep(FORGOTTEN)


@contextlib.contextmanager
def sides(directory: Path) -> Iterator[tuple[Side, Side]]:
    """Run both, and the callees, for the time of a `with`."""
    with (
        sipp.answering(CALLEE, directory),
        _run_ours(directory) as ours,
        _run_peer(directory) as peer,
    ):
        yield Side(OURS, ours, CALLERS[0]), Side(PEER, peer, CALLERS[1])


def _run_ours(directory: Path) -> contextlib.AbstractContextManager[Daemon]:
    places = {"listen": OURS, "control": (OURS[0], 5040), "xmlrpc": (OURS[0], 8090), "proxy": CALLEE}
    path = directory / "sems.yml"
    path.write_text(yaml.safe_dump({name: {"address": at[0], "port": at[1]} for name, at in places.items()}))
    command = [sys.executable, "-m", "ngcp.b2bua", "--config", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return running(command, directory / "ours.log", lambda: is_bound(OURS), environment)


def _run_peer(directory: Path) -> contextlib.AbstractContextManager[Daemon]:
    sippy = peers.fetch_python("sippy", VERSION)
    place = ["-f", "-l", PEER[0], "-p", str(PEER[1]), "-n", sipp.written(CALLEE)]
    command = [str(sippy / "bin/b2bua_simple"), *place, "-L", os.devnull]
    environment = {**os.environ, "SIPLOG_BEND": "none", "SIPLOG_LVL": "CRIT"}
    return running(command, directory / "sippy.log", lambda: is_bound(PEER), environment)


def measure(directory: Path) -> list[Metric]:
    """Let them take turns."""
    names = directory / "calls.csv"
    sipp.write_names(names, [f"43720{number};{sipp.written(CALLEE)}" for number in range(20_000, 21_000)])
    with sides(directory) as both:
        ours, peer = both
        for turn in range(PAIRS + 1):
            print(f"turn {turn} of {PAIRS}{'' if turn else ': warming up'}", flush=True)
            run(both, names)
        hold(both, names)
        for side in both:
            side.race(names)
    return [
        Metric("cpu-us-per-call", tuple(zip(ours.costs[1:], peer.costs[1:], strict=True)), TARGET),
        Metric("seconds-per-1000-calls", ((1000 / ours.rate, 1000 / peer.rate),)),
        Metric(f"kib-per-call-of-{CONCURRENT.count}", ((ours.kilobytes, peer.kilobytes),)),
        Metric.within("kib-per-call", [ours.kilobytes], KILOBYTES),
    ]


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    with tempfile.TemporaryDirectory(prefix="bench-b2bua-") as name:
        metrics = measure(Path(name))
    return report.publish("b2bua", metrics, "sippy")
