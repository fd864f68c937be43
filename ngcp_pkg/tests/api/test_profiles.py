"""Subscriber profiles and their sets."""

import pytest

from api.conftest import Api


@pytest.fixture
def profiles(api: Api, customer: int) -> tuple[int, int, int]:
    """A set, its default profile and another one."""
    number = api.make("subscriberprofilesets", name="phones")["id"]
    basic = api.make("subscriberprofiles", set_id=number, name="basic", attributes=["clir", "dnd", "cfu"])
    more = api.make("subscriberprofiles", set_id=number, name="more", catchall=True)
    assert (basic["set_default"], more["set_default"]) == (True, False)
    assert basic["attributes"] == ["cfu", "clir", "dnd"]
    return number, basic["id"], more["id"]


def seen(api: Api, attribute: str) -> tuple[str, ...]:
    subscriber = api.subscriber_seen("alice")
    assert subscriber is not None
    return api.runner.run(api.directory.platform()).preferences_of(subscriber).all(attribute)


def test_a_subscriber_has_what_the_profile_says(
    api: Api, customer: int, profiles: tuple[int, int, int]
) -> None:
    number, basic, more = profiles
    api.change(f"/api/profilepreferences/{basic}", concurrent_max=1, music_on_hold=True)
    api.change(f"/api/profilepreferences/{more}", concurrent_max=5)

    alice = api.subscriber("alice", customer, profile_set_id=number)

    assert (alice["profile_set_id"], alice["profile_id"]) == (number, basic)
    assert seen(api, "concurrent_max") == ("1",)
    assert seen(api, "music_on_hold") == ("1",)
    assert api.change(f"/api/subscribers/{alice['id']}", profile_id=more).status_code == 200
    assert seen(api, "concurrent_max") == ("5",)
    assert seen(api, "music_on_hold") == ()
    api.change(f"/api/subscriberpreferences/{alice['id']}", concurrent_max=9)
    assert seen(api, "concurrent_max") == ("9",)
    assert api.change(f"/api/subscribers/{alice['id']}", profile_id=None, profile_set_id=None).is_success
    assert seen(api, "music_on_hold") == ()


def test_the_profile_is_of_its_set_and_reseller(
    api: Api, customer: int, profiles: tuple[int, int, int]
) -> None:
    other = api.make("subscriberprofilesets", name="empty")["id"]
    given = {"username": "bob", "password": "s3cret-pw", "domain": "example.org", "customer_id": customer}
    assert "has no profile" in api.refused("subscribers", 422, profile_set_id=other, **given)
    message = api.refused("subscribers", 422, profile_set_id=other, profile_id=profiles[1], **given)
    assert "field='profile_id'" in message
    api.database.run(
        "INSERT INTO billing.contracts (id, contact_id, product_id, status)"
        " SELECT 77, contact_id, product_id, status FROM billing.contracts WHERE id = 1",
        "INSERT INTO billing.resellers (id, contract_id, name) VALUES (77, 77, 'other')",
        f"UPDATE provisioning.voip_subscriber_profile_sets SET reseller_id = 77 WHERE id = {profiles[0]}",
    )
    assert "field='profile_id'" in api.refused("subscribers", 422, profile_id=profiles[1], **given)


def test_a_set_has_one_default(api: Api, profiles: tuple[int, int, int]) -> None:
    _, basic, more = profiles
    api.change(f"/api/subscriberprofiles/{more}", set_default=True)
    assert not api.get(f"/api/subscriberprofiles/{basic}")["set_default"]
    api.change(f"/api/subscriberprofiles/{more}", set_default=False)
    assert api.get(f"/api/subscriberprofiles/{more}")["set_default"]


def test_an_unknown_attribute_is_refused(api: Api, profiles: tuple[int, int, int]) -> None:
    message = api.refused("subscriberprofiles", 422, set_id=profiles[0], name="x", attributes=["clirr"])
    assert "field='attributes'" in message
    assert "did you mean 'clir'?" in message


def test_a_profile_in_use_stays(api: Api, customer: int, profiles: tuple[int, int, int]) -> None:
    number, basic, more = profiles
    api.change(f"/api/profilepreferences/{more}", concurrent_max=5, allowed_ips=["192.0.2.0/24"])
    api.subscriber("alice", customer, profile_id=basic)

    assert api.ask("DELETE", f"/api/subscriberprofiles/{basic}").status_code == 423
    assert api.ask("DELETE", f"/api/subscriberprofilesets/{number}").status_code == 423
    assert api.ask("DELETE", f"/api/subscriberprofiles/{more}").status_code == 204
    assert api.database.run("SELECT * FROM kamailio.prof_preferences") == []
    assert api.database.run("SELECT * FROM kamailio.address") == []


def test_names_are_unique_in_a_set(api: Api, profiles: tuple[int, int, int]) -> None:
    assert "field='name'" in api.refused("subscriberprofiles", 422, set_id=profiles[0], name="basic")
    assert "field='set_id'" in api.refused("subscriberprofiles", 422, set_id=999, name="basic")
