"""Whatever happens, each call is written down once: crashes, repetitions, two mediators, lost Redis.

Hypothesis invents calls, brings their records in any order and place, and kills mediators in the middle of
whatever they do. In the end all records have arrived, and what is stored is compared with what was called.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from mediator.calls import DATABASES, START, Node, mediator, source, start, stop
from ngcp.provisioning.acc import AccRow
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.line import Line, Row
from ngcp.provisioning.mediation import MediationTables, Turn
from ngcp.state.line import Answer, Command
from ngcp.state.line import Line as RedisLine
from private_mariadb import Server
from private_redis import RedisServer

#: What the server does not like but takes.
pytestmark = pytest.mark.filterwarnings("ignore::Warning:aiomysql")

TABLES = (
    "kamailio.acc",
    "kamailio.acc_backup",
    "kamailio.acc_trash",
    "accounting.cdr",
    "accounting.cdr_mos_data",
)
#: Statements and commands for which a mediator lives: a round with work to do has some 20.
LIVES = st.integers(1, 20)


class Crash(BaseException):
    """The process is no more; nothing catches that."""


@dataclass
class Fuse:
    """Lets a mediator live for some more steps."""

    left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Crash


class MortalLine(Line):
    """A line to MariaDB that may break before, after, and between the statements of a transaction."""

    fuse: Fuse

    async def fetch(self, statement: str) -> Sequence[Row]:
        self.fuse.burn()
        return await super().fetch(statement)

    async def run(self, *statements: str) -> None:
        if self.fuse.left is not None and self.fuse.left < len(statements) + 1:
            done = statements[: self.fuse.left]
            self.fuse.left = -1
            await super()._do(("BEGIN", *done))
            self.close()
            raise Crash
        if self.fuse.left is not None:
            self.fuse.left -= len(statements)
        await super().run(*statements)
        self.fuse.burn()


class MortalRedisLine(RedisLine):
    """A line to Redis that may break before and after a script."""

    fuse: Fuse

    async def run(self, commands: Sequence[Command]) -> None:
        self.fuse.burn()
        await super().run(commands)
        self.fuse.burn()

    async def ask(self, commands: Sequence[Command]) -> list[Answer]:
        self.fuse.burn()
        return await super().ask(commands)


class Lawless(MediationTables):
    """Tables whose lock keeps nobody out."""

    async def take_turn(self) -> Turn:
        await super().take_turn()
        return Turn.KEPT


class MortalNode(Node):
    """A mediator that may die at any step."""

    def start(self) -> None:
        self.fuse = Fuse()
        self.line = MortalLine(self.database.socket, self.database.user, 10.0)
        self.redis_line = MortalRedisLine((self.redis.socket, 0), DATABASES.acc, self._name, 10.0)
        self.line.fuse = self.redis_line.fuse = self.fuse
        self.mediator = mediator(self.line, self.redis_line, tables=Lawless(self.line))

    async def round(self, steps: int | None) -> None:
        """Do a round, or a part of it."""
        self.fuse.left = steps
        try:
            await self.work(1)
        except DatabaseUnavailable:  # the other one was quicker
            pass
        except Crash:
            await self.stop()
            self.start()
        finally:
            self.fuse.left = None


def rows_of(index: int, kind: str, legs: int, milliseconds: int) -> list[AccRow]:
    """Return the records of a call."""
    callid, at = f"call-{index}", START + index
    suffix = {"transfer": "_xfer-1"}.get(kind, "")
    code = "486" if kind == "busy" else "200"
    starts = [
        start(callid + suffix, at, code, src_leg=source(s="cfu" if leg else "call"), branch_id=str(leg))
        for leg in range(legs)
    ]
    if kind == "busy":
        return starts
    other = {"other side": "_b2b-1"}.get(kind, suffix)
    return [*starts, stop(callid + other, at + milliseconds / 1000)]


CALLS = st.tuples(
    st.sampled_from(["call", "busy", "transfer", "other side"]), st.integers(1, 3), st.integers(0, 10**7)
)


class Mediation(RuleBasedStateMachine):
    """Two mediators over the same stores."""

    database: Server
    redis: RedisServer

    def __init__(self) -> None:
        super().__init__()
        self.database.run(*(f"DELETE FROM {name}" for name in TABLES))
        self.redis.connect(0).flushall()
        self.runner = asyncio.Runner()
        self.nodes = [MortalNode(self.database, self.redis) for _ in range(2)]
        self.rows: list[AccRow] = []
        self.expected: Counter[tuple[str, ...]] = Counter()

    @initialize(calls=st.lists(CALLS, min_size=1, max_size=5))
    def invent_calls(self, calls: list[tuple[str, int, int]]) -> None:
        for index, (kind, legs, milliseconds) in enumerate(calls):
            self.rows += rows_of(index, kind, legs, milliseconds)
            duration = 0 if kind == "busy" else milliseconds
            for leg in range(legs):
                branch = f"{leg}_xfer-1" if kind == "transfer" else str(leg)
                status = "busy" if kind == "busy" else "ok"
                self.expected[f"call-{index}", branch, status, f"{duration / 1000:.3f}"] += 1

    def _bring(self, data: st.DataObject) -> None:
        """Let records arrive: in order, out of order, again."""
        some = data.draw(st.lists(st.sampled_from(self.rows), min_size=1, max_size=8) | st.just(self.rows))
        place = data.draw(st.sampled_from(["redis", "acc", "both"]))
        if place != "acc":
            self.nodes[0].to_redis(*some)
        if place != "redis":
            self.runner.run(self.nodes[0].to_acc(*some))

    @rule(data=st.data(), steps=st.none() | LIVES, which=st.integers(0, 1))
    def one_works(self, data: st.DataObject, steps: int | None, which: int) -> None:
        self._bring(data)
        self.runner.run(self.nodes[which].round(steps))

    @rule(data=st.data(), steps=st.tuples(LIVES, st.none() | LIVES))
    def both_work(self, data: st.DataObject, steps: tuple[int | None, int | None]) -> None:
        async def work() -> None:
            rounds = (node.round(left) for node, left in zip(self.nodes, steps, strict=True))
            await asyncio.gather(*rounds)

        self._bring(data)
        self.runner.run(work())

    @rule()
    def redis_loses_everything(self) -> None:
        self.redis.connect(0).flushall()

    def teardown(self) -> None:
        try:
            self.runner.run(self._finish())
        finally:
            self.runner.run(self._stop())
            self.runner.close()
        stored = Counter(self.nodes[0].cdrs())
        assert stored == self.expected
        assert len(self.nodes[0].backup()) == len(self.rows)
        assert self.nodes[0].left() == []
        assert self.nodes[0].trash() == []

    async def _finish(self) -> None:
        """Let everything arrive that has not, and one mediator be done with it."""
        await self._stop()
        await self.nodes[0].to_acc(*self.rows)
        self.nodes[0].start()
        for _ in range(4):
            await self.nodes[0].round(None)

    async def _stop(self) -> None:
        for node in self.nodes:
            await node.stop()


def test_each_call_once(database: Server, redis_server: RedisServer) -> None:
    Mediation.database, Mediation.redis = database, redis_server
    run_state_machine_as_test(  # type: ignore[no-untyped-call] # hypothesis leaves it untyped
        Mediation,
        settings=settings(
            max_examples=20,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
