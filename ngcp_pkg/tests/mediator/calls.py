"""Records as the proxy writes them, and a mediator on real servers."""

import json
from typing import Any

from ngcp.mediator.closing import Moment
from ngcp.mediator.core import Mediator, Terms
from ngcp.provisioning.acc import AccRow, AccTable
from ngcp.provisioning.line import Line
from ngcp.provisioning.mediation import MediationTables
from ngcp.state.acc import AccEntries
from ngcp.state.layout import Databases
from ngcp.state.line import Line as RedisLine
from private_mariadb import Server
from private_redis import RedisServer

UUID = "6a6d1a3c-0000-4000-8000-00000000000"
START = 1_795_723_200.0
DATABASES = Databases()
LONGEST = 21_600.0
PATIENCE = 3600.0


def source(**changes: object) -> str:
    given: dict[str, object] = {
        "uuid": f"{UUID}1",
        "u": "alice",
        "d": "example.org",
        "cli": "4311001",
        "cli_out": "4311001",
        "clir": 0,
        "s": "call",
        "ip": "192.0.2.1",
        "t": START - 5,
        "gpp": ["x", *[""] * 9],
        "a_id": 7,
        "lcr": 0,
    }
    return json.dumps(given | changes)


def destination(**changes: object) -> str:
    given: dict[str, object] = {
        "uuid": f"{UUID}2",
        "u": "bob",
        "d": "example.org",
        "dialed": "4311002",
        "u_in": "4311002",
        "d_in": "example.org",
        "u_out": "bob",
        "a_id": 8,
        "lcr": 0,
    }
    return json.dumps(given | changes)


def start(callid: str = "c1", at: float = START, code: str = "200", **changes: str) -> AccRow:
    row = AccRow(
        method="INVITE",
        from_tag=f"from-{callid}",
        to_tag=f"to-{callid}" if code == "200" else "",
        callid=callid,
        sip_code=code,
        sip_reason="OK",
        time="2026-11-26 20:00:00",
        time_hires=f"{at:.3f}",
        src_leg=source(),
        dst_leg=destination(),
    )
    return row._replace(**changes)


def stop(callid: str = "c1", at: float = START + 60, **changes: str) -> AccRow:
    return start(callid, at)._replace(method="BYE", src_leg="", dst_leg="{}")._replace(**changes)


def mediator(
    line: Line,
    redis: RedisLine,
    tables: MediationTables | None = None,
) -> Mediator:
    entries = AccEntries(DATABASES.acc, DATABASES.own)
    terms = Terms(LONGEST, PATIENCE)
    return Mediator(tables or MediationTables(line), (redis, entries), terms)


class Node:
    """A mediator, and the stores between it and the proxy."""

    def __init__(self, database: Server, redis: RedisServer) -> None:
        self.database = database
        self.redis = redis
        self.names = 0
        self.now = Moment(1000.0, START + 300)
        self.start()

    def start(self) -> None:
        """Start a mediator, the old one is no more."""
        self.line = Line(self.database.socket, self.database.user, 5.0)
        self.redis_line = RedisLine((self.redis.socket, 0), DATABASES.acc, self._name, 5.0)
        self.mediator = mediator(self.line, self.redis_line)

    def _name(self) -> str:
        self.names += 1
        return f"mediator {self.names}"

    async def stop(self) -> None:
        self.line.close()
        await self.redis_line.close()

    async def to_acc(self, *rows: AccRow) -> None:
        line = Line(self.database.socket, self.database.user, 5.0)
        await AccTable(line).save(rows)
        line.close()

    def to_redis(self, *rows: AccRow) -> None:
        for row in rows:
            for database, *words in DATABASES.save_record(row._asdict()):
                self.redis.ask(int(database), *map(str, words))

    async def work(self, rounds: int = 3, seconds: float = 1.0) -> None:
        """Let the mediator do rounds; `acc` is read in the second one."""
        for _ in range(rounds):
            self.wait(seconds)
            await self.mediator.work(self.now)

    def wait(self, seconds: float) -> None:
        self.now = Moment(self.now.monotonic + seconds, self.now.unix + seconds)

    def cdrs(self, *columns: str) -> list[tuple[Any, ...]]:
        names = ", ".join(columns or ("call_id", "branch_id", "call_status", "duration"))
        rows = self.database.run(
            f"SELECT {names} FROM accounting.cdr ORDER BY call_id, start_time, branch_id"
        )
        return [tuple(str(value) for value in row) for row in rows]

    def trash(self) -> list[tuple[object, ...]]:
        return self.database.run("SELECT callid, method, reason FROM kamailio.acc_trash ORDER BY id")

    def backup(self) -> list[tuple[object, ...]]:
        return self.database.run(
            "SELECT callid, method, branch_id FROM kamailio.acc_backup ORDER BY callid, method, branch_id"
        )

    def left(self) -> list[object]:
        """What waits, in both stores."""
        rows = self.database.run("SELECT callid, method FROM kamailio.acc")
        keys = self.redis.texts(DATABASES.acc, "KEYS", "acc:*")
        return [*rows, *(key for key in keys if key != "acc::index::meth")]
