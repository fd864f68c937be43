"""What is set for subscribers, customers, domains, resellers and peers: told by REST, seen by the proxy."""

from typing import Any

import httpx
import pytest

from api.conftest import Api
from ngcp.provisioning.preferences.catalogue import CATALOGUE
from ngcp.provisioning.runtime import Platform
from ngcp.provisioning.tables.numbers import DPIDS

LEVELS = ("subscriber", "domain", "customer", "profile", "reseller", "peeringserver")


@pytest.fixture
def alice(api: Api, customer: int) -> int:
    number = {"cc": "43", "ac": "1", "sn": "1001"}
    return int(api.subscriber("alice", customer, primary_number=number)["id"])


def of(number: int, kind: str = "subscriber") -> str:
    return f"/api/{kind}preferences/{number}"


def platform_seen(api: Api) -> Platform:
    return api.runner.run(api.directory.platform())


def seen(api: Api, attribute: str, username: str = "alice") -> tuple[str, ...]:
    """Return what the proxy sees for a subscriber, whatever the level."""
    subscriber = api.subscriber_seen(username)
    assert subscriber is not None
    return platform_seen(api).preferences_of(subscriber).all(attribute)


def refusal(response: httpx.Response) -> str:
    assert response.status_code == 422, response.text
    return str(response.json()["message"])


def test_a_preference_is_set_and_the_proxy_sees_it(api: Api, alice: int) -> None:
    response = api.change(of(alice), clir=True, concurrent_max=3, display_name="Alice")

    assert response.status_code == 200, response.text
    assert api.get(of(alice)) == response.json()
    assert response.json()["clir"] is True
    assert response.json()["concurrent_max"] == 3
    assert seen(api, "clir") == ("1",)
    assert seen(api, "concurrent_max") == ("3",)
    assert api.registrar.announced[-1] == {"alice@example.org"}


def test_a_new_subscriber_is_shown_with_its_number(api: Api, alice: int) -> None:
    assert {name: api.get(of(alice))[name] for name in ("cli", "cc", "ac")} == {
        "cli": "4311001",
        "cc": "43",
        "ac": "1",
    }
    assert seen(api, "cli") == ("4311001",)


def test_the_number_shown_follows_the_primary_number_until_it_is_set(api: Api, alice: int) -> None:
    path = f"/api/subscribers/{alice}"
    api.change(path, primary_number={"cc": "44", "ac": "20", "sn": "5"})
    assert seen(api, "cli") == ("44205",)

    api.change(of(alice), cli="49301")
    api.change(path, primary_number={"cc": "43", "ac": "1", "sn": "6"})
    assert seen(api, "cli") == ("49301",)
    assert seen(api, "cc") == ("43",)


def test_the_proxy_knows_whose_a_subscriber_is(api: Api, alice: int, customer: int) -> None:
    subscriber = api.subscriber_seen("alice")

    assert subscriber is not None
    assert subscriber.account_id == customer
    assert subscriber.reseller_id == 1
    assert "account_id" not in api.get(of(alice))


def test_put_unsets_what_is_not_given(api: Api, alice: int) -> None:
    api.change(of(alice), clir=True)

    response = api.ask("PUT", of(alice), json={"gpp0": "x"}, headers={"Prefer": "return=representation"})

    content = response.json()
    assert {name for name in content if name in CATALOGUE} == {"gpp0"}
    assert seen(api, "clir") == ()
    assert seen(api, "account_id") != ()


def test_what_was_read_can_be_put(api: Api, alice: int) -> None:
    api.change(of(alice), allowed_clis=["43*", "49*"], lock="2")
    before = api.get(of(alice))

    assert api.ask("PUT", of(alice), json=before).status_code == 204
    assert api.get(of(alice)) == before


def test_lists_are_changed_value_by_value(api: Api, alice: int) -> None:
    steps: list[tuple[dict[str, Any], list[str] | None]] = [
        ({"op": "add", "mode": "append", "value": ["1", "2"]}, ["1", "2"]),
        ({"op": "add", "mode": "append", "value": "3"}, ["1", "2", "3"]),
        ({"op": "remove", "value": "2"}, ["1", "3"]),
        ({"op": "remove", "value": "1", "index": 0}, ["3"]),
        ({"op": "remove", "value": ["3", "9"]}, None),
        ({"op": "replace", "value": ["5"]}, ["5"]),
        ({"op": "remove"}, None),
    ]
    for step, outcome in steps:
        response = api.patch(of(alice), [{"path": "/block_in_list", **step}])
        assert response.status_code == 200, response.text
        assert response.json().get("block_in_list") == outcome
        assert seen(api, "block_in_list") == tuple(outcome or ())


