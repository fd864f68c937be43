"""What the proxy learns about call features: for many subscribers at once, by few statements."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from ngcp.provisioning.line import Line, Row
from ngcp.provisioning.runtime import (
    Destination,
    Directory,
    Forward,
    LocationMapping,
    Name,
    PatternSet,
    Period,
    Subscriber,
    TrustedSource,
)
from private_mariadb import Server

#: Subscribers of the test: more than one statement asks for.
MANY = 450


class CountedLine(Line):
    """A line that counts statements."""

    statements = 0

    async def fetch(self, statement: str) -> Sequence[Row]:
        self.statements += 1
        return await super().fetch(statement)


@pytest.fixture
def many(database: Server) -> Server:
    database.run(
        "INSERT INTO provisioning.voip_domains (id, domain) VALUES (7, 'example.org')",
        "INSERT INTO provisioning.voip_subscribers (id, username, domain_id, uuid, password)"
        f" SELECT seq, seq, 7, CONCAT('u', seq), '' FROM kamailio.seq_1_to_{MANY}",
        "INSERT INTO kamailio.subscriber (username, domain, password, ha1, ha1b, uuid, timezone)"
        " SELECT seq, 'example.org', '', '', '', CONCAT('u', seq), IF(seq = 1, 'Europe/Vienna', '')"
        f" FROM kamailio.seq_1_to_{MANY}",
    )
    return database


def provision(server: Server, sets: bool) -> None:
    """Let each subscriber have a forward, limited by sets if so wanted, a speed dial and a place."""
    tables = "destination", "time", "source", "bnumber"
    of_all = f"FROM kamailio.seq_1_to_{MANY}"
    run = server.run
    for table in tables:
        run(
            f"INSERT INTO provisioning.voip_cf_{table}_sets (id, subscriber_id, name)"
            f" SELECT seq, seq, 'a' {of_all}"
        )
    limits = "seq, seq, seq" if sets else "NULL, NULL, NULL"
    run(
        "INSERT INTO provisioning.voip_cf_destinations (destination_set_id, destination, priority, timeout)"
        f" SELECT seq, CONCAT('sip:late', seq), 2, 20 {of_all}",
        "INSERT INTO provisioning.voip_cf_destinations (destination_set_id, destination, priority, timeout)"
        f" SELECT seq, CONCAT('sip:soon', seq), 1, 10 {of_all}",
        f"INSERT INTO provisioning.voip_cf_periods (time_set_id, hour) SELECT seq, '8-17' {of_all}",
        f"INSERT INTO provisioning.voip_cf_sources (source_set_id, source) SELECT seq, '43*' {of_all}",
        f"INSERT INTO provisioning.voip_cf_bnumbers (bnumber_set_id, bnumber) SELECT seq, seq {of_all}",
        "INSERT INTO provisioning.voip_cf_mappings"
        " (subscriber_id, type, destination_set_id, time_set_id, source_set_id, bnumber_set_id)"
        f" SELECT seq, 'cfna', seq, {limits} {of_all}",
        "INSERT INTO provisioning.voip_speed_dial (subscriber_id, slot, destination)"
        f" SELECT seq, '*1', CONCAT('sip:dial', seq) {of_all}",
        "INSERT INTO provisioning.voip_subscriber_location_mappings (subscriber_id, location, mode)"
        f" SELECT seq, CONCAT('sip:place', seq), 'add' {of_all}",
    )


def learn(server: Server) -> tuple[Mapping[Name, Subscriber], int]:
    """Return all subscribers, and how many statements that took."""

    async def main() -> tuple[Mapping[Name, Subscriber], int]:
        line = CountedLine(server.socket, server.user, 5.0)
        try:
            names = [Name(str(number), "example.org") for number in range(1, MANY + 1)]
            return await Directory(line).subscribers(names), line.statements
        finally:
            line.close()

    return asyncio.run(main())


def test_who_has_nothing_done_costs_three_statements_for_two_hundred(many: Server) -> None:
    found, statements = learn(many)
    assert len(found) == MANY
    assert not any(one.forwards or one.locations or one.speed_dials for one in found.values())
    assert statements <= 3 + 3 * 3


def test_everybody_gets_his_own(many: Server) -> None:
    provision(many, sets=True)
    found, statements = learn(many)
    assert len(found) == MANY
    for name, one in found.items():
        number = name.user
        leads = (Destination(f"sip:soon{number}", 10.0), Destination(f"sip:late{number}", 20.0))
        period, own = (Period(hour="8-17"),), PatternSet((number,))
        assert one.forwards == (Forward("cfna", leads, period, PatternSet(("43*",)), own),)
        assert one.speed_dials == {"*1": f"sip:dial{number}"}
        assert one.locations == (LocationMapping(f"sip:place{number}", "add"),)
    assert statements <= 3 + 3 * 6


def test_sets_that_nobody_uses_are_not_asked_for(many: Server) -> None:
    provision(many, sets=False)
    found, statements = learn(many)
    assert {one.forwards[0].periods for one in found.values()} == {None}
    assert statements <= 3 + 3 * 3


def test_forwards_come_in_the_order_in_which_they_were_made(many: Server) -> None:
    many.run(
        "INSERT INTO provisioning.voip_cf_destination_sets (id, subscriber_id, name)"
        " VALUES (1, 1, 'a'), (2, 1, 'empty')",
        "INSERT INTO provisioning.voip_cf_destinations (destination_set_id, destination)"
        " VALUES (1, 'sip:a@b')",
        "INSERT INTO provisioning.voip_cf_mappings"
        " (subscriber_id, type, destination_set_id, enabled, use_redirection) VALUES"
        " (1, 'cfu', 1, 1, 1), (1, 'cfb', 1, 0, 0), (1, 'cfu', 2, 1, 0), (1, 'cfo', 1, 1, 0)",
    )
    found, _ = learn(many)
    leads = (Destination("sip:a@b"),)
    forwards = found[Name("1", "example.org")].forwards
    assert forwards == (Forward("cfu", leads, uses_redirection=True), Forward("cfo", leads))


def test_each_has_his_own_clock(many: Server) -> None:
    found, _ = learn(many)
    zones = [found[Name(user, "example.org")].timezone for user in ("1", "2")]
    assert zones == ["Europe/Vienna", ""]


def test_device_aliases_are_told_apart(many: Server) -> None:
    many.run(
        "INSERT INTO kamailio.dbaliases (alias_username, alias_domain, username, domain, is_devid) VALUES"
        " ('4311', 'example.org', '1', 'example.org', 0), ('4312', 'example.org', '1', 'example.org', 1),"
        " ('4313', 'example.net', '1', 'example.org', 1)"
    )
    found, _ = learn(many)
    one = found[Name("1", "example.org")]
    assert one.aliases == {"4311", "4312", "4313@example.net"}
    assert one.device_aliases == {"4312", "4313@example.net"}


def test_trusted_sources_are_the_platforms(database: Server) -> None:
    async def main() -> tuple[TrustedSource, ...]:
        line = Line(database.socket, database.user, 5.0)
        try:
            return (await Directory(line).platform()).trusted
        finally:
            line.close()

    database.run(
        "INSERT INTO kamailio.trusted (src_ip, proto, from_pattern, tag)"
        " VALUES ('192.0.2.1', 'TLS', '^sip:', 'u1'), ('192.0.2.2', 'ANY', NULL, 'u2')"
    )
    assert asyncio.run(main()) == (
        TrustedSource("u1", "192.0.2.1", "TLS", "^sip:"),
        TrustedSource("u2", "192.0.2.2", "ANY"),
    )
