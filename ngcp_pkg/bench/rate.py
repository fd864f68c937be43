"""The highest rate of calls that an edge holds for half a minute without a failed call.

The load generators and the inner element share the machine's cores with the edge, so this is a rate of the
whole arrangement: where Kamailio's edge does not limit it, its number says what the rest can do.
"""

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Final

from bench import report, sipp
from bench.lb import CALLEES, CALLERS, PHONES, Bench, Edge
from bench.report import Metric
from bench.sipp import Load, LoadFailed

START: Final = 200
GROWTH: Final = 1.2
SECONDS: Final = 30


def highest(edge: Edge) -> int:
    """Return the highest rate, in calls a second, that `edge` held."""
    held, rate = 0, START
    while True:
        try:
            sipp.apply(Load("call", rate * SECONDS, rate), CALLERS, edge.place.public, edge.place.phones)
        except LoadFailed:
            return held
        print(f"{edge.daemon.name} held {rate} calls/s", flush=True)
        held, rate = rate, int(rate * GROWTH)
        time.sleep(5.0)


def main() -> int:
    """Run the benchmark: a ratio above 1 means that ours held less."""
    with tempfile.TemporaryDirectory(prefix="bench-rate-") as name, contextlib.ExitStack() as stack:
        bench = Bench(Path(name), stack)
        bench.inner()
        edges = bench.edges(30)
        for edge in edges:
            sipp.apply(Load("register", PHONES, 250), CALLEES, edge.place.public, edge.place.phones)
        stack.enter_context(sipp.answering(CALLEES, Path(name)))
        ours, pure, peer = (max(1, highest(edge)) for edge in edges)
    metrics = [
        Metric("seconds-per-1000-calls", ((1000 / ours, 1000 / peer),)),
        Metric("seconds-per-1000-calls-pure", ((1000 / pure, 1000 / peer),)),
    ]
    return report.publish("rate", metrics, "kamailio")
