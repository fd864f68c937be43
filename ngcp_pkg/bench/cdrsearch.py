"""CDRs: how long it takes to find somebody's among ten million of a year.

A year's calls of ten thousand subscribers, whose rows lie as on a node: by months, each call's next to those
of others at the same time. Each search is for another subscriber: little of what it needs is in memory. What
is judged is CPU time, MariaDB's and ours; how long it takes is told, since a busy machine decides that.
"""

import asyncio
import getpass
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.dialects import mysql
from sqlalchemy.ext.asyncio import AsyncEngine

from bench import mariadb, report
from bench.mariadb import Database
from bench.report import Metric
from ngcp.provisioning.cdrs import Search
from ngcp.provisioning.engine import connect, transaction
from ngcp.provisioning.parties import Party
from ngcp.provisioning.partitions import make_months, months_of
from ngcp.provisioning.store import Listing
from ngcp.provisioning.tables.accounting import cdr
from ngcp.provisioning.upgrade import administer

ROWS: Final = 10_000_000
SUBSCRIBERS: Final = 10_000
OF_CUSTOMER: Final = 10
"""Subscribers of one customer."""
RESELLERS: Final = 20
MONTHS: Final = 12
START: Final = 1_767_225_600
"""The year's first second."""
TURNS: Final = 5
SEARCHES: Final = 20
"""In each way, each turn."""
BOUND: Final = 50.0
"""Milliseconds."""
SEED: Final = 8

#: For the rows to be made in reasonable time.
FILLING: Final = "--innodb-sort-buffer-size=64M"

#: What is searched for, by name: whose, and how.
SHAPES: Final[Mapping[str, tuple[str, Listing]]] = {
    "latest-of-subscriber": ("subscriber_id", Listing(order_by="start_time", descending=True)),
    "first-of-subscriber-by-id": ("subscriber_id", Listing()),
    "month-of-subscriber": (
        "subscriber_id",
        Listing(filters={"start_ge": "2026-06-01", "start_le": "2026-06-30"}),
    ),
    "busy-of-subscriber": ("subscriber_id", Listing(filters={"status": "busy", "direction": "in"})),
    "latest-of-customer": ("customer_id", Listing(order_by="start_time", descending=True)),
    "latest-of-reseller": ("reseller_id", Listing(order_by="start_time", descending=True, counted=False)),
}


def uuid(number: int | str) -> str:
    """Return SQL for the UUID of subscriber `number`: spread as those of real ones are."""
    return f"INSERT(INSERT(INSERT(INSERT(MD5({number}), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-')"


def fill(database: Database, rows: int) -> None:
    """Make the rows month by month, and the indexes afterwards, which takes a tenth of the time."""
    engine = administer(str(database.socket), getpass.getuser())
    with engine.connect() as connection:
        list(make_months(connection, START, MONTHS))
        for statement in _filling(connection, rows):
            began = time.monotonic()
            connection.execute(text(statement))
            print(f"{time.monotonic() - began:6.1f} s  {statement.split('(')[0][:70]}", flush=True)
    engine.dispose()


def _filling(connection: Connection, rows: int) -> Iterator[str]:
    names = [str(index.name) for index in cdr.indexes] + ["leg_idx"]
    yield "ALTER TABLE accounting.cdr " + ", ".join(f"DROP INDEX {name}" for name in names)
    of_month, number = rows // MONTHS, 0
    for month in months_of(connection)[:MONTHS]:
        begin, step = month.later(-1).end, (month.end - month.later(-1).end) / of_month
        yield _month(number, of_month, f"{begin} + seq * {step:.6f}")
        number += of_month
    made = [
        f"ADD INDEX {index.name} ({', '.join(column.name for column in index.columns)})"
        for index in cdr.indexes
    ]
    made.append("ADD UNIQUE INDEX leg_idx (call_id, branch_id, start_time)")
    yield "ALTER TABLE accounting.cdr " + ", ".join(made)
    yield "ANALYZE TABLE accounting.cdr"


