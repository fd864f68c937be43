"""The media relay: our user space and rtpengine's under the same streams of G.711, and the same commands.

streams (a C program, both sides) ─► relay ─► streams; a proxy's commands (this program) ─► relay

Ours runs with its compiled module and, as another process, without; rtpengine without its kernel module. All
three hold the same calls and get media in turn.
"""

import contextlib
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import ng, peers, report, streams
from bench.daemons import SOURCE, Daemon, is_bound, running
from bench.report import Metric
from bench.sipp import Address, written
from bench.streams import Outcome, Ports

PAIRS: Final = 5
STREAMS: Final = (100, 500, 1000)
#: Of a turn. The peer learns for 3 s where packets come from, which is within the turn for warming up.
SECONDS: Final = 4.0
#: The highest good ratios of CPU time: with the compiled module, and in Python alone.
TARGET: Final = 0.5
PURE_TARGET: Final = 0.75
#: A share that counts as loss: of a machine that does something else for a while, too.
LOSS: Final = 0.001
#: The rate begins at a packet of each stream in so many seconds, and grows until some are lost.
START: Final = 0.05
GROWTH: Final = 1.15
RATE_SECONDS: Final = 2.0
RATE_PAIRS: Final = 3
#: Calls set up and ended in a turn, as many at a time.
CALLS: Final = 2000
ROUNDS: Final = 4

#: Of all processes of the measurement.
PRIORITY: Final = -15
PORTS: Final = (30000, 40000)
#: Runs our relay without its compiled modules.
PURE: Final = """
import sys
for name in ("ngcp_bencode", "ngcp_media", "ngcp_speed"):
    sys.modules[name] = None
from ngcp.rtpengine.__main__ import main
sys.exit(main())
"""