def test_an_index_beyond_the_list_is_refused(api: Api, alice: int) -> None:
    api.change(of(alice), block_in_list=["1"])
    step = {"op": "remove", "path": "/block_in_list", "value": "1", "index": 1}
    assert "number 1" in refusal(api.patch(of(alice), [step]))


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("clirr", True, "is no preference here, did you mean 'clir'?"),
        ("account_id", 7, "is internal"),
        ("cfu", [1], "is internal"),
        ("lawful_interception", True, "is read-only"),
        ("peer_auth_hf", "x", "did you mean 'peer_auth_hf_user'?"),
        ("clir", "perhaps", "true or false expected"),
        ("concurrent_max", -1, "a number from 0 to 2147483647 expected"),
        ("concurrent_max", True, "a number from 0 to"),
        ("outbound_from_user", "unp", "did you mean 'upn'?"),
        ("block_in_list", "431*", "a list expected"),
        ("block_in_list", [["1"]], "a text expected"),
        ("display_name", "a\nb", "printable characters expected"),
        ("display_name", "\x1f", "printable characters expected"),
        ("display_name", "x" * 129, "at most 128 characters expected"),
        ("sound_set", "nobody's", "does not exist"),
        ("allowed_ips", ["192.0.2.1/24"], "the network is 192.0.2.0/24"),
        ("allowed_ips", ["example.org"], "an IP address or network expected"),
    ],
)
def test_a_wrong_name_or_value_is_refused_with_a_hint(
    api: Api, alice: int, name: str, value: object, problem: str
) -> None:
    before = api.get(of(alice))

    message = refusal(api.change(of(alice), **{name: value}))

    assert f"field='{name}'" in message
    assert problem in message
    assert problem in refusal(api.ask("PUT", of(alice), json={name: value}))
    assert api.get(of(alice)) == before


def test_secrets_are_neither_repeated_nor_shown_to_everybody(api: Api, alice: int) -> None:
    assert "geheim" not in refusal(api.change(of(alice), peer_auth_pass="geheim\0"))
    api.change(of(alice), peer_auth_pass="geheim")
    assert api.get(of(alice))["peer_auth_pass"] == "geheim"
    api.database.run("UPDATE billing.admins SET show_passwords = 0")
    assert "peer_auth_pass" not in api.get(of(alice))


def test_a_domain_is_asked_where_the_subscriber_has_nothing(api: Api, alice: int) -> None:
    (domain,) = api.get("/api/domainpreferences/")["_embedded"]["ngcp:domainpreferences"]

    assert api.change(of(domain["id"], "domain"), outbound_from_user="upn").status_code == 200
    assert seen(api, "outbound_from_user") == ("upn",)
    assert "example.org" in api.registrar.announced[-1]

    api.change(of(alice), outbound_from_user="auth_user")
    assert seen(api, "outbound_from_user") == ("auth_user",)


def test_a_reseller_is_asked_where_the_domain_has_nothing(api: Api, alice: int) -> None:
    assert api.change(of(1, "reseller"), concurrent_max=9).status_code == 200
    assert seen(api, "concurrent_max") == ("9",)


def test_the_catalogue_says_what_holds_otherwise(api: Api, alice: int) -> None:
    assert seen(api, "outbound_to_user") == ("callee",)
    assert seen(api, "ringtimeout") == ("180",)


def test_a_false_flag_hides_what_the_domain_says(api: Api, alice: int) -> None:
    (domain,) = api.get("/api/domains/")["_embedded"]["ngcp:domains"]
    api.change(of(domain["id"], "domain"), reject_vsc=True)
    api.change(of(alice), reject_vsc=False)
    assert seen(api, "reject_vsc") == ("0",)


def test_a_customer_has_preferences_of_its_own(api: Api, alice: int, customer: int) -> None:
    assert api.change(of(customer, "customer"), concurrent_max=2).status_code == 200

    subscriber = api.subscriber_seen("alice")
    assert subscriber is not None
    assert subscriber.contract_preferences == {"concurrent_max": ("2",)}
    assert api.registrar.announced[-1] == {"alice@example.org"}


