"""A database that is gone, hangs or comes back."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning.engine import DatabaseUnavailable, connect, transaction
from private_mariadb import Server

T = TypeVar("T")
TIMEOUT = 0.3


def run(server: Server, work: Callable[[AsyncEngine], Awaitable[T]], timeout: float = 2.0) -> T:
    async def main() -> T:
        engine = connect(server.socket, server.user, timeout)
        try:
            return await work(engine)
        finally:
            await engine.dispose()

    return asyncio.run(main())


async def answer(engine: AsyncEngine) -> int:
    async with transaction(engine) as connection:
        return int((await connection.execute(text("SELECT 42"))).scalar_one())


def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    nowhere = Server(str(tmp_path / "nobody"), "root", 0)
    with pytest.raises(DatabaseUnavailable):
        run(nowhere, answer)


def test_a_hanging_database_costs_no_more_than_the_time_out(database: Server) -> None:
    async def work(engine: AsyncEngine) -> tuple[float, int]:
        assert await answer(engine) == 42
        with database.hanging():
            began = time.monotonic()
            with pytest.raises(DatabaseUnavailable, match="TimeoutError"):
                await answer(engine)
            lasted = time.monotonic() - began
        async with asyncio.timeout(10):
            while True:
                try:
                    return lasted, await answer(engine)
                except DatabaseUnavailable:
                    continue

    lasted, then = run(database, work, TIMEOUT)
    assert lasted < 4 * TIMEOUT
    assert then == 42


def test_a_slow_statement_is_ended_on_both_sides(database: Server) -> None:
    async def work(engine: AsyncEngine) -> None:
        with pytest.raises(DatabaseUnavailable):
            async with transaction(engine) as connection:
                await connection.execute(text("SELECT SLEEP(30)"))

    run(database, work, TIMEOUT)
    deadline = time.monotonic() + 10
    while database.run("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"):
        assert time.monotonic() < deadline, "the server still works for nobody"


def test_connections_that_died_meanwhile_are_not_noticed(database: Server) -> None:
    async def work(engine: AsyncEngine) -> int:
        await answer(engine)
        rows = database.run("SELECT id FROM information_schema.processlist WHERE id != CONNECTION_ID()")
        for (number,) in rows:
            database.run(f"KILL {number}")
        return await answer(engine)

    assert run(database, work) == 42


def test_a_failed_transaction_leaves_nothing(database: Server) -> None:
    async def work(engine: AsyncEngine) -> None:
        with pytest.raises(ZeroDivisionError):
            async with transaction(engine) as connection:
                await connection.execute(text("INSERT INTO kamailio.domain (domain) VALUES ('half')"))
                raise ZeroDivisionError

    run(database, work)
    assert database.run("SELECT domain FROM kamailio.domain") == []


def test_the_statement_is_not_in_the_message(database: Server) -> None:
    async def work(engine: AsyncEngine) -> str:
        with pytest.raises(DatabaseUnavailable) as caught:
            async with transaction(engine) as connection:
                await connection.execute(text("SELECT * FROM no.such WHERE password = :p"), {"p": "s3cret"})
        return str(caught.value)

    assert "s3cret" not in run(database, work)