@dataclass(slots=True)
class Relay:
    """One relay under measurement."""

    daemon: Daemon
    client: ng.Client
    ports: list[Ports] = field(default_factory=list)

    def connect(self, count: int) -> None:
        """Set up the calls whose streams will come."""
        self.ports = self.client.connect([f"stream-{n}" for n in range(count)], streams.endpoints)

    def play(self, program: Path, count: int) -> tuple[float, Outcome]:
        """Relay `count` streams for a turn; return CPU µs a packet and what became of them."""
        before = self.daemon.cpu_seconds()
        outcome = streams.play(program, self.ports[:count], SECONDS)
        return (self.daemon.cpu_seconds() - before) / outcome.received * 1e6, outcome

    def highest(self, program: Path) -> float:
        """Return the highest rate, in packets a second, at which (nearly) nothing was lost."""
        held, interval = 1.0, START
        while True:
            outcome = streams.play(program, self.ports, RATE_SECONDS, interval)
            if outcome.lost > LOSS:
                return held
            held, interval = outcome.rate, interval / GROWTH

    def rush(self, turn: int) -> tuple[float, float]:
        """Set up and end calls; return µs a call, of the clock and of CPU time."""
        before, took = self.daemon.cpu_seconds(), 0.0
        for number in range(ROUNDS):
            calls = [f"rush-{turn}-{number}-{n}" for n in range(CALLS // ROUNDS)]
            took += self.client.rush(calls, streams.endpoints(0))
        return took / CALLS * 1e6, (self.daemon.cpu_seconds() - before) / CALLS * 1e6


@dataclass(slots=True)
class Bench:
    """The relays, as long as its `stack` is open."""

    directory: Path
    stack: contextlib.ExitStack

    def relays(self) -> list[Relay]:
        """Start ours with the compiled module, ours without, and the peer's."""
        return [
            self._ours("ours", "127.60.5.1", ["-m", "ngcp.rtpengine"]),
            self._ours("pure", "127.60.5.2", ["-c", PURE]),
            self._peer("rtpengine", "127.60.5.3"),
        ]

    def _ours(self, name: str, host: str, program: Sequence[str]) -> Relay:
        path, control = self.directory / f"{name}.conf", (host, 12222)
        path.write_text(
            f"INTERFACES={host}\nLISTEN_NG={written(control)}\nPORT_MIN={PORTS[0]}\nPORT_MAX={PORTS[1]}\n"
            f"SILENT_TIMEOUT=3600\nTIMEOUT=3600\n"
        )
        command = [sys.executable, *program, "--config", str(path)]
        return self._start(name, command, control, {**os.environ, "PYTHONPATH": str(SOURCE)})

    def _peer(self, name: str, host: str) -> Relay:
        rtpengine, control = peers.fetch("rtpengine-daemon"), (host, 12222)
        command = [rtpengine.program("rtpengine"), "--foreground", "--log-stderr", "--log-level=3"]
        command += ["--table=-1", f"--interface={host}", f"--listen-ng={written(control)}", "--tos=184"]
        command += [f"--port-min={PORTS[0]}", f"--port-max={PORTS[1]}", "--delete-delay=0"]
        command += ["--timeout=3600", "--silent-timeout=3600", "--offer-timeout=3600"]
        return self._start(name, command, control, rtpengine.environment)

    def _start(self, name: str, command: list[str], control: Address, environment: dict[str, str]) -> Relay:
        log = self.directory / f"{name}.log"
        daemon = self.stack.enter_context(running(command, log, lambda: is_bound(control), environment))
        client = ng.Client(control)
        self.stack.callback(client.close)
        return Relay(daemon, client)


def measure_streams(relays: Sequence[Relay], program: Path) -> list[Metric]:
    """Let the relays take turns, at each number of streams."""
    metrics = []
    for count in STREAMS:
        runs = []
        for turn in range(PAIRS + 1):
            bare = streams.play(program, [streams.endpoints(n)[::-1] for n in range(count)], SECONDS / 4)
            results = [relay.play(program, count) for relay in relays]
            _tell(f"{count} streams, turn {turn}", bare, relays, results)
            runs.append((bare, results))
        metrics += compare(count, runs[1:])
    return metrics


def _tell(title: str, bare: Outcome, relays: Sequence[Relay], results: list[tuple[float, Outcome]]) -> None:
    told = [
        f"{relay.daemon.name} {cpu:.1f} µs, lost {one.lost:.2%}, p50 {one.p50:.0f} µs, p99 {one.p99:.0f} µs"
        for relay, (cpu, one) in zip(relays, results, strict=True)
    ]
    print(f"{title}: bare p99 {bare.p99:.0f} µs; {'; '.join(told)}", flush=True)


def compare(count: int, runs: list[tuple[Outcome, list[tuple[float, Outcome]]]]) -> list[Metric]:
    """Judge turns: bare streams, then CPU µs a packet and outcome of each relay, the peer last."""
    metrics = []
    for place, suffix, target in ((0, "", TARGET), (1, "-pure", PURE_TARGET)):
        pairs = [(bare, results[place], results[-1]) for bare, results in runs]
        cpu = tuple((ours[0], peer[0]) for _, ours, peer in pairs)
        arrived = tuple(
            (one.sent / one.received, other.sent / other.received) for _, (_, one), (_, other) in pairs
        )
        p50 = tuple(
            (_added(one.p50, bare.p50), _added(other.p50, bare.p50)) for bare, (_, one), (_, other) in pairs
        )
        p99 = tuple(
            (_added(one.p99, bare.p99), _added(other.p99, bare.p99)) for bare, (_, one), (_, other) in pairs
        )
        metrics += [
            Metric(f"cpu-us-per-packet-{count}{suffix}", cpu, target),
            Metric(f"sent-per-received-{count}{suffix}", arrived, 1 + LOSS),
            Metric(f"added-us-p50-{count}{suffix}", p50),
            Metric(f"added-us-p99-{count}{suffix}", p99),
        ]
    return metrics


def _added(relayed: float, bare: float) -> float:
    return max(1.0, relayed - bare)


def measure_rates(relays: Sequence[Relay], program: Path) -> list[Metric]:
    """Find the rate at which each relay begins to lose packets, turn by turn."""
    turns = []
    for turn in range(RATE_PAIRS):
        turns.append([relay.highest(program) for relay in relays])
        print(
            f"packets a second without loss, turn {turn}: {', '.join(f'{rate:.0f}' for rate in turns[-1])}",
            flush=True,
        )
    return [
        Metric(
            f"us-per-packet-before-loss{suffix}",
            tuple((1e6 / rates[place], 1e6 / rates[-1]) for rates in turns),
            target,
        )
        for place, suffix, target in ((0, "", 1.0), (1, "-pure", None))
    ]


def measure_calls(relays: Sequence[Relay]) -> list[Metric]:
    """Set up and end calls turn by turn."""
    turns = []
    for turn in range(PAIRS + 1):
        turns.append([relay.rush(turn) for relay in relays])
        told = [
            f"{relay.daemon.name} {took:.0f} (CPU {cpu:.0f})"
            for relay, (took, cpu) in zip(relays, turns[-1], strict=True)
        ]
        print(f"µs a call, turn {turn}: {', '.join(told)}", flush=True)
    metrics = []
    for place, suffix, target in ((0, "", 1.0), (1, "-pure", None)):
        pairs = [(results[place], results[-1]) for results in turns[1:]]
        metrics += [
            Metric(f"us-per-call{suffix}", tuple((one[0], other[0]) for one, other in pairs), target),
            Metric(f"cpu-us-per-call{suffix}", tuple((one[1], other[1]) for one, other in pairs)),
        ]
    return metrics


def prefer(stack: contextlib.ExitStack) -> None:
    """Come before all else that the machine does, if we may: that would be loss and latency of ours."""
    group, usual = Path("/proc/self/autogroup"), os.getpriority(os.PRIO_PROCESS, 0)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
        stack.callback(os.setpriority, os.PRIO_PROCESS, 0, usual)
        before = group.read_text().split()[-1]
        group.write_text(
            str(PRIORITY)
        )  # where sessions are scheduled as one (sched(7)), a process alone gains nothing
        stack.callback(group.write_text, before)


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # for the daemons, too: each port is a file
    with tempfile.TemporaryDirectory(prefix="bench-relay-") as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        prefer(stack)
        program = streams.compiled(directory)
        relays = Bench(directory, stack).relays()
        metrics = measure_calls(relays)
        for relay in relays:
            relay.connect(max(STREAMS))
        metrics += measure_streams(relays, program) + measure_rates(relays, program)
    return report.publish("relay", metrics, "rtpengine")
