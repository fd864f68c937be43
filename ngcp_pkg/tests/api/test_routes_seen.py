"""What the proxy sees of routes that are provisioned over REST."""

import asyncio
from dataclasses import replace

from api.conftest import Api
from api.parents import carrier, container, group, level_carrier, seen
from ngcp.provisioning.runtime import (
    Carrier,
    InboundRule,
    Name,
    NcosLevel,
    Peer,
    PeerRule,
    Platform,
    Ported,
    RewriteRule,
)
from ngcp.proxy.batches import settled
from ngcp.proxy.directory import Directory, Terms, Unknown
from ngcp.proxy.peers import Wanted, routes


def test_the_proxy_sees_peers_and_their_rules(api: Api) -> None:
    number = group(api)
    one = api.make("peeringservers", group_id=number, name="a", ip="192.0.2.1", weight=5, probe=True)["id"]
    off = api.make("peeringservers", group_id=number, name="b", ip="192.0.2.2", enabled=False)["id"]
    api.make("peeringrules", group_id=number, callee_prefix="43", callee_pattern="^sip:43", stopper=True)
    api.make("peeringinboundrules", group_id=number, field="ruri_user", pattern="^43")
    (found,) = seen(api).peer_groups
    peer = Peer(one, "a", "192.0.2.1", 5060, weight=5, is_probed=True)
    assert [replace(each, preferences=peer.preferences) for each in found.peers] == [peer]
    assert found.rules == (PeerRule("43", "^sip:43", "", is_stopper=True),)
    assert found.inbound_rules == (InboundRule("ruri_user", "^43"),)

    api.change(f"/api/peeringservers/{off}", enabled=True)
    assert [peer.id for peer in seen(api).peer_groups[0].peers] == [one, off]
    run = api.database.run
    assert run("SELECT gw_name, ip_addr, transport, uri_scheme FROM kamailio.lcr_gw ORDER BY id") == [
        ("a", "192.0.2.1", 1, 1),
        ("b", "192.0.2.2", 1, 1),
    ]
    assert run("SELECT prefix, request_uri, stopper FROM kamailio.lcr_rule") == [("43", "^sip:43", 1)]
    assert run("SELECT gw_id, priority, weight FROM kamailio.lcr_rule_target ORDER BY gw_id") == [
        (one, 1, 5),
        (off, 1, 1),
    ]
    assert run("SELECT setid, destination, attrs FROM kamailio.dispatcher") == [
        (100, "sip:192.0.2.1:5060;transport=udp", f"group={number};peerid={one}")
    ]
    assert run("SELECT has_inbound_rules FROM provisioning.voip_peer_groups") == [(1,)]

    api.ask("DELETE", f"/api/peeringgroups/{number}")
    assert seen(api).peer_groups == ()
    for table in ("lcr_gw", "lcr_rule", "lcr_rule_target", "dispatcher"):
        assert run(f"SELECT * FROM kamailio.{table}") == []


RULES = [
    {"match_pattern": "^00(.*)$", "replace_pattern": r"\1", "field": "callee"},
    {"match_pattern": "^0(.*)$", "replace_pattern": r"${caller_cc}\1", "field": "callee"},
    {"match_pattern": "^43(.*)$", "replace_pattern": r"0\1", "direction": "out"},
]


def test_the_proxy_sees_the_rules_of_a_set(api: Api) -> None:
    made = api.make("rewriterulesets", name="austria", rewriterules=RULES)
    path = f"/api/rewriterulesets/{made['id']}"
    assert [rule["priority"] for rule in made["rewriterules"]] == [30, 31, 32]
    assert len({made[f"{f}_{d}_dpid"] for f in ("caller", "callee") for d in ("in", "out", "lnp")}) == 6
    first, second = RewriteRule("^00(.*)$", r"\1"), RewriteRule("^0(.*)$", r"${caller_cc}\1")
    assert seen(api).dialplans == {
        made["callee_in_dpid"]: (first, second),
        made["caller_out_dpid"]: (RewriteRule("^43(.*)$", r"0\1"),),
    }

    rule = made["rewriterules"][1]["id"]
    assert api.change(f"/api/rewriterules/{rule}", priority=1).status_code == 200
    assert seen(api).dialplans[made["callee_in_dpid"]] == (second, first)
    assert api.change(path, description="new").json()["rewriterules"][0]["id"] == rule  # they stay

    api.change(path, rewriterules=RULES[:1])
    assert seen(api).dialplans == {made["callee_in_dpid"]: (first,)}
    assert api.database.run("SELECT match_op, subst_exp FROM kamailio.dialplan") == [(1, "^00(.*)$")]
    api.ask("DELETE", path)
    assert seen(api).dialplans == {}
    assert api.get("/api/rewriterules/")["total_count"] == 0


