"""Registrations, shown from the database and changed through the proxy."""

import pytest

from api.conftest import Api
from ngcp.service.commands import CommandError


@pytest.fixture
def alice(api: Api, customer: int) -> int:
    return int(api.subscriber("alice", customer)["id"])


def test_a_permanent_registration_is_made_by_the_proxy(api: Api, alice: int) -> None:
    made = api.make("subscriberregistrations", subscriber_id=alice, contact="sip:alice@192.0.2.1:5060", q=0.5)
    assert api.registrar.calls == [
        ("ul.add", "location", "alice@example.org", "sip:alice@192.0.2.1:5060", 0, 0.5, "")
    ]
    assert made["subscriber_id"] == alice
    assert made["expires"] == "2106-02-07 06:28:15"
    assert api.get(made["_links"]["ngcp:subscribers"]["href"])["username"] == "alice"


def test_a_place_behind_nat_is_pinged_along_its_path(api: Api, alice: int) -> None:
    path = "<sip:lb@127.0.0.1:5060;lr;socket=udp:192.0.2.1:5060;received=sip:198.51.100.7:40000>"
    made = api.make(
        "subscriberregistrations", subscriber_id=alice, contact="sip:a@10.0.0.1", path=path, nat=True
    )
    assert (made["path"], made["nat"]) == (path, True)
    changed = api.change(f"/api/subscriberregistrations/{made['id']}", nat=False).json()
    assert (changed["path"], changed["nat"]) == (path, False)


def test_registration_of_a_device_is_its_owners(api: Api, alice: int) -> None:
    made = api.make("subscriberregistrations", subscriber_id=alice, contact="sip:a@192.0.2.1")
    api.database.run(
        "INSERT INTO kamailio.dbaliases (alias_username, alias_domain, username, domain, is_devid)"
        " VALUES ('desk1', 'example.org', 'alice', 'example.org', 1)",
        "UPDATE kamailio.location SET username = 'desk1'",
    )
    shown = api.get(f"/api/subscriberregistrations/{made['id']}")
    assert (shown["subscriber_id"], shown["username"]) == (alice, "desk1")
    api.change(f"/api/subscriberregistrations/{made['id']}", q=0.5)
    assert api.registrar.calls[-1][:3] == ("ul.add", "location", "desk1@example.org")


def test_a_registration_lasts_until_its_date(api: Api, alice: int) -> None:
    api.make(
        "subscriberregistrations",
        subscriber_id=alice,
        contact="sip:a@192.0.2.1",
        expires="2060-01-01 00:00:00",
    )
    seconds = api.registrar.calls[0][4]
    assert isinstance(seconds, int)
    assert 365 * 86400 < seconds < 2**31


def test_a_registration_is_refreshed_in_place(api: Api, alice: int) -> None:
    made = api.make("subscriberregistrations", subscriber_id=alice, contact="sip:a@192.0.2.1", q=0.5)
    path = f"/api/subscriberregistrations/{made['id']}"
    response = api.change(path, q=0.7)
    assert response.status_code == 200
    assert (response.json()["id"], response.json()["q"]) == (made["id"], 0.7)
    assert "field='contact'" in api.change(path, contact="sip:other@192.0.2.1").json()["message"]


def test_a_registration_is_removed_by_the_proxy(api: Api, alice: int) -> None:
    made = api.make("subscriberregistrations", subscriber_id=alice, contact="sip:a@192.0.2.1")
    assert api.ask("DELETE", f"/api/subscriberregistrations/{made['id']}").status_code == 204
    assert api.registrar.calls[-1] == ("ul.rm_contact", "location", "alice@example.org", "sip:a@192.0.2.1")
    assert api.ask("GET", f"/api/subscriberregistrations/{made['id']}").status_code == 404


def test_registrations_are_found_by_subscriber(api: Api, customer: int, alice: int) -> None:
    bob = api.subscriber("bob", customer)["id"]
    for subscriber in (alice, bob):
        api.make("subscriberregistrations", subscriber_id=subscriber, contact=f"sip:{subscriber}@192.0.2.1")
    content = api.get(f"/api/subscriberregistrations/?subscriber_id={bob}")
    assert [one["contact"] for one in content["_embedded"]["ngcp:subscriberregistrations"]] == [
        f"sip:{bob}@192.0.2.1"
    ]


def test_ended_registrations_are_not_shown(api: Api, alice: int) -> None:
    api.make("subscriberregistrations", subscriber_id=alice, contact="sip:a@192.0.2.1")
    api.database.run("UPDATE kamailio.location SET expires = UNIX_TIMESTAMP() - 1")
    assert api.get("/api/subscriberregistrations/")["total_count"] == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contact", "http://example.org"),
        ("contact", "sip:a@b\r\nX: y"),
        ("contact", "sip:<a>@b"),
        ("contact", "sip:"),
        ("expires", "2001-01-01 00:00:00"),
        ("expires", "soon"),
        ("q", 2),
        ("subscriber_id", 999),
    ],
)
def test_a_bad_registration_is_refused(api: Api, alice: int, field: str, value: object) -> None:
    good: dict[str, object] = {"subscriber_id": alice, "contact": "sip:a@192.0.2.1"}
    assert f"field='{field}'" in api.refused("subscriberregistrations", 422, **(good | {field: value}))
    assert api.registrar.calls == []


def test_what_the_proxy_refuses_is_refused(api: Api, alice: int) -> None:
    api.registrar.refusal = CommandError(403, "too many contacts")
    message = api.refused("subscriberregistrations", 422, subscriber_id=alice, contact="sip:a@192.0.2.1")
    assert "too many contacts" in message


def test_without_the_proxy_registrations_are_only_shown(api: Api, alice: int) -> None:
    made = api.make("subscriberregistrations", subscriber_id=alice, contact="sip:a@192.0.2.1")
    api.control.close()
    assert "proxy" in api.refused(
        "subscriberregistrations", 503, subscriber_id=alice, contact="sip:b@192.0.2.1"
    )
    assert api.ask("DELETE", f"/api/subscriberregistrations/{made['id']}").status_code == 503
    assert api.get("/api/subscriberregistrations/")["total_count"] == 1
