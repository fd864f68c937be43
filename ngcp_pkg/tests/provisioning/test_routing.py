"""What the proxy learns about routes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ngcp.provisioning.line import Line
from ngcp.provisioning.runtime import (
    DEFAULTS,
    Carrier,
    Directory,
    InboundRule,
    Name,
    NcosLevel,
    Peer,
    PeerGroup,
    PeerRule,
    Platform,
    Ported,
    Preferences,
    RewriteRule,
)
from private_mariadb import Server

T = TypeVar("T")


def ask(server: Server, question: Callable[[Directory], Awaitable[T]]) -> T:
    async def main() -> T:
        line = Line(server.socket, server.user, 2.0)
        try:
            return await question(Directory(line))
        finally:
            line.close()

    return asyncio.run(main())


def platform(server: Server, *statements: str) -> Platform:
    for statement in statements:
        server.run(statement)
    return ask(server, lambda directory: directory.platform())


def test_nothing_is_provisioned_at_first(database: Server) -> None:
    assert platform(database) == Platform(defaults=DEFAULTS)


def test_rules_of_a_dialplan_are_in_order(database: Server) -> None:
    seen = platform(
        database,
        "INSERT INTO kamailio.dialplan (dpid, pr, match_op, match_exp, match_len, subst_exp, repl_exp, attrs)"
        " VALUES (7, 50, 1, '^0', 0, '^0', 'b', ''), (7, 10, 1, '^1', 0, '^1', 'a', ''),"
        " (8, 1, 1, '.', 0, '.', 'c', '')",
    )
    assert seen.dialplans == {
        7: (RewriteRule("^1", "a"), RewriteRule("^0", "b")),
        8: (RewriteRule(".", "c"),),
    }


def test_peer_groups_come_by_priority_with_what_is_enabled(database: Server) -> None:
    seen = platform(
        database,
        "INSERT INTO provisioning.voip_peer_groups (id, name, priority)"
        " VALUES (1, 'last', 9), (2, 'first', 1)",
        "INSERT INTO provisioning.voip_peer_hosts"
        " (id, group_id, name, ip, host, port, transport, weight, via_route, enabled, probe) VALUES"
        " (1, 2, 'a', '192.0.2.1', 'a.example', 5061, 3, 5, 'sip:192.0.2.9;lr', 1, 1),"
        " (2, 2, 'b', '2001:db8::1', NULL, 5060, 1, 0, NULL, 1, 0),"
        " (3, 2, 'c', '192.0.2.3', NULL, 5060, 1, 0, NULL, 0, 0)",
        "INSERT INTO provisioning.voip_peer_rules"
        " (group_id, callee_prefix, callee_pattern, caller_pattern, stopper, enabled) VALUES"
        " (2, '43', NULL, '^sip:', 1, 1), (2, '49', NULL, NULL, 0, 0)",
        "INSERT INTO provisioning.voip_peer_inbound_rules"
        " (group_id, field, pattern, reject_code, reject_reason, priority, enabled) VALUES"
        " (2, 'ruri_user', '^2', 403, 'No', 2, 1), (2, 'ruri_user', '^1', NULL, NULL, 1, 1),"
        " (2, 'ruri_user', '^0', NULL, NULL, 0, 0)",
    )
    unset = Preferences(({}, DEFAULTS))
    first = PeerGroup(
        2,
        "first",
        1,
        0,
        (PeerRule("43", "", "^sip:", is_stopper=True),),
        (InboundRule("ruri_user", "^1"), InboundRule("ruri_user", "^2", 403, "No")),
        (
            Peer(1, "a", "192.0.2.1", 5061, "tls", "a.example", 5, "sip:192.0.2.9;lr", True, unset),
            Peer(2, "b", "2001:db8::1", 5060, "udp", weight=0, preferences=unset),
        ),
    )
    assert seen.peer_groups == (first, PeerGroup(1, "last", 9, 0, (), (), ()))


def test_levels_come_with_patterns_and_carriers(database: Server) -> None:
    seen = platform(
        database,
        "INSERT INTO billing.lnp_providers (id, name, prefix, authoritative, skip_rewrite)"
        " VALUES (1, 'one', 'D1', 1, 0), (2, 'two', '', 0, 1)",
        "INSERT INTO billing.ncos_levels (id, level, mode, local_ac, intra_pbx)"
        " VALUES (1, 'black', 'blacklist', 0, 0), (2, 'white', 'whitelist', 1, 1)",
        "INSERT INTO billing.ncos_pattern_list (ncos_level_id, pattern) VALUES (1, '^43'), (1, '^49')",
        "INSERT INTO billing.ncos_lnp_list (id, ncos_level_id, lnp_provider_id) VALUES (1, 2, 1), (2, 2, 2)",
        "INSERT INTO billing.ncos_lnp_pattern_list (ncos_lnp_list_id, pattern) VALUES (2, '^431')",
        "INSERT INTO billing.ncos_sets (id, name) VALUES (5, 'both')",
        "INSERT INTO billing.ncos_set_levels (ncos_set_id, ncos_level_id) VALUES (5, 2), (5, 1)",
    )
    assert seen.ncos_levels == {
        1: NcosLevel("black", False, ("^43", "^49")),
        2: NcosLevel("white", True, (), frozenset({1}), ((2, "^431"),), True, True),
    }
    assert seen.ncos_sets == {5: (2, 1)}
    assert seen.carriers == {
        1: Carrier(1, "one", "D1", is_authoritative=True),
        2: Carrier(2, "two", "", skips_rewrite=True),
    }


def test_emergency_codes_come_as_what_they_become(database: Server) -> None:
    seen = platform(
        database,
        "INSERT INTO provisioning.emergency_containers (id, reseller_id, name)"
        " SELECT 3, id, 'c' FROM billing.resellers",
        "INSERT INTO provisioning.emergency_mappings (emergency_container_id, code, prefix, suffix)"
        " VALUES (3, '112', 'E1_', NULL), (3, '133', NULL, '_E2')",
    )
    assert seen.emergency == {3: {"112": "E1_112", "133": "133_E2"}}


def test_ported_numbers_count_while_they_are_ported(database: Server) -> None:
    database.run(
        "INSERT INTO billing.lnp_providers (id, name) VALUES (1, 'one'), (2, 'two')",
        "INSERT INTO billing.lnp_numbers (number, lnp_provider_id, routing_number, type, start, end)"
        " VALUES ('431', 1, '43999', 'mobile', NULL, NULL),"
        " ('432', 1, NULL, NULL, '2020-01-01', '2021-01-01'),"
        " ('433', 1, NULL, NULL, '2999-01-01', NULL),"
        " ('434', 2, NULL, NULL, '2022-01-01', NULL), ('434', 1, NULL, NULL, '2021-01-01', NULL)",
        "INSERT INTO billing.lnp_numbers (number, lnp_provider_id)"
        " SELECT seq, 2 FROM billing.seq_1000_to_1999",
    )
    few = [Name(number, "") for number in ("431", "432", "433", "434", "435", "' OR 1=1 -- ", "a\udce4")]
    assert ask(database, lambda directory: directory.ported(few)) == {
        Name("431", ""): Ported(1, "43999", "mobile"),
        Name("434", ""): Ported(2),
    }
    many = {Name(str(number), "") for number in range(900, 2100)}
    assert len(ask(database, lambda directory: directory.ported(many))) == 1000
    assert ask(database, lambda directory: directory.ported([])) == {}


def test_announcements_are_inherited(database: Server) -> None:
    seen = platform(
        database,
        "INSERT INTO provisioning.voip_sound_sets (id, reseller_id, name, parent_id) VALUES"
        " (1, 1, 'all', NULL), (2, 1, 'some', 1), (3, 1, 'none', NULL), (4, 1, 'a', NULL), (5, 1, 'b', 4)",
        "UPDATE provisioning.voip_sound_sets SET parent_id = 5 WHERE id = 4",
        "INSERT INTO provisioning.voip_sound_files (filename, data, handle_id, set_id)"
        " SELECT 'f', IF(name = 'cf_loop', NULL, 'x'), id, IF(name = 'callee_busy', 2, 1)"
        " FROM provisioning.voip_sound_handles WHERE name IN ('callee_busy', 'callee_offline', 'cf_loop')",
    )
    assert seen.announcements == {
        1: {"callee_offline"},
        2: {"callee_busy", "callee_offline"},
        **{empty: frozenset() for empty in (3, 4, 5)},
    }
