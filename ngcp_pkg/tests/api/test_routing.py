"""Peerings, rewrite rules, classes of service, portability and emergency mappings over REST."""

from collections.abc import Callable

import pytest

from api.conftest import SHOW, Api
from api.parents import (
    Fields,
    carrier,
    container,
    group,
    level,
    level_carrier,
    peering_contract,
    rule_set,
    seen,
)

#: What to POST, and a change of it.
GOOD: dict[str, tuple[Callable[[Api], Fields], Fields]] = {
    "peeringgroups": (lambda api: {"name": "a", "contract_id": peering_contract(api)}, {"priority": 3}),
    "peeringservers": (
        lambda api: {"group_id": group(api), "name": "a", "ip": "192.0.2.1"},
        {"transport": 3, "host": "sip.example.net", "enabled": False, "via_route": "sip:192.0.2.9;lr"},
    ),
    "peeringrules": (lambda api: {"group_id": group(api)}, {"callee_prefix": "43", "stopper": True}),
    "peeringinboundrules": (
        lambda api: {"group_id": group(api), "field": "ruri_user", "pattern": "^43"},
        {"reject_code": 403, "reject_reason": "No"},
    ),
    "rewriterulesets": (lambda api: {"name": "a"}, {"description": "b"}),
    "rewriterules": (
        lambda api: {"set_id": rule_set(api), "match_pattern": "^0(.*)$", "replace_pattern": r"43\1"},
        {"direction": "lnp", "field": "callee", "priority": 1, "enabled": False},
    ),
    "lnpcarriers": (lambda api: {"name": "a"}, {"prefix": "D2", "authoritative": True}),
    "lnpnumbers": (
        lambda api: {"carrier_id": carrier(api), "number": "4311001"},
        {"routing_number": "D1", "type": "mobile", "start": "2026-01-01 00:00:00"},
    ),
    "emergencymappingcontainers": (lambda api: {"name": "a"}, {"name": "b"}),
    "emergencymappings": (
        lambda api: {"emergency_container_id": container(api), "code": "112"},
        {"prefix": "E1_", "suffix": "_x"},
    ),
    "ncoslevels": (lambda api: {"level": "a"}, {"mode": "whitelist", "local_ac": True}),
    "ncospatterns": (lambda api: {"ncos_level_id": level(api), "pattern": "^43"}, {"pattern": "^49"}),
    "ncoslnpcarriers": (
        lambda api: {"ncos_level_id": level(api), "carrier_id": carrier(api)},
        {"description": "b"},
    ),
    "ncoslnppatterns": (
        lambda api: {"ncos_lnp_carrier_id": level_carrier(api), "pattern": "^43"},
        {"pattern": "^49"},
    ),
    "ncossets": (lambda api: {"name": "a", "levels": [level(api)]}, {"levels": []}),
}
every_resource = pytest.mark.parametrize("name", GOOD)


@every_resource
def test_made_shown_found_changed_put_back_and_removed(api: Api, name: str) -> None:
    fields, change = GOOD[name]
    given = fields(api)
    made = api.make(name, **given)
    path = f"/api/{name}/{made['id']}"
    assert api.registrar.announced.pop() == {"platform"}
    assert {field: made[field] for field in given} == given
    assert api.get(path) == made
    key, value = next((key, value) for key, value in given.items() if not isinstance(value, list))
    assert api.get(f"/api/{name}/?{key}={value}".replace("^", "%5E"))["total_count"] == 1

    changed = api.change(path, **change)
    assert changed.status_code == 200, changed.text
    assert {field: changed.json()[field] for field in change} == change
    assert api.registrar.announced.pop() == {"platform"}

    response = api.ask("PUT", path, json=changed.json(), headers=SHOW)
    assert response.status_code == 200, response.text
    assert response.json() == changed.json()

    assert api.ask("DELETE", path).status_code == 204
    assert api.registrar.announced.pop() == {"platform"}
    assert api.ask("GET", path).status_code == 404


@every_resource
def test_nothing_is_found_by_injection(api: Api, name: str) -> None:
    made = api.make(name, **GOOD[name][0](api))
    text = next((key for key, value in made.items() if isinstance(value, str)), "description")
    for attack in ("1' OR '1'='1", "1; DROP TABLE x", "%", "\\"):
        refuse(api, name, text, attack)


