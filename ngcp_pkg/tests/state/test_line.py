"""The line to Redis: all or nothing over several databases, bounded in time, one writer, nothing late."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from ngcp.state.line import WRITER, Line, StateUnavailable
from private_redis import RedisServer

T = TypeVar("T")
OWN = 5
_numbers = itertools.count()


def make(server: RedisServer, timeout: float = 5.0) -> Line:
    return Line((server.socket, 0), OWN, lambda: f"writer {next(_numbers)}", timeout)


def with_line(server: RedisServer, work: Callable[[Line], Awaitable[T]]) -> T:
    async def run() -> T:
        line = make(server)
        await line.open()
        try:
            return await work(line)
        finally:
            await line.close()

    return asyncio.run(run())


def test_commands_go_to_their_databases_and_answers_come_back(redis_server: RedisServer) -> None:
    answers = with_line(
        redis_server,
        lambda line: line.ask([(3, "SET", "total", "7"), (4, "RPUSH", "c", "a", "b"), (3, "GET", "total")]),
    )
    assert answers == ["OK", 2, "7"]
    assert redis_server.connect(4).lrange("c", 0, -1) == ["a", "b"]


def test_absent_value(redis_server: RedisServer) -> None:
    assert with_line(redis_server, lambda line: line.ask([(3, "GET", "x"), (3, "GET", "y")])) == [None, None]


@pytest.mark.parametrize("text", ["ä", "a\nb", '"', "\udcff", "\x00", ""])
def test_any_text_survives(redis_server: RedisServer, text: str) -> None:
    """A Call-ID may be no UTF-8."""
    answers = with_line(redis_server, lambda line: line.ask([(3, "SET", "k", text), (3, "GET", "k")]))
    assert answers[1] == text


def test_not_open(redis_server: RedisServer) -> None:
    with pytest.raises(StateUnavailable, match="not connected"):
        asyncio.run(make(redis_server).run([(3, "SET", "total", "7")]))


def test_nobody_there(redis_server: RedisServer) -> None:
    with pytest.raises(StateUnavailable):
        asyncio.run(Line((f"{redis_server.socket}-not", 0), OWN, lambda: "w").open())


def test_server_dies_and_comes_back(redis_server: RedisServer) -> None:
    async def run() -> None:
        line = make(redis_server)
        await line.open()
        redis_server.kill()
        with pytest.raises(StateUnavailable):
            await line.run([(3, "SET", "a", "1")])
        redis_server.start()
        with pytest.raises(StateUnavailable, match="not connected"):
            await line.run([(3, "SET", "a", "1")])
        await line.open()
        assert await line.ask([(3, "GET", "a")]) == [None]
        await line.close()

    asyncio.run(run())


@pytest.mark.parametrize("event", ["emptied", "another writer"])
def test_redis_is_no_longer_ours(redis_server: RedisServer, event: str) -> None:
    async def run() -> None:
        line, other = make(redis_server), make(redis_server)
        await line.open()
        if event == "emptied":
            redis_server.connect(0).flushall()
        else:
            await other.open()
        with pytest.raises(StateUnavailable, match="FENCED"):
            await line.run([(3, "SET", "a", "1")])
        await line.open()
        await line.run([(3, "SET", "a", "2")])
        await line.close()
        await other.close()

    asyncio.run(run())
    assert redis_server.connect(3).get("a") == "2"
    assert redis_server.connect(OWN).exists(WRITER)


def test_slow_server_is_given_up(redis_server: RedisServer) -> None:
    """What it does in the end, if it does it, is of the past: the next writer has another name."""

    async def run() -> None:
        line = make(redis_server, timeout=0.1)
        await line.open()
        busy = redis_server.connect(0)
        busy.client_pause(400)
        with pytest.raises(StateUnavailable, match="Timeout"):
            await line.run([(3, "SET", "late", "1")])
        await asyncio.sleep(0.4)
        await line.open()
        await line.run([(3, "SET", "next", "1")])
        await line.close()

    asyncio.run(run())