def _month(first: int, rows: int, began: str) -> str:
    """Return the statement that makes a month's rows."""
    values: dict[str, str] = {}
    for side, salt in (("source", 7), ("destination", 77)):
        who = f"(CRC32(seq * 1000003 + {first + salt}) % {SUBSCRIBERS})"
        values |= {
            f"{side}_user_id": uuid(who),
            f"{side}_provider_id": f"1 + {who} % {RESELLERS}",
            f"{side}_account_id": f"1 + {who} DIV {OF_CUSTOMER}",
            f"{side}_user": f"CONCAT('user', {who})",
            f"{side}_domain": "'sip.example.org'",
            f"{side}_user_out": f"4372000000 + {who}",
            f"{side}_customer_cost": "0.5",
        }
    values |= {
        "source_cli": values["source_user_out"],
        "source_ip": "'192.0.2.1'",
        "destination_user_dialed": values["destination_user_out"],
        "destination_user_in": values["destination_user_out"],
        "destination_domain_in": "'sip.example.org'",
        "call_status": "ELT(1 + seq % 8, 'ok', 'ok', 'ok', 'ok', 'ok', 'busy', 'cancel', 'noanswer')",
        "call_code": "ELT(1 + seq % 8, 200, 200, 200, 200, 200, 486, 487, 480)",
        "init_time": f"{began} - 5",
        "start_time": began,
        "duration": "IF(seq % 8 < 5, seq % 600, 0)",
        "call_id": f"CONCAT(MD5(seq + {first}), '@192.0.2.1')",
        "rating_status": "'ok'",
        "export_status": "'ok'",
    }
    selected = f"SELECT {', '.join(values.values())} FROM accounting.seq_1_to_{rows}"
    return f"INSERT INTO accounting.cdr ({', '.join(values)}) {selected}"


async def measure(database: Database) -> list[Metric]:
    """Search in each way for one after the other."""
    engine = connect(str(database.socket), getpass.getuser(), 60.0)
    chosen = random.Random(SEED)  # the same ones every time
    metrics = []
    for name, (whose, listing) in SHAPES.items():
        costs, times = [], []
        for _ in range(TURNS):
            parties = [await _party(engine, whose, chosen.randrange(SUBSCRIBERS)) for _ in range(SEARCHES)]
            before = time.process_time() + database.daemon.cpu_seconds()
            for party in parties:
                began = time.perf_counter()
                async with transaction(engine) as connection:
                    await Search(listing, party).page(connection)
                times.append((time.perf_counter() - began) * 1e3)
            spent = time.process_time() + database.daemon.cpu_seconds() - before
            costs.append(spent / SEARCHES * 1e3)
        print(f"{name}: load {os.getloadavg()[0]:.1f}, ms {told(sorted(times))}", flush=True)
        is_judged = whose == "subscriber_id"
        cpu = Metric.within(f"cpu-ms-{name}", costs, BOUND)
        metrics.append(cpu if is_judged else Metric(cpu.name, cpu.runs))
        metrics.append(Metric(f"ms-{name}", tuple((one, BOUND) for one in times)))
    await engine.dispose()
    return metrics


def told(times: Sequence[float]) -> str:
    """Return the least, the quartiles and the most of sorted times."""
    return " ".join(f"{times[round(part * (len(times) - 1) / 4)]:.1f}" for part in range(5))


async def _party(engine: AsyncEngine, whose: str, number: int) -> Party:
    if whose == "customer_id":
        return Party(whose, 1, 1 + number // OF_CUSTOMER)
    if whose == "reseller_id":
        return Party(whose, 1, 1 + number % RESELLERS)
    async with transaction(engine) as connection:
        value = (await connection.execute(text(f"SELECT {uuid(number)}"))).scalar_one()
    return Party(whose, 1, str(value))


def explain(database: Database) -> None:
    """Print how MariaDB finds somebody's latest calls."""
    whose, listing = SHAPES["latest-of-subscriber"]
    ((value,),) = database.run(f"SELECT {uuid(4711)}")
    query = Search(listing, Party(whose, 1, str(value))).query()
    statement = query.compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True})
    for row in database.run(f"EXPLAIN {statement}"):
        print("  ".join(str(one) for one in row if one is not None))
    ((plan,),) = database.run(f"ANALYZE FORMAT=JSON {statement}")
    print(f"rows read and time: {json.dumps(_measured(json.loads(str(plan))))}")


def _measured(plan: object) -> list[object]:
    """Return, table by table, what a plan says was read."""
    if isinstance(plan, list):
        return [one for part in plan for one in _measured(part)]
    if not isinstance(plan, dict):
        return []
    told = ("table_name", "key", "r_loops", "r_rows", "r_total_time_ms")
    own = [{name: plan[name] for name in told if name in plan}] if "table_name" in plan else []
    return own + [one for part in plan.values() for one in _measured(part)]


def main() -> int:
    """Measure, print and store the results; return 1 if a target is missed."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as home,
        mariadb.serving(Path(home), FILLING) as database,
    ):
        fill(database, ROWS)
        metrics = asyncio.run(measure(database))
        explain(database)
    return report.publish("cdrsearch", metrics, "bound")


if __name__ == "__main__":
    sys.exit(main())