def refuse(api: Api, name: str, text: str, attack: str) -> None:
    assert api.ask("GET", f"/api/{name}/", params={text: attack}).json()["total_count"] == 0
    assert api.ask("GET", f"/api/{name}/", params={"id": attack}).status_code == 400
    assert api.ask("GET", f"/api/{name}/", params={"order_by": attack}).status_code == 400
    assert api.ask("GET", f"/api/{name}/{attack}").status_code in (400, 404)


BAD = (
    ("peeringgroups", "contract_id", 1),  # the provider's own, with a reseller
    ("peeringgroups", "contract_id", 999),
    ("peeringgroups", "priority", 0),
    ("peeringgroups", "name", ""),
    ("peeringservers", "ip", "sip.example.net"),
    ("peeringservers", "ip", "192.0.2.256"),
    ("peeringservers", "host", "not a host"),
    ("peeringservers", "port", 0),
    ("peeringservers", "port", 65536),
    ("peeringservers", "transport", 4),
    ("peeringservers", "weight", -1),
    ("peeringservers", "via_route", "192.0.2.9"),
    ("peeringservers", "group_id", 999),
    ("peeringrules", "callee_prefix", "4 3"),
    ("peeringrules", "callee_pattern", "(a*)*b"),
    ("peeringrules", "caller_pattern", "("),
    ("peeringinboundrules", "field", "via"),
    ("peeringinboundrules", "pattern", "["),
    ("peeringinboundrules", "reject_code", 200),
    ("rewriterulesets", "name", "x" * 33),
    ("rewriterulesets", "rewriterules", [{"match_pattern": "(", "replace_pattern": "x"}]),
    ("rewriterules", "match_pattern", "(a+)+$"),
    ("rewriterules", "match_pattern", "${caller_pin}"),
    ("rewriterules", "replace_pattern", r"\2"),
    ("rewriterules", "replace_pattern", "${cc}"),
    ("rewriterules", "direction", "up"),
    ("rewriterules", "set_id", 999),
    ("lnpcarriers", "prefix", "D 1"),
    ("lnpnumbers", "number", "+4311"),
    ("lnpnumbers", "carrier_id", 999),
    ("lnpnumbers", "start", "yesterday"),
    ("emergencymappingcontainers", "reseller_id", 999),
    ("emergencymappings", "code", "abc"),
    ("emergencymappings", "prefix", "E 1"),
    ("emergencymappings", "emergency_container_id", 999),
    ("ncoslevels", "mode", "grey"),
    ("ncospatterns", "pattern", "(a*)*b"),
    ("ncospatterns", "ncos_level_id", 999),
    ("ncoslnpcarriers", "carrier_id", 999),
    ("ncoslnppatterns", "pattern", ""),
    ("ncoslnppatterns", "ncos_lnp_carrier_id", 999),
    ("ncossets", "levels", [999]),
)


@pytest.mark.parametrize(("name", "field", "value"), BAD)
def test_a_bad_field_is_named(api: Api, name: str, field: str, value: object) -> None:
    given = GOOD[name][0](api)
    assert f"field='{field}" in api.refused(name, 422, **(given | {field: value}))
    assert api.get(f"/api/{name}/")["total_count"] == 0


TAKEN = ("peeringgroups", "peeringservers", "rewriterulesets", "emergencymappings", "ncoslevels", "ncossets")


@pytest.mark.parametrize("name", TAKEN)
def test_a_name_exists_once(api: Api, name: str) -> None:
    given = GOOD[name][0](api)
    api.make(name, **given)
    assert "exists already" in api.refused(name, 422, **given)


@pytest.mark.parametrize(
    ("name", "field"),
    [("peeringservers", "group_id"), ("rewriterules", "set_id"), ("ncospatterns", "ncos_level_id")],
)
def test_what_it_belongs_to_stays(api: Api, name: str, field: str) -> None:
    made = api.make(name, **GOOD[name][0](api))
    response = api.change(f"/api/{name}/{made['id']}", **{field: made[field] + 1})
    assert response.status_code == 422
    assert f"field='{field}'" in response.json()["message"]


def test_a_carrier_with_numbers_cannot_go(api: Api) -> None:
    number = api.make("lnpnumbers", carrier_id=carrier(api), number="4311001")
    assert api.ask("DELETE", f"/api/lnpcarriers/{number['carrier_id']}").status_code == 423


def test_a_rejecting_rule_needs_code_and_reason(api: Api) -> None:
    given = GOOD["peeringinboundrules"][0](api)
    assert "go together" in api.refused("peeringinboundrules", 422, **given, reject_code=403)


def test_a_number_ends_after_it_begins(api: Api) -> None:
    given = GOOD["lnpnumbers"][0](api)
    times = {"start": "2026-01-02T00:00:00Z", "end": "2026-01-02T01:00:00+02:00"}
    assert "field='end'" in api.refused("lnpnumbers", 422, **given, **times)


