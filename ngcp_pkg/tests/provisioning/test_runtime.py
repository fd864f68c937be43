"""What the proxy learns about domains, subscribers and numbers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from ngcp.provisioning.line import Line
from ngcp.provisioning.runtime import ANYWHERE, Directory, Name, Subscriber
from private_mariadb import Server

T = TypeVar("T")
ALICE = Subscriber(
    "11111111-1111-4111-8111-111111111111",
    "alice",
    "example.org",
    "5f4d",
    "secret",
    frozenset({"4311001"}),
)


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
        line = Line(server.socket, server.user, 2.0)
        try:
            return await question(Directory(line))
        finally:
            line.close()

    return asyncio.run(main())


def find(server: Server, *users: str, domain: str = "example.org") -> dict[Name, Subscriber]:
    return dict(ask(server, lambda d: d.subscribers([Name(user, domain) for user in users])))


def test_subscriber_by_name(directory: Server) -> None:
    assert find(directory, "alice") == {ALICE.name: ALICE}


def test_number_leads_to_its_owner(directory: Server) -> None:
    numbers = [Name("4311001", "example.org"), Name("4311002", "example.org")]
    assert ask(directory, lambda d: d.owners(numbers)) == {numbers[0]: ALICE.name}


def test_number_of_any_domain(directory: Server) -> None:
    numbers = [Name("4311001", ANYWHERE), Name("4311002", ANYWHERE)]
    assert ask(directory, lambda d: d.owners(numbers)) == {numbers[0]: ALICE.name}


def test_subscriber_by_uuid(directory: Server) -> None:
    uuids = [Name(ALICE.uuid, ""), Name("of-nobody", ""), Name("a\udce4", "")]
    assert ask(directory, lambda d: d.named(uuids)) == {uuids[0]: ALICE.name}
    assert ask(directory, lambda d: d.named(uuids[1:])) == ask(directory, lambda d: d.named([])) == {}


def test_number_of_another_domain_is_told_with_it(directory: Server) -> None:
    directory.run(
        "INSERT INTO kamailio.dbaliases (alias_username, alias_domain, username, domain)"
        " VALUES ('4311002', 'example.net', 'alice', 'example.org')"
    )
    assert find(directory, "alice")[ALICE.name].aliases == {"4311001", "4311002@example.net"}


def test_many_are_found_by_one_question_whatever_their_domains(directory: Server) -> None:
    directory.run(
        "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid)"
        " SELECT seq, IF(seq % 2, 'example.org', 'example.net'), '', '', '', UUID()"
        " FROM kamailio.seq_1_to_999"
    )
    names = {Name(str(n), "example.org" if n % 2 else "example.net") for n in range(1, 1500)}
    assert set(ask(directory, lambda d: d.subscribers(names))) == {n for n in names if int(n.user) < 1000}
    assert ask(directory, lambda d: d.subscribers([])) == {}


def test_secrets_are_not_shown(directory: Server) -> None:
    assert "secret" not in repr(find(directory, "alice"))


def test_domains_are_told_in_lower_case(directory: Server) -> None:
    directory.run("INSERT INTO kamailio.domain (domain) VALUES ('Example.NET')")
    assert set(ask(directory, lambda d: d.platform()).domains) == {"example.org", "example.net"}


@pytest.mark.parametrize(
    "name", ["Alice", "alice ", "àlice", "", "a\udce4", "' OR '1'='1", "alice' -- ", "%", "a\0", "\\"]
)
def test_nobody_passes_for_another(directory: Server, name: str) -> None:
    assert find(directory, name) == find(directory, "alice", domain=name) == {}
    numbers = [Name(name, "example.org"), Name("4311001", name)]
    assert ask(directory, lambda d: d.owners(numbers)) == {}


def test_a_locked_subscriber_is_seen_as_such(directory: Server) -> None:
    directory.run(
        "INSERT INTO kamailio.usr_preferences (uuid, attribute, value)"
        f" VALUES ('{ALICE.uuid}', 'lock', '4'), ('{ALICE.uuid}', 'cli', '4311001')"
    )
    assert find(directory, "alice")[ALICE.name].lock == 4
