"""The proxy: ours doing all that a provisioned call asks for, Kamailio doing the least that is a proxy.

callers behind an edge (SIPp) ─► proxy ─► callees behind an edge (SIPp)

Both authenticate the caller and look up the callee among 100,000 subscribers of the same MariaDB. Ours
also resolves preferences, rewrites numbers, counts calls in Redis, anchors the session at the media relay
and writes call records; that is the point: what all of it costs beside a proxy without.
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
from bench.redis import Redis
from bench.redis import serving as serving_redis
from bench.report import Metric
from bench.sipp import Address, Load

PAIRS: Final = 5
CALLS: Final = Load("call-inside", count=1000, rate=50)
#: The highest good ratio of CPU time, and the most reads of the database that a call may cost.
TARGET: Final = 2.0
READS: Final = 1.0
#: Seconds after the last message until a transaction is forgotten (64 * T1, RFC 3261 §17), and some.
FORGOTTEN: Final = 33.0
#: Subscribers, all of them registered; the first ones of them call, those after them are called.
SUBSCRIBERS: Final = 100_000
CALLERS: Final = 500

DOMAIN: Final = "bench.test"
ACCOUNT: Final = "kamailio-proxy"
CALLER_SOCKET: Final = ("127.62.0.1", 6060)
EDGE: Final = ("127.62.0.2", 5060)
"""Where callees are: our proxy sends what leaves to the edge, Kamailio to the registered contact."""
OURS: Final = ("127.62.1.1", 5062)
PEER: Final = ("127.62.2.1", 5062)
RELAY: Final = ("127.62.1.1", 12222)
KAMAILIO: Final = Path(__file__).parent / "kamailio"
SECRET: Final = "5a" * 32

#: Preferences of every subscriber, beside his numbers: twelve of them.
PREFERENCES: Final = {
    "cc": "43",
    "ac": "720",
    "cli": "43720@n",
    "account_id": "1",
    "concurrent_max": "8",
    "concurrent_max_out": "4",
    "block_out_list": "0900*",
    "inbound_upn": "from_user",
    "outbound_from_user": "npn",
    "outbound_pai_user": "npn",
    "gpp0": "bench",
    "rewrite_caller_in_dpid": "1",
}
#: A rewrite set: what a national provider has.
DIALPLAN: Final = ((1, r"^00([1-9][0-9]+)$", r"\1"), (2, r"^0([1-9][0-9]+)$", r"${caller_cc}\1"))


@dataclass(slots=True)
class Side:
    """One proxy under measurement."""

    socket: Address
    daemon: Daemon
    beside: tuple[Daemon, ...] = ()
    """What works for it: database, Redis."""
    ended: float = 0.0
    """When its last load ended."""
    costs: list[float] = field(default_factory=list)
    """CPU µs a call, turn by turn; the first one is for warming up."""
    beside_costs: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    """Reads of the database per call."""

    def run(self, names: Path, database: Database) -> None:
        """Take one turn, until its transactions are forgotten."""
        before, beside, reads = self._readings(database)
        sipp.apply(CALLS, CALLER_SOCKET, self.socket, names)
        time.sleep(FORGOTTEN)
        after, beside_after, reads_after = self._readings(database)
        self.costs.append((after - before) / CALLS.count * 1e6)
        self.beside_costs.append((beside_after - beside) / CALLS.count * 1e6)
        self.reads.append((reads_after - reads) / CALLS.count)

    def _readings(self, database: Database) -> tuple[float, float, int]:
        rows = database.run("SHOW GLOBAL STATUS LIKE 'Com_select'")
        beside = sum(daemon.cpu_seconds() for daemon in self.beside)
        return self.daemon.cpu_seconds(), beside, int(str(rows[0][1]))


class Bench:
    """What the measurement runs."""

    def __init__(self, directory: Path, database: Database, redis: Redis) -> None:
        self._directory = directory
        self._kamailio = peers.fetch("kamailio-mysql-modules")
        self.database = database
        self._redis = redis
        database.open_to(ACCOUNT)
        database.open_to("peer", mariadb.PASSWORD)
        database.run(
            "CREATE TABLE kamailio.version (table_name VARCHAR(32) PRIMARY KEY, table_version INT)",
            "INSERT INTO kamailio.version VALUES ('subscriber', 7), ('location', 9)",
            *provisioning(),
        )
        self.names = directory / "calls.csv"
        password = mariadb.PASSWORD
        credentials = [f"[authentication username=p{number} password={password}]" for number in _callers()]
        sipp.write_names(
            self.names,
            [f"p{n};{text};p{n + CALLERS}" for n, text in zip(_callers(), credentials, strict=True)],
        )

    @contextlib.contextmanager
    def sides(self) -> Iterator[tuple[Side, Side]]:
        """Run both proxies, and what they need, for the time of a `with`."""
        with (
            sipp.answering(EDGE, self._directory),
            self._run_relay() as relay,
            self._run_ours() as ours,
            self._run_peer() as peer,
        ):
            database = self.database.daemon
            yield Side(OURS, ours, (database, self._redis.daemon, relay)), Side(PEER, peer, (database,))

    def _run_relay(self) -> contextlib.AbstractContextManager[Daemon]:
        path = self._directory / "relay.conf"
        path.write_text(f"INTERFACES={RELAY[0]}\nLISTEN_NG={sipp.written(RELAY)}\n")
        return self._run("ngcp.rtpengine", path, RELAY)

    def _run_ours(self) -> contextlib.AbstractContextManager[Daemon]:
        places = {"listen": OURS, "xmlrpc": (OURS[0], 8000), "load_balancer": EDGE, "media_relay": RELAY}
        configuration: dict[str, object] = {
            name: {"address": address, "port": port} for name, (address, port) in places.items()
        }
        configuration["b2bua"] = {"address": OURS[0], "port": 5080, "bypass": True}  # as the peer
        configuration["database"] = {"socket": str(self.database.socket)}
        configuration["redis"] = {"address": self._redis.address[0], "port": self._redis.address[1]}
        path = self._directory / "proxy.yml"
        path.write_text(yaml.safe_dump(configuration))
        (self._directory / "secret").write_text(SECRET)
        return self._run("ngcp.proxy", path, OURS)

    def _run(self, module: str, path: Path, socket: Address) -> contextlib.AbstractContextManager[Daemon]:
        command = [sys.executable, "-m", module, "--config", str(path)]
        environment = {"PYTHONPATH": str(SOURCE), "CREDENTIALS_DIRECTORY": str(self._directory)}
        log = self._directory / f"{module}.log"
        return running(command, log, lambda: is_bound(socket), {**os.environ, **environment})

    def _run_peer(self) -> contextlib.AbstractContextManager[Daemon]:
        text = (KAMAILIO / "proxy.cfg").read_text()
        text = text.replace("@MODULES@", f"{self._kamailio.libraries}/kamailio/modules/")
        path = self._directory / "peer.cfg"
        path.write_text(text.replace("@SOCKET@", sipp.written(PEER)))
        run = self._directory / "run"
        run.mkdir()
        command = [self._kamailio.program("kamailio"), "-f", str(path), "-DD", "-E", "-Y", str(run)]
        memory = ["-m", "512", "-M", "16", "-x", "fm", "-X", "fm"]
        environment = {**self._kamailio.environment, "MYSQL_UNIX_PORT": str(self.database.socket)}
        log = path.with_suffix(".log")
        return running([*command, *memory], log, lambda: is_bound(PEER), environment)


def _callers() -> range:
    return range(1, CALLERS + 1)


def provisioning() -> tuple[str, ...]:
    """Return the statements that provision and register everybody, in the proxy's copy."""
    numbers = f"FROM kamailio.seq_1_to_{SUBSCRIBERS}"
    uuid = "INSERT(INSERT(INSERT(INSERT(MD5(seq),9,0,'-'),14,0,'-'),19,0,'-'),24,0,'-')"
    hashed = f"MD5(CONCAT('p', seq, ':{DOMAIN}:{mariadb.PASSWORD}'))"
    preferences = (
        f"INSERT INTO kamailio.usr_preferences (uuid, username, domain, attribute, type, value)"
        f" SELECT {uuid}, CONCAT('p', seq), '{DOMAIN}', '{name}', 0,"
        f" REPLACE('{value}', '@n', seq) {numbers}"
        for name, value in PREFERENCES.items()
    )
    rules = (
        "INSERT INTO kamailio.dialplan (dpid, pr, match_op, match_exp, match_len, subst_exp, repl_exp, attrs)"
        f" VALUES (1, {priority}, 1, '{_escaped(match)}', 0, '{_escaped(match)}', '{_escaped(replace)}', '')"
        for priority, match, replace in DIALPLAN
    )
    return (
        f"INSERT IGNORE INTO kamailio.domain (domain) VALUES ('{DOMAIN}')",
        "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid)"
        f" SELECT CONCAT('p', seq), '{DOMAIN}', '{mariadb.PASSWORD}', {hashed}, {hashed}, {uuid} {numbers}",
        "INSERT INTO kamailio.location"
        " (ruid, username, domain, contact, expires, q, callid, cseq, last_modified, user_agent)"
        f" SELECT MD5(seq), CONCAT('p', seq), '{DOMAIN}', CONCAT('sip:p', seq, '@{sipp.written(EDGE)}'),"
        f" UNIX_TIMESTAMP() + 36000, 1, MD5(seq), 1, UNIX_TIMESTAMP(), 'bench' {numbers}",
        *preferences,
        *rules,
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")


def measure(bench: Bench) -> list[Metric]:
    """Let the proxies take turns."""
    with bench.sides() as sides:
        ours, peer = sides
        for turn in range(PAIRS + 1):
            print(f"turn {turn} of {PAIRS}{'' if turn else ': warming up'}", flush=True)
            for side in sides:
                side.run(bench.names, bench.database)
        memory = ours.daemon.pss() / 2**20, peer.daemon.pss() / 2**20
    return [
        Metric("cpu-us-per-call", _pairs(ours.costs, peer.costs), TARGET),
        Metric("cpu-us-per-call-beside", _pairs(ours.beside_costs, peer.beside_costs)),
        Metric.within("database-reads-per-call", ours.reads[1:], READS),
        Metric(f"pss-mib-with-{SUBSCRIBERS}-subscribers", (memory,)),
    ]


def _pairs(ours: list[float], peer: list[float]) -> tuple[tuple[float, float], ...]:
    return tuple(zip(ours[1:], peer[1:], strict=True))


def main() -> int:
    """Run the benchmark; 1 if a target is missed."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-proxy-") as name,
        mariadb.serving(Path(name)) as database,
        serving_redis(Path(name)) as redis,
    ):
        metrics = measure(Bench(Path(name), database, redis))
    return report.publish("proxy", metrics, "kamailio")
