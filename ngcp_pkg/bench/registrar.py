"""The registrar: our proxy and Kamailio under the same registrations, out of the same MariaDB.

phones behind an edge (SIPp) ─► registrar ─► MariaDB

Both authenticate by digest and answer only when the binding is in the table. Memory and the time to load
are measured of ours alone, against bounds.
"""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from bench import mariadb, peers, report, sipp
from bench.daemons import SOURCE, Daemon, is_bound, running
from bench.mariadb import Database
from bench.report import Metric
from bench.sipp import Address, Load

PAIRS: Final = 5
#: Phones of each side: each registration of a turn is another one's, those of the next turn refresh them.
PHONES: Final = 4000
REGISTRATIONS: Final = Load("register-inside", count=PHONES, rate=400)
#: The highest good ratio of CPU time.
TARGET: Final = 1.0
#: Bindings that are loaded at a start, the seconds for that, and the bytes that each may take.
BINDINGS: Final = 100_000
LOAD_SECONDS: Final = 5.0
BINDING_BYTES: Final = 1500.0
#: Seconds until what a turn leaves behind is done: late answers, deferred writing.
SETTLED: Final = 2.0

DOMAIN: Final = "bench.test"
ACCOUNT: Final = "kamailio-proxy"
PHONE_SOCKET: Final = ("127.61.0.1", 6060)
OURS: Final = ("127.61.1.1", 5062)
PEER: Final = ("127.61.2.1", 5062)
KAMAILIO: Final = Path(__file__).parent / "kamailio"
SECRET: Final = "5a" * 32


@dataclass(slots=True)
class Side:
    """One registrar under measurement."""

    socket: Address
    names: Path
    daemon: Daemon
    costs: list[float] = field(default_factory=list)
    """CPU µs a registration, turn by turn; the first one is for warming up."""
    database_costs: list[float] = field(default_factory=list)
    """The same of MariaDB."""

    @property
    def totals(self) -> list[float]:
        """Both together: what a registration costs the node."""
        return [cost + database for cost, database in zip(self.costs, self.database_costs, strict=True)]

    def run(self, database: Database) -> None:
        """Take one turn."""
        daemons = self.daemon, database.daemon
        before = [daemon.cpu_seconds() for daemon in daemons]
        sipp.apply(REGISTRATIONS, PHONE_SOCKET, self.socket, self.names)
        time.sleep(SETTLED)
        costs = self.costs, self.database_costs
        for cost, daemon, start in zip(costs, daemons, before, strict=True):
            cost.append((daemon.cpu_seconds() - start) / REGISTRATIONS.count * 1e6)


class Bench:
    """What the measurement runs, all of it over one database."""

    def __init__(self, directory: Path, database: Database) -> None:
        self._directory = directory
        self._kamailio = peers.fetch("kamailio-mysql-modules")
        self.database = database
        database.open_to(ACCOUNT)
        database.open_to("peer", mariadb.PASSWORD)
        self.database.run(
            "CREATE TABLE kamailio.version (table_name VARCHAR(32) PRIMARY KEY, table_version INT)",
            "INSERT INTO kamailio.version VALUES ('subscriber', 7), ('location', 9)",
        )

    @contextlib.contextmanager
    def sides(self) -> Iterator[tuple[Side, Side]]:
        """Run one registrar of ours and one of the peer's for the time of a `with`."""
        names = self._names("ours"), self._names("peer")
        with self.run_ours() as ours, self._run_peer() as peer:
            yield Side(OURS, names[0], ours), Side(PEER, names[1], peer)

    def _names(self, side: str) -> Path:
        names = [f"{side}{number}" for number in range(PHONES)]
        self.database.add_subscribers(DOMAIN, names, mariadb.PASSWORD)
        path = self._directory / f"{side}.csv"
        password = mariadb.PASSWORD
        sipp.write_names(path, [f"{n};[authentication username={n} password={password}]" for n in names])
        return path

    def run_ours(self) -> contextlib.AbstractContextManager[Daemon]:
        """Return our proxy, to be started by a `with`."""
        endpoints = {"listen": OURS, "xmlrpc": (OURS[0], 8000), "load_balancer": PHONE_SOCKET}
        endpoints["media_relay"] = (OURS[0], 12222)
        configuration: dict[str, object] = {
            name: {"address": address, "port": port} for name, (address, port) in endpoints.items()
        }
        configuration["database"] = {"socket": str(self.database.socket)}
        path = self._directory / "proxy.yml"
        path.write_text(yaml.safe_dump(configuration))
        (self._directory / "secret").write_text(SECRET)
        command = [sys.executable, "-m", "ngcp.proxy", "--config", str(path)]
        environment = {"PYTHONPATH": str(SOURCE), "CREDENTIALS_DIRECTORY": str(self._directory)}
        log = self._directory / "ours.log"
        return running(command, log, lambda: is_bound(OURS), {**os.environ, **environment})

    def _run_peer(self) -> contextlib.AbstractContextManager[Daemon]:
        places = {
            "MODULES": f"{self._kamailio.libraries}/kamailio/modules/",
            "SOCKET": sipp.written(PEER),
        }
        text = (KAMAILIO / "registrar.cfg").read_text()
        for name, value in places.items():
            text = text.replace(f"@{name}@", value)
        path = self._directory / "peer.cfg"
        path.write_text(text)
        run = self._directory / "run"
        run.mkdir()
        command = [self._kamailio.program("kamailio"), "-f", str(path), "-DD", "-E", "-Y", str(run)]
        memory = ["-m", "256", "-M", "16", "-x", "fm", "-X", "fm"]
        environment = {**self._kamailio.environment, "MYSQL_UNIX_PORT": str(self.database.socket)}
        log = path.with_suffix(".log")
        return running([*command, *memory], log, lambda: is_bound(PEER), environment)


