"""The mediator: CPU time that a call takes, from its records in Redis and MariaDB to its CDR.

There is no peer: the bound is what a core may spend on a call at 2,000 calls a second. Every record waits in
both stores, as the proxy leaves it; the servers' own time is not the mediator's.
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from bench import mariadb, redis, report
from bench.report import Metric
from ngcp.mediator.closing import Moment
from ngcp.mediator.core import Mediator, Terms
from ngcp.provisioning.acc import AccRow, AccTable
from ngcp.provisioning.line import Line
from ngcp.provisioning.mediation import MediationTables
from ngcp.state.acc import AccEntries
from ngcp.state.layout import Databases
from ngcp.state.line import Line as RedisLine

CALLS: Final = 5000
RUNS: Final = 3
#: Microseconds of a core that a call may take: 2,000 calls a second.
BOUND: Final = 500
PORTION: Final = 100
START: Final = 1_795_723_200
#: Seconds that a server may take for one statement.
PATIENCE: Final = 30.0
_DATABASES: Final = Databases()


def records(run: int) -> Iterator[AccRow]:
    """Yield the records of calls between subscribers, as the proxy writes them."""
    gpp = ["", ""] * 5
    common = {"s_id": "", "c_id": "", "lcr": 0, "gpp": gpp, "lnp_p": "", "lnp_t": "", "cc_quota": ""}
    for number in range(CALLS):
        caller, callee, began = f"43110{number % 500:04}", f"43119{number % 500:04}", START + number / 10
        source = common | {"uuid": f"{number % 500:036}", "u": caller, "d": "example.org", "a_id": 7}
        source |= {"cli": caller, "cli_out": caller, "clir": 0, "pau": "", "par": "", "s": "call"}
        source |= {"ip": "192.0.2.1", "t": began - 5, "cid": f"{run}-{number}", "pai": "", "ppi": ""}
        target = common | {"uuid": f"{number % 500 + 500:036}", "u": callee, "d": "example.org", "a_id": 8}
        target |= {"u_out": callee, "dialed": callee, "u_in": callee, "d_in": "example.org", "plu": 0}
        start = AccRow(
            *("INVITE", f"from{number}", f"to{number}", f"{run}-{number}@192.0.2.1", "200", "OK"),
            *("2026-11-26 20:00:00", f"{began:.3f}", json.dumps(source), json.dumps(target)),
            *(caller, "example.org", callee, callee, "example.org", "0"),
        )
        yield start
        yield start._replace(method="BYE", time_hires=f"{began + 60:.3f}", src_leg="", dst_leg="{}")


async def fill(table: AccTable, store: RedisLine, run: int) -> None:
    """Write what the proxy writes."""
    rows = records(run)
    while some := list(islice(rows, PORTION)):
        await table.save(some)
        await store.run([command for row in some for command in _DATABASES.save_record(row._asdict())])


async def measure(line: Line, address: tuple[str, int], run: int) -> tuple[float, float]:
    """Return the microseconds of CPU that a call took, and the seconds that all took."""
    store = RedisLine(address, _DATABASES.acc, lambda: os.urandom(8).hex(), PATIENCE)
    await store.open()
    await fill(AccTable(line), store, run)
    entries = AccEntries(_DATABASES.acc, _DATABASES.own)
    mediator = Mediator(MediationTables(line), (store, entries), Terms(21_600, 3600))
    cpu, wall = time.process_time(), time.monotonic()
    await mediator.work(Moment(wall, time.time()))
    used = (time.process_time() - cpu) / CALLS * 1e6, time.monotonic() - wall
    await store.close()
    if mediator.statistics["calls.ok"] != CALLS or len(mediator.pool):
        raise AssertionError(f"{CALLS} calls became {dict(mediator.statistics)}")
    return used


def main() -> int:
    """Run the benchmark."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-mediation-") as name,
        mariadb.serving(Path(name)) as database,
        redis.serving(Path(name)) as server,
    ):
        runs = asyncio.run(_measure_all(str(database.socket), server.address))
    for used, lasted in runs:
        print(f"{used:.0f} us of CPU a call, {CALLS / lasted:.0f} calls/s with both servers", flush=True)
    metrics = [Metric.within("cpu-us-per-call", [used for used, _ in runs], BOUND)]
    return report.publish("mediation", metrics, "bound")


async def _measure_all(socket: str, address: tuple[str, int]) -> list[tuple[float, float]]:
    line = Line(socket, "root" if os.geteuid() == 0 else os.environ["USER"], PATIENCE)
    try:
        return [await measure(line, address, run) for run in range(RUNS)]
    finally:
        line.close()