def test_a_peer_has_preferences(api: Api) -> None:
    api.database.run(
        "INSERT INTO provisioning.voip_peer_groups (id, name) VALUES (1, 'out')",
        "INSERT INTO provisioning.voip_peer_hosts (id, group_id, name, ip) VALUES (4, 1, 'a', '192.0.2.4')",
    )

    assert api.change(of(4, "peeringserver"), peer_auth_user="we", block_in_code=404).status_code == 200

    ((peer,),) = (group.peers for group in platform_seen(api).peer_groups)
    assert peer.preferences.text("peer_auth_user") == "we"
    assert peer.preferences.number("block_in_code") == 404
    assert peer.preferences.text("outbound_from_user") == "npn"
    assert "from 300 to 699" in refusal(api.change(of(4, "peeringserver"), block_in_code=200))


def test_nothing_stays_of_a_peer_that_is_gone(api: Api) -> None:
    contact = api.make("systemcontacts", email="peer@example.org")["id"]
    contract = api.make("contracts", contact_id=contact, type="sippeering")["id"]
    group = api.make("peeringgroups", name="out", contract_id=contract)["id"]
    peers = [api.make("peeringservers", group_id=group, name=name, ip="192.0.2.4")["id"] for name in "ab"]
    for peer in peers:
        api.change(of(peer, "peeringserver"), peer_auth_user="we")

    api.ask("DELETE", f"/api/peeringservers/{peers[0]}")

    assert api.database.run("SELECT uuid FROM kamailio.peer_preferences") == [(str(peers[1]),)]


def test_a_locked_subscriber_is_locked_whatever_is_set(api: Api, alice: int) -> None:
    api.change(of(alice), lock="1")
    assert seen(api, "lock") == ("1",)

    api.change(f"/api/subscribers/{alice}", status="locked")
    assert seen(api, "lock") == ("4",)
    api.change(of(alice), lock="2")
    assert seen(api, "lock") == ("4",)

    api.change(f"/api/subscribers/{alice}", status="active")
    assert seen(api, "lock") == ("2",)


def test_a_rewrite_rule_set_is_named(api: Api, alice: int) -> None:
    api.database.run(
        f"INSERT INTO provisioning.voip_rewrite_rule_sets (id, reseller_id, name, {', '.join(DPIDS)})"
        " VALUES (7, 1, 'austria', 11, 12, 13, 14, 15, 16)"
    )

    assert api.change(of(alice), rewrite_rule_set="austria").json()["rewrite_rule_set"] == "austria"
    assert seen(api, "rewrite_rule_set") == ("7",)
    assert [seen(api, f"rewrite_{name}") for name in DPIDS] == [(str(n),) for n in range(11, 17)]
    assert "did you mean 'austria'?" in refusal(api.change(of(alice), rewrite_rule_set="austira"))

    api.patch(of(alice), [{"op": "remove", "path": "/rewrite_rule_set"}])
    assert seen(api, "rewrite_caller_in_dpid") == ()


def test_classes_of_service_sounds_and_containers_are_named(api: Api, alice: int, customer: int) -> None:
    api.database.run(
        "INSERT INTO billing.ncos_levels (id, reseller_id, level) VALUES (3, 1, 'national')",
        "INSERT INTO billing.ncos_sets (id, reseller_id, name) VALUES (5, 1, 'both')",
        "INSERT INTO provisioning.voip_sound_sets (id, reseller_id, name) VALUES (8, 1, 'ours')",
        "INSERT INTO provisioning.voip_sound_sets (id, reseller_id, contract_id, name)"
        f" VALUES (9, 1, {customer}, 'his')",
        "INSERT INTO provisioning.emergency_containers (id, reseller_id, name) VALUES (6, 1, 'vienna')",
    )
    wanted = {
        "ncos": ("national", "ncos_id", "3"),
        "adm_ncos": ("national", "adm_ncos_id", "3"),
        "adm_cf_ncos": ("national", "adm_cf_ncos_id", "3"),
        "ncos_set": ("both", "ncos_set_id", "5"),
        "sound_set": ("ours", "sound_set", "8"),
        "contract_sound_set": ("his", "contract_sound_set", "9"),
        "emergency_mapping_container": ("vienna", "emergency_mapping_container_id", "6"),
    }

    response = api.change(of(alice), **{name: one[0] for name, one in wanted.items()})

    assert {name: response.json()[name] for name in wanted} == {name: one[0] for name, one in wanted.items()}
    assert {name: seen(api, one[1]) for name, one in wanted.items()} == {
        name: (one[2],) for name, one in wanted.items()
    }


