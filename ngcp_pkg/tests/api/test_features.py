"""Speed dials, trusted sources, location mappings, device aliases and time zones over REST."""

from typing import Any

import pytest

from api.conftest import SHOW, Api
from ngcp.provisioning.runtime import LocationMapping, Subscriber, TrustedSource

NUMBER = {"cc": "43", "ac": "1", "sn": "1001"}


@pytest.fixture
def alice(api: Api, customer: int) -> int:
    return int(api.subscriber("alice", customer, primary_number=NUMBER)["id"])


def seen(api: Api) -> Subscriber:
    found = api.subscriber_seen("alice")
    assert found is not None
    return found


def trusted(api: Api) -> tuple[TrustedSource, ...]:
    return api.runner.run(api.directory.platform()).trusted


def put(api: Api, path: str, **fields: object) -> Any:  # noqa: ANN401 - any JSON
    response = api.ask("PUT", path, json=fields, headers=SHOW)
    assert response.status_code == 200, response.text
    return response.json()


def test_speed_dials_are_what_the_proxy_sees(api: Api, alice: int) -> None:
    path = f"/api/speeddials/{alice}"
    assert api.get(path)["speeddials"] == []
    wanted = [{"slot": "*9", "destination": "sip:bob@example.net"}, {"slot": "*0", "destination": "4312002"}]
    content = put(api, path, speeddials=wanted)
    assert [one["slot"] for one in content["speeddials"]] == ["*0", "*9"]
    assert seen(api).speed_dials == {"*0": "sip:4312002@example.org", "*9": "sip:bob@example.net"}
    assert api.registrar.announced[-1] == {"alice@example.org"}
    assert put(api, path, **content) == content

    add = [{"op": "remove", "path": "/speeddials/0"}]
    assert api.patch(path, add).status_code == 200
    assert seen(api).speed_dials == {"*9": "sip:bob@example.net"}
    assert api.ask("DELETE", path).status_code == 204
    assert seen(api).speed_dials == {}


@pytest.mark.parametrize(
    ("speed_dials", "field"),
    [
        ([{"slot": "*10", "destination": "1"}], "speeddials.0.slot"),
        ([{"slot": "1", "destination": "1"}], "speeddials.0.slot"),
        (
            [{"slot": "*1", "destination": "1"}, {"slot": "*2", "destination": "a b"}],
            "speeddials.1.destination",
        ),
        ([{"slot": "*1", "destination": "1"}, {"slot": "*1", "destination": "2"}], "slot"),
        ([{"slot": "*1"}], "speeddials.0.destination"),
    ],
)
def test_bad_speed_dials(api: Api, alice: int, speed_dials: object, field: str) -> None:
    response = api.ask("PUT", f"/api/speeddials/{alice}", json={"speeddials": speed_dials})
    assert response.status_code == 422
    assert f"field='{field}'" in response.json()["message"]
    assert seen(api).speed_dials == {}


def test_trusted_sources_are_what_the_proxy_sees(api: Api, alice: int) -> None:
    given = {"subscriber_id": alice, "src_ip": "2001:DB8:0::1", "protocol": "TLS", "from_pattern": "^sip:a"}
    made = api.make("trustedsources", **given)
    assert made["src_ip"] == "2001:db8::1"
    uuid = seen(api).uuid
    assert api.registrar.announced[-1] == {"trusted"}
    assert trusted(api) == (TrustedSource(uuid, "2001:db8::1", "TLS", "^sip:a"),)

    api.change(f"/api/trustedsources/{made['id']}", protocol="ANY", from_pattern=None)
    assert trusted(api) == (TrustedSource(uuid, "2001:db8::1", "ANY"),)
    api.registrar.announced.clear()
    assert api.ask("DELETE", f"/api/trustedsources/{made['id']}").status_code == 204
    assert api.registrar.announced == [{"trusted"}]
    assert trusted(api) == ()


def test_who_is_gone_trusts_nobody(api: Api, alice: int) -> None:
    api.make("trustedsources", subscriber_id=alice, src_ip="192.0.2.1")
    api.ask("DELETE", f"/api/subscribers/{alice}")
    assert trusted(api) == ()
    assert api.registrar.announced[-1] == {"alice@example.org", "trusted"}
    assert api.get("/api/trustedsources/")["total_count"] == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"src_ip": "192.0.2.256"}, "src_ip"),
        ({"src_ip": "example.org"}, "src_ip"),
        ({"protocol": "SCTP"}, "protocol"),
        ({"from_pattern": "("}, "from_pattern"),
        ({"from_pattern": "(a+)+$"}, "from_pattern"),
        ({"subscriber_id": 4_000_000_000}, "subscriber_id"),
    ],
)
def test_bad_trusted_sources(api: Api, alice: int, fields: dict[str, Any], field: str) -> None:
    given = {"subscriber_id": alice, "src_ip": "192.0.2.1"} | fields
    assert f"field='{field}'" in api.refused("trustedsources", 422, **given)