def measure_load(bench: Bench) -> list[Metric]:
    """Start ours without bindings and with many: how long that takes, and what a binding weighs."""
    bench.database.run("DELETE FROM kamailio.location")
    with bench.run_ours() as daemon:
        empty = daemon.pss()
    bench.database.run(_bindings(BINDINGS))
    started = time.monotonic()
    with bench.run_ours() as daemon:
        seconds = daemon.ready_at - started
        weight = (daemon.pss() - empty) / BINDINGS
    return [
        Metric.within("bytes-a-binding", [weight], BINDING_BYTES),
        Metric.within(f"seconds-to-start-with-{BINDINGS}-bindings", [seconds], LOAD_SECONDS),
    ]


def _bindings(count: int) -> str:
    """Return the statement that fills the table with bindings as phones behind NAT make them."""
    values = {
        "ruid": "LEFT(MD5(seq), 16)",
        "username": "CONCAT('43720', seq)",
        "domain": f"'{DOMAIN}'",
        "contact": "CONCAT('sip:43720', seq, '@192.168.', seq DIV 250 MOD 250, '.', seq MOD 250, ':5060')",
        "received": "CONCAT('sip:', @source, ';transport=udp')",
        "path": "CONCAT('<sip:lb@127.0.0.1:5060;lr;socket=udp:203.0.113.1:5060;received=sip:', @source, '>')",
        "expires": "UNIX_TIMESTAMP() + 3600 + seq MOD 600",
        "q": "1",
        "callid": "MD5(CONCAT('c', seq))",
        "cseq": "1 + seq MOD 1000",
        "last_modified": "UNIX_TIMESTAMP()",
        "user_agent": "'Grandstream GXP2160 1.0.11.64'",
    }
    selected = ", ".join(values.values()).replace(
        "@source", "'198.51.', seq DIV 250 MOD 250, '.', seq MOD 250, ':', 10000 + seq MOD 50000"
    )
    columns = ", ".join(values)
    return f"INSERT INTO kamailio.location ({columns}) SELECT {selected} FROM kamailio.seq_1_to_{count}"


def measure(bench: Bench) -> list[Metric]:
    """Let the registrars take turns."""
    with bench.sides() as sides:
        ours, peer = sides
        for turn in range(PAIRS + 1):
            print(f"turn {turn} of {PAIRS}{'' if turn else ': warming up'}", flush=True)
            for side in sides:
                side.run(bench.database)
        memory = ours.daemon.pss() / 2**20, peer.daemon.pss() / 2**20
    return [
        Metric("cpu-us-per-registration", _pairs(ours.costs, peer.costs), TARGET),
        Metric("database-cpu-us-per-registration", _pairs(ours.database_costs, peer.database_costs)),
        Metric("cpu-us-per-registration-in-all", _pairs(ours.totals, peer.totals)),
        Metric("pss-mib", (memory,)),
        *measure_load(bench),
    ]


def _pairs(ours: list[float], peer: list[float]) -> tuple[tuple[float, float], ...]:
    return tuple(zip(ours[1:], peer[1:], strict=True))


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-registrar-") as name,
        mariadb.serving(Path(name)) as database,
    ):
        metrics = measure(Bench(Path(name), database))
    return report.publish("registrar", metrics, "kamailio")
