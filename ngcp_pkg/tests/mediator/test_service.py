"""The daemon over real servers: it works by itself, and says what it does."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lb.ports import free_port, free_ports
from mediator.calls import START, Node, start, stop
from ngcp.mediator.config import Configuration, Database, Redis, load
from ngcp.mediator.control import metrics
from ngcp.mediator.service import MediatorService
from ngcp.service import client
from ngcp.service.commands import Json
from ngcp.service.config import ConfigError
from ngcp.service.endpoint import Endpoint
from ngcp.service.metrics import Metrics
from private_mariadb import Server
from private_redis import RedisServer
from service.prometheus import read

#: What the server does not like but takes.
pytestmark = pytest.mark.filterwarnings("ignore::Warning:aiomysql")

PATIENCE = 10.0


def configuration(database: Server, redis: RedisServer) -> Configuration:
    first = free_ports(2)
    return Configuration(
        Endpoint("127.0.0.1", first),
        Database(database.socket),
        Redis(redis.socket, 0),
        interval=0.05,
        metrics=Metrics(first + 1),
    )


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not is_so():
            await asyncio.sleep(0.02)


async def ask(given: Configuration, command: str) -> Json:
    url = f"http://127.0.0.1:{given.xmlrpc.port}/RPC2"
    return await asyncio.to_thread(client.call, url, command)


def drop_months(database: Server) -> None:
    rows = database.run(
        "SELECT GROUP_CONCAT(PARTITION_NAME) FROM information_schema.PARTITIONS"
        " WHERE TABLE_SCHEMA = 'accounting' AND TABLE_NAME = 'cdr'"
    )
    database.run(
        f"ALTER TABLE accounting.cdr REORGANIZE PARTITION {rows[0][0]}"
        " INTO (PARTITION pmax VALUES LESS THAN MAXVALUE)"
    )


def test_calls_become_cdrs_and_operators_are_told(database: Server, redis_server: RedisServer) -> None:
    given = configuration(database, redis_server)
    other = replace(given, xmlrpc=Endpoint("127.0.0.1", free_port()), metrics=Metrics())
    node = Node(database, redis_server)

    async def main() -> None:
        service, second = MediatorService(given), MediatorService(other)
        await service.start()
        try:
            node.to_redis(start(), stop(), stop("alone", START + 1))
            await until(lambda: bool(node.cdrs()))
            assert service.status() == "1 records wait"
            assert await ask(given, "status") == "1 records wait"
            rows = await ask(given, "stuck")
            assert isinstance(rows, list) and isinstance(rows[0], dict)
            assert (rows[0]["call_id"], rows[0]["why"]) == ("alone", "there is no start record")
            samples = read(metrics(service._mediator))
            assert samples["ngcp_mediator_cdrs_total", "ok"] == 1
            await second.start()
            await asyncio.sleep(0.2)
            assert second.status() == "another mediator is at work"
        finally:
            await service.stop()
            await second.stop()

    try:
        asyncio.run(main())
    finally:
        drop_months(database)
    assert node.cdrs() == [("c1", "0", "ok", "60.000")]


def test_mariadb_is_not_there_yet(redis_server: RedisServer) -> None:
    async def main() -> None:
        given = configuration(Server("/nonexistent", "nobody", 0), redis_server)
        service = MediatorService(given)
        await service.start()
        try:
            await until(lambda: service.status().startswith("waiting for MariaDB"))
        finally:
            await service.stop()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("pause: 1", "pause"),
        ("interval: 0", "interval is more than 0 seconds"),
        ("redis: {database: 3}", "database"),
    ],
)
def test_a_configuration_that_means_nothing(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "mediator.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        load(path)


def test_what_is_stored_is_rated(database: Server, redis_server: RedisServer) -> None:
    given = configuration(database, redis_server)
    node = Node(database, redis_server)
    statuses = "SELECT COUNT(*) FROM accounting.cdr WHERE rating_status <> 'unrated' AND rated_at IS NOT NULL"

    async def main() -> None:
        service = MediatorService(given)
        await service.start()
        try:
            node.to_redis(start(), stop())
            await until(lambda: database.run(statuses) == [(1,)])
        finally:
            await service.stop()

    asyncio.run(main())