def test_forms_may_send_texts(api: Api) -> None:
    server = api.make(
        "peeringservers",
        group_id=group(api),
        name="a",
        ip="2001:DB8::01",
        transport="2",
        host="",
        via_route="",
    )
    assert (server["ip"], server["transport"], server["host"]) == ("2001:db8::1", 2, None)


@pytest.mark.parametrize(
    ("actual", "found"),
    [("now", ["1"]), ("2020-06-01", []), ("2031-01-01 00:00:00", ["1", "2"])],
)
def test_ported_numbers_are_found_by_time(api: Api, actual: str, found: list[str]) -> None:
    provider = carrier(api)
    for number, begins in (("1", "2021-01-01"), ("2", "2030-01-01")):
        api.make("lnpnumbers", carrier_id=provider, number=number, start=begins)
    listed = api.get(f"/api/lnpnumbers/?actual={actual}&order_by=number")
    assert [one["number"] for one in listed["_embedded"]["ngcp:lnpnumbers"]] == found
    assert api.ask("GET", "/api/lnpnumbers/?actual=soon").status_code == 400


def test_a_contract_with_peers_cannot_end(api: Api) -> None:
    contract = api.make("peeringgroups", **GOOD["peeringgroups"][0](api))["contract_id"]
    assert api.change(f"/api/contracts/{contract}", status="terminated").status_code == 423


def test_a_set_has_levels_of_its_own_reseller_only(api: Api) -> None:
    api.database.run(
        "INSERT INTO billing.contracts (contact_id, product_id) SELECT contact_id, product_id"
        " FROM billing.contracts LIMIT 1",
        "INSERT INTO billing.resellers (contract_id, name) SELECT MAX(id), 'other' FROM billing.contracts",
    )
    ((other,),) = api.database.run("SELECT id FROM billing.resellers WHERE name = 'other'")
    foreign = api.make("ncoslevels", level="a", reseller_id=other)["id"]
    assert "field='levels'" in api.refused("ncossets", 422, name="a", levels=[level(api), foreign])
    assert api.make("ncossets", name="a", levels=[foreign], reseller_id=other)["levels"] == [foreign]


@pytest.mark.parametrize(
    ("name", "fields", "attribute"),
    [
        ("rewriterulesets", {"name": "a"}, "rewrite_rule_set"),
        ("ncoslevels", {"level": "a"}, "ncos"),
        ("ncossets", {"name": "a"}, "ncos_set"),
        ("emergencymappingcontainers", {"name": "a"}, "emergency_mapping_container"),
        ("soundsets", {"name": "a"}, "sound_set"),
    ],
)
def test_what_a_preference_names_cannot_go(api: Api, name: str, fields: Fields, attribute: str) -> None:
    domain = api.make("domains", domain="example.org")["id"]
    other, named = api.make(name, **{key: "b" for key in fields})["id"], api.make(name, **fields)["id"]
    preferences = f"/api/domainpreferences/{domain}"
    set_it = [{"op": "add", "path": f"/{attribute}", "value": "a"}]
    assert api.patch(preferences, set_it).status_code == 200
    response = api.ask("DELETE", f"/api/{name}/{named}")
    assert response.status_code == 423
    assert response.json()["message"] == "Entity is still in use by dom preferences."
    assert api.ask("DELETE", f"/api/{name}/{other}").status_code == 204
    api.patch(preferences, [{"op": "remove", "path": f"/{attribute}"}])
    assert api.ask("DELETE", f"/api/{name}/{named}").status_code == 204


def test_what_is_set_for_a_peer_goes_with_it(api: Api) -> None:
    server = api.make("peeringservers", group_id=group(api), name="a", ip="192.0.2.1")
    set_it = [{"op": "add", "path": "/concurrent_max", "value": 3}]
    assert api.patch(f"/api/peeringserverpreferences/{server['id']}", set_it).status_code == 200
    assert seen(api).peer_groups[0].peers[0].preferences.number("concurrent_max") == 3
    copied = api.database.run(
        "SELECT value FROM kamailio.peer_preferences WHERE attribute = 'concurrent_max'"
    )
    assert copied == [("3",)]
    api.ask("DELETE", f"/api/peeringgroups/{server['group_id']}")
    assert api.database.run("SELECT * FROM provisioning.voip_peer_preferences") == []
    assert api.database.run("SELECT * FROM kamailio.peer_preferences") == []