def test_location_mappings_are_what_the_proxy_sees(api: Api, alice: int) -> None:
    given = {"subscriber_id": alice, "location": "sip:192.0.2.9:5080", "to_username": "pbx", "mode": "add"}
    first = api.make("subscriberlocationmappings", **given)
    assert first["enabled"] is True
    second = {"location": "sip:bob@example.net", "caller_pattern": "^43", "callee_pattern": "1$"}
    number = api.make("subscriberlocationmappings", subscriber_id=alice, **second)["id"]
    assert seen(api).locations == (
        LocationMapping("sip:192.0.2.9:5080", "add", None, None, "pbx"),
        LocationMapping("sip:bob@example.net", "replace", "^43", "1$", None),
    )
    api.change(f"/api/subscriberlocationmappings/{number}", enabled=False)
    assert len(seen(api).locations) == 1
    api.ask("DELETE", f"/api/subscriberlocationmappings/{first['id']}")
    assert seen(api).locations == ()
    assert api.registrar.announced[-1] == {"alice@example.org"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"location": "bob"}, "location"),
        ({"location": "sip:a@@b"}, "location"),
        ({"location": "sip:4311001@example.org", "mode": "forward"}, "location"),
        ({"mode": "never"}, "mode"),
        ({"caller_pattern": "("}, "caller_pattern"),
        ({"callee_pattern": "(.*)*x"}, "callee_pattern"),
        ({"to_username": "a b"}, "to_username"),
        ({"subscriber_id": 4_000_000_000}, "subscriber_id"),
    ],
)
def test_bad_location_mappings(api: Api, alice: int, fields: dict[str, Any], field: str) -> None:
    given = {"subscriber_id": alice, "location": "sip:192.0.2.9"} | fields
    assert f"field='{field}'" in api.refused("subscriberlocationmappings", 422, **given)


def test_a_number_becomes_a_devices_own(api: Api, alice: int) -> None:
    path, desk = f"/api/subscribers/{alice}", NUMBER | {"sn": "1002"}
    api.change(path, alias_numbers=[desk | {"is_devid": True}, NUMBER | {"sn": "1003"}])
    assert [one["is_devid"] for one in api.get(path)["alias_numbers"]] == [True, False]
    assert seen(api).aliases == {"4311001", "4311002", "4311003"}
    assert seen(api).device_aliases == {"4311002"}
    assert api.database.run("SELECT alias_username, devid_alias FROM kamailio.dbaliases WHERE is_devid") == [
        ("4311002", "4311002")
    ]

    api.change(path, alias_numbers=[desk])
    assert seen(api).device_aliases == frozenset()


@pytest.mark.parametrize("is_all_gone", [False, True], ids=["the alias", "the subscriber"])
def test_a_device_that_is_none_any_more_is_registered_no_more(
    api: Api, alice: int, is_all_gone: bool
) -> None:
    """Else it would ring for whoever has the number next."""
    path, desk = f"/api/subscribers/{alice}", NUMBER | {"sn": "1002", "is_devid": True}
    api.change(path, alias_numbers=[desk])
    api.database.run(
        "INSERT INTO kamailio.location"
        " (ruid, username, domain, contact, expires, q, callid, cseq, last_modified)"
        " VALUES ('r', '4311002', 'example.org', 'sip:desk@192.0.2.1', 2000000000, 1, 'c', 1, 0)"
    )
    if is_all_gone:
        api.ask("DELETE", path)
    else:
        api.change(path, alias_numbers=[])
    assert ("location", "4311002@example.org") in api.registrar.calls
    assert api.database.run("SELECT COUNT(*) FROM kamailio.location") == [(0,)]


def test_the_primary_number_is_no_devices(api: Api, alice: int) -> None:
    content = api.get(f"/api/subscribers/{alice}")
    assert content["primary_number"] == NUMBER
    fields = {name: content[name] for name in ("username", "password", "customer_id", "domain")}
    number = NUMBER | {"is_devid": True}
    response = api.ask("PUT", f"/api/subscribers/{alice}", json=fields | {"primary_number": number})
    assert "field='primary_number.is_devid'" in response.json()["message"]


def test_periods_are_by_the_customers_clock(api: Api, customer: int, alice: int) -> None:
    contact = f"/api/customercontacts/{api.get(f'/api/customers/{customer}')['contact_id']}"
    assert seen(api).timezone == ""
    assert api.change(contact, timezone="Europe/Vienna").status_code == 200
    assert api.registrar.announced[-1] == {"alice@example.org"}
    assert seen(api).timezone == "Europe/Vienna"
    api.registrar.announced.clear()
    api.change(contact, firstname="Ada")
    assert api.registrar.announced == []

    other = api.make("customercontacts", email="b@example.org", timezone="Asia/Kolkata")["id"]
    api.change(f"/api/customers/{customer}", contact_id=other)
    assert seen(api).timezone == "Asia/Kolkata"


def test_else_by_the_resellers(api: Api, alice: int) -> None:
    reseller = api.get("/api/resellers/1")
    contract = api.get(f"/api/contracts/{reseller['contract_id']}")
    api.change(f"/api/systemcontacts/{contract['contact_id']}", timezone="UTC")
    assert seen(api).timezone == "UTC"


@pytest.mark.parametrize("timezone", ["Vienna", "", "../UTC", "UTC\n"])
def test_a_time_zone_must_be_one(api: Api, timezone: str) -> None:
    message = api.refused("customercontacts", 422, email="a@example.org", timezone=timezone)
    assert "field='timezone'" in message