def test_dialplans_are_never_given_to_a_second_set(api: Api) -> None:
    first = api.make("rewriterulesets", name="a")
    api.ask("DELETE", f"/api/rewriterulesets/{first['id']}")
    second = api.make("rewriterulesets", name="b")
    assert not {first["caller_in_dpid"], first["callee_lnp_dpid"]} & {second["caller_in_dpid"]}


def test_the_proxy_sees_classes_of_service(api: Api) -> None:
    number = level_carrier(api)
    (ncos,) = seen(api).ncos_levels
    (provider,) = seen(api).carriers
    assert seen(api).carriers == {provider: Carrier(provider, "one", "D1")}
    assert seen(api).ncos_levels[ncos].carriers == {provider}
    api.make("ncoslnppatterns", ncos_lnp_carrier_id=number, pattern="^431")
    api.make("ncospatterns", ncos_level_id=ncos, pattern="^49")
    api.change(f"/api/ncoslevels/{ncos}", mode="whitelist", intra_pbx=True)
    assert seen(api).ncos_levels[ncos] == NcosLevel(
        "national", True, ("^49",), frozenset(), ((provider, "^431"),), False, True
    )
    chosen = api.make("ncossets", name="all", levels=[ncos, ncos])
    assert chosen["levels"] == [ncos]
    assert seen(api).ncos_sets == {chosen["id"]: (ncos,)}


def test_the_proxy_sees_emergency_mappings(api: Api) -> None:
    number = container(api)
    api.make("emergencymappings", emergency_container_id=number, code="112", prefix="E1_")
    assert seen(api).emergency == {number: {"112": "E1_112"}}


def test_the_proxy_asks_for_ported_numbers(api: Api) -> None:
    provider = carrier(api)
    for number, begins in (("4311001", "2026-01-01"), ("4311002", "2999-01-01")):
        api.make("lnpnumbers", carrier_id=provider, number=number, routing_number="D9", start=begins)
    names = [Name("4311001", ""), Name("4311002", "")]
    assert api.runner.run(api.directory.ported(names)) == {names[0]: Ported(provider, "D9")}


class Memory:
    """What a proxy remembers, and what it is told."""

    def __init__(self, api: Api) -> None:
        terms = Terms(300.0, lambda: 0.0, lambda work: asyncio.get_running_loop().create_task(work))
        self._api = api
        self._directory = Directory(api.directory, terms)

    def hear(self) -> None:
        """Learn what was announced since."""
        for names in self._api.registrar.announced:
            for name in names:
                self._directory.drop(str(name))
        self._api.registrar.announced.clear()

    def peers(self, number: str) -> list[str]:
        """Return the peers that a call to `number` is offered to."""
        wanted = Wanted(number, f"sip:{number}@example.org", "sip:43@example.org")
        groups = self._api.runner.run(self._platform()).peer_groups
        return [route.peer.name for route in routes(groups, wanted, lambda: 0.0)]

    async def _platform(self) -> Platform:
        try:
            return self._directory.platform()
        except Unknown as unknown:
            await settled(unknown.learn)
        return self._directory.platform()


def test_the_next_call_follows_a_change(api: Api) -> None:
    memory = Memory(api)
    number = group(api)
    server = api.make("peeringservers", group_id=number, name="a", ip="192.0.2.1")["id"]
    memory.hear()
    assert memory.peers("4311") == []
    api.make("peeringrules", group_id=number, callee_prefix="43")
    assert memory.peers("4311") == []  # it was not told yet
    memory.hear()
    assert memory.peers("4311") == ["a"]
    assert memory.peers("4911") == []
    api.change(f"/api/peeringservers/{server}", enabled=False)
    memory.hear()
    assert memory.peers("4311") == []
