"""What the proxy learns about domains, subscribers and numbers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from ngcp.provisioning.engine import connect
from ngcp.provisioning.runtime import Directory, Subscriber
from private_mariadb import Server

T = TypeVar("T")
ALICE = Subscriber("11111111-1111-4111-8111-111111111111", "alice", "example.org", "5f4d", "secret")


@pytest.fixture
def directory(database: Server) -> Server:
    database.run(
        "INSERT INTO kamailio.domain (domain) VALUES ('example.org')",
        "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid)"
        f" VALUES ('alice', 'example.org', 'secret', '5f4d', '', '{ALICE.uuid}')",
        "INSERT INTO kamailio.dbaliases (alias_username, alias_domain, username, domain)"
        " VALUES ('4311001', 'example.org', 'alice', 'example.org')",
    )
    return database


def ask(server: Server, question: Callable[[Directory], Awaitable[T]]) -> T:
    async def main() -> T:
        engine = connect(server.socket, server.user, 2.0)
        try:
            return await question(Directory(engine))
        finally:
            await engine.dispose()

    return asyncio.run(main())


def test_subscriber_by_name(directory: Server) -> None:
    assert ask(directory, lambda d: d.subscriber("alice", "example.org")) == ALICE


def test_subscriber_by_number(directory: Server) -> None:
    assert ask(directory, lambda d: d.by_alias("4311001", "example.org")) == ALICE
    assert ask(directory, lambda d: d.by_alias("4311002", "example.org")) is None


def test_secrets_are_not_shown(directory: Server) -> None:
    assert "secret" not in repr(ask(directory, lambda d: d.subscriber("alice", "example.org")))


def test_domains_do_not_care_for_case(directory: Server) -> None:
    assert ask(directory, lambda d: d.is_local_domain("EXAMPLE.org"))
    assert ask(directory, lambda d: d.subscriber("alice", "Example.ORG")) == ALICE
    assert not ask(directory, lambda d: d.is_local_domain("example.com"))


@pytest.mark.parametrize(
    "name", ["Alice", "alice ", "àlice", "", "a\udce4", "' OR '1'='1", "alice' -- ", "%", "a\0", "\\"]
)
def test_nobody_passes_for_another(directory: Server, name: str) -> None:
    assert ask(directory, lambda d: d.subscriber(name, "example.org")) is None
    assert ask(directory, lambda d: d.by_alias(name, "example.org")) is None
    assert not ask(directory, lambda d: d.is_local_domain(name))


def test_a_locked_subscriber_is_seen_as_such(directory: Server) -> None:
    directory.run(
        "INSERT INTO kamailio.usr_preferences (uuid, attribute, value)"
        f" VALUES ('{ALICE.uuid}', 'lock', '4'), ('{ALICE.uuid}', 'cli', '4311001')"
    )
    found = ask(directory, lambda d: d.subscriber("alice", "example.org"))
    assert found is not None
    assert found.lock == 4