def test_what_is_named_stays(api: Api, alice: int) -> None:
    level = api.make("ncoslevels", level="national", mode="blacklist")["id"]
    rules = api.make("rewriterulesets", name="austria")["id"]
    api.change(of(alice), adm_ncos="national")
    api.change(of(1, "reseller"), cdr_export_sclidui_rwrs="austria")

    for path in (f"/api/ncoslevels/{level}", f"/api/rewriterulesets/{rules}"):
        assert api.ask("DELETE", path).status_code == 423
    api.change(of(alice), adm_ncos=None)
    api.change(of(1, "reseller"), cdr_export_sclidui_rwrs=None)
    for path in (f"/api/ncoslevels/{level}", f"/api/rewriterulesets/{rules}"):
        assert api.ask("DELETE", path).status_code == 204


def test_another_resellers_class_cannot_be_named(api: Api, alice: int) -> None:
    api.database.run(
        "INSERT INTO billing.contracts (id, contact_id, product_id, status)"
        " SELECT 77, contact_id, product_id, status FROM billing.contracts WHERE id = 1",
        "INSERT INTO billing.resellers (id, contract_id, name) VALUES (77, 77, 'other')",
        "INSERT INTO billing.ncos_levels (id, reseller_id, level) VALUES (3, 77, 'theirs')",
    )
    message = refusal(api.change(of(alice), ncos="theirs"))
    assert "does not exist" in message
    assert "did you mean" not in message


def test_networks_become_a_group(api: Api, alice: int) -> None:
    nets = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7/32"]
    groups = "SELECT ip_addr, mask FROM kamailio.address ORDER BY id"

    response = api.change(of(alice), allowed_ips=["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"])

    assert response.json()["allowed_ips"] == nets
    assert seen(api, "allowed_ips") == tuple(nets)
    (number,) = seen(api, "allowed_ips_grp")
    assert api.database.run(groups) == [("192.0.2.0", 24), ("2001:db8::", 32), ("198.51.100.7", 32)]
    query = f"SELECT INET6_NTOA(net_to) FROM provisioning.voip_allowed_ip_groups WHERE group_id = {number}"
    assert ("192.0.2.255",) in api.database.run(query)

    api.change(of(alice), allowed_ips=["192.0.2.0/25"])
    assert api.database.run(groups) == [("192.0.2.0", 25)]

    api.ask("DELETE", f"/api/subscribers/{alice}")
    assert api.database.run(groups) == []


def test_nothing_stays_of_a_subscriber_that_is_gone(api: Api, alice: int) -> None:
    api.change(of(alice), clir=True)
    api.ask("DELETE", f"/api/subscribers/{alice}")

    assert api.ask("GET", of(alice)).status_code == 404
    assert api.database.run("SELECT * FROM kamailio.usr_preferences") == []
    assert api.database.run("SELECT * FROM provisioning.voip_usr_preferences") == []


def test_nothing_stays_of_a_domain_that_is_gone(api: Api) -> None:
    domain = api.make("domains", domain="example.net")["id"]
    api.change(of(domain, "domain"), language="de")
    api.ask("DELETE", f"/api/domains/{domain}")
    assert api.database.run("SELECT * FROM kamailio.dom_preferences") == []


def test_a_document_is_kept_whole(api: Api, alice: int) -> None:
    location = "<location>" + "ä" * 1000 + "</location>"
    response = api.change(of(alice), emergency_location_object=location)
    assert response.json()["emergency_location_object"] == location


def test_preferences_are_injected_nowhere(api: Api, alice: int) -> None:
    text = "'); DROP TABLE kamailio.usr_preferences; -- \\"
    assert api.change(of(alice), gpp1=text).json()["gpp1"] == text
    assert seen(api, "gpp1") == (text,)


@pytest.mark.parametrize("level", LEVELS)
def test_what_can_be_set_is_told(api: Api, level: str) -> None:
    definitions = api.get(f"/api/{level}preferencedefs/")

    name, definition = next(one for one in definitions.items() if one[0] in CATALOGUE)
    assert definition["description"] == CATALOGUE[name].description
    assert not any(CATALOGUE[one].access == "internal" for one in definitions if one in CATALOGUE)
    assert api.ask("POST", f"/api/{level}preferencedefs/", json={}).status_code == 405


def test_values_of_an_enum_are_told(api: Api) -> None:
    choices = api.get("/api/subscriberpreferencedefs/")["sst_enable"]["enum_values"]
    assert choices == [
        {"label": "no", "value": "no", "default_val": True},
        {"label": "yes", "value": "yes", "default_val": False},
    ]


def test_openapi_describes_each_preference(api: Api) -> None:
    schemas = api.get("/api/")["components"]["schemas"]
    assert schemas["SubscriberPreferences"]["properties"]["clir"]["type"] == "boolean"
