"""Partitions of `accounting.cdr`."""

import asyncio
from datetime import UTC, datetime

from ngcp.provisioning.line import Line
from ngcp.provisioning.months import make_months
from private_mariadb import Server
from provisioning.test_cdr_table import insert
from provisioning.test_upgrade import run_as


def unix(*date: int) -> float:
    return datetime(*date, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type] # a date is three numbers


def make(server: Server, now: float) -> list[str]:
    async def main() -> list[str]:
        line = Line(server.socket, server.user, 5.0)
        try:
            return await make_months(line, now)
        finally:
            line.close()

    return asyncio.run(main())


def test_months_are_ready_before_they_begin(database: Server) -> None:
    assert make(database, unix(2026, 11, 27)) == ["p202611", "p202612", "p202701", "p202702"]
    assert make(database, unix(2026, 11, 28)) == []
    assert make(database, unix(2026, 12, 1)) == ["p202703"]
    assert make(database, unix(2026, 1, 1)) == [], "the clock was set back"


def test_a_call_is_in_its_month(database: Server) -> None:
    insert(database, start_time="1795723200.123")  # 2026-11-26
    insert(database, start_time="1796083199.999")  # the last moment of November
    insert(database, start_time="1796083200.000")
    make(database, unix(2026, 11, 1))
    counts = {
        name: database.run(f"SELECT COUNT(*) FROM accounting.cdr PARTITION ({name})")[0][0]
        for name in ("p202611", "p202612", "pmax")
    }
    assert counts == {"p202611": 2, "p202612": 1, "pmax": 0}


def test_the_mediator_may_make_them(database: Server) -> None:
    run_as(
        database,
        "mediator",
        "ALTER TABLE accounting.cdr REORGANIZE PARTITION pmax INTO"
        " (PARTITION p202611 VALUES LESS THAN (1796083200), PARTITION pmax VALUES LESS THAN MAXVALUE)",
    )
