"""A line to MariaDB breaks, and is there again."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.line import Line, StatementRefused, literal
from private_mariadb import Server


def use(server: Server, job: Callable[[Line], Awaitable[None]], *, timeout: float = 20.0) -> None:
    async def main() -> None:
        line = Line(server.socket, server.user, timeout)
        try:
            await job(line)
        finally:
            line.close()

    asyncio.run(main())


def test_texts_arrive_as_they_are(database: Server) -> None:
    texts = ["it's", '"', "\\", "a\0b", "\n\x1a", "%s", "àü", "𝄞", ""]

    async def job(line: Line) -> None:
        for text in texts:
            assert await line.fetch(f"SELECT {literal(text)}") == ((text,),)
        assert await line.fetch(f"SELECT {literal(None)}, {literal(7)}, {literal(0.5)}") == ((None, 7, 0.5),)

    use(database, job)


def test_line_that_the_server_hung_up_is_made_anew_unnoticed(database: Server) -> None:
    async def job(line: Line) -> None:
        ((first,),) = await line.fetch("SELECT CONNECTION_ID()")
        assert await line.fetch("SELECT CONNECTION_ID()") == ((first,),)
        database.run(f"KILL {first}")
        ((second,),) = await line.fetch("SELECT CONNECTION_ID()")
        assert second != first

    use(database, job)


def test_slow_statement_is_given_up_and_the_next_one_gets_its_own_answer(database: Server) -> None:
    async def job(line: Line) -> None:
        with pytest.raises(DatabaseUnavailable):
            await line.fetch("SELECT SLEEP(60)")
        assert await line.fetch("SELECT 7") == ((7,),)

    use(database, job, timeout=1.0)


def test_statements_together_are_done_all_or_not_at_all(database: Server) -> None:
    add = "INSERT INTO kamailio.domain (domain) VALUES ('example.org')"

    async def job(line: Line) -> None:
        with pytest.raises(StatementRefused):
            await line.run(add, add)
        assert await line.fetch("SELECT domain FROM kamailio.domain") == ()
        await line.run("DELETE FROM kamailio.domain", add)
        assert await line.fetch("SELECT domain FROM kamailio.domain") == (("example.org",),)

    use(database, job)


def test_several_askers_take_turns(database: Server) -> None:
    async def job(line: Line) -> None:
        answers = await asyncio.gather(*(line.fetch(f"SELECT {number}") for number in range(20)))
        assert answers == [((number,),) for number in range(20)]

    use(database, job)


def test_nobody_there() -> None:
    async def main() -> None:
        with pytest.raises(DatabaseUnavailable):
            await Line("/nonexistent/socket", "nobody", 1.0).fetch("SELECT 1")

    asyncio.run(main())
