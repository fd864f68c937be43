"""Somebody's calls and voice messages, merged by time."""

from typing import Any

import pytest

from api.conftest import Api
from api.tenants import Tenant
from api.test_calls import START, add, ids, outside, shown, side, uuid_of

NAME = "conversations"


def leave(api: Api, number: int, subscriber: int, folder: str = "INBOX") -> int:
    """Leave a message, half a minute after call `number` began; return its number."""
    uuid = uuid_of(api, subscriber)
    ((made,),) = api.database.run(
        "INSERT INTO kamailio.voicemail_spool"
        " (dir, callerid, origtime, duration, mailboxuser, recording, call_id)"
        f" VALUES ('/var/spool/asterisk/voicemail/default/{uuid}/{folder}', '4319',"
        f" {int(START) + 60 * number + 30}, 12, '{uuid}', 'sound', 'call-{number}') RETURNING id"
    )
    assert isinstance(made, int)
    return made


@pytest.fixture
def red(api: Api) -> Tenant:
    return Tenant(api, "red")


def kinds(api: Api, query: str = "", **options: Any) -> list[tuple[str, int]]:  # noqa: ANN401 - httpx's own
    return [(one["type"], one["id"]) for one in shown(api, query, NAME, **options)]


def test_calls_and_messages_are_merged_by_time(api: Api, red: Tenant) -> None:
    first = add(api, 1, side(red, red.subscriber, "source"), outside("destination"))
    message = leave(api, 1, red.subscriber)
    second = add(api, 2, outside("source"), side(red, red.subscriber, "destination"))
    old = leave(api, 3, red.subscriber, "Old")
    leave(api, 4, red.subscriber, "unavail")
    others = leave(api, 5, red.other_subscriber)
    everything = [("call", first), ("voicemail", message), ("call", second), ("voicemail", old)]
    own: dict[str, Any] = {"auth": red.login("subscriber")}
    assert kinds(api, **own) == everything
    assert kinds(api, "?order_by=timestamp&order_by_direction=desc", **own) == everything[::-1]
    assert kinds(api, f"?subscriber_id={red.subscriber}") == everything
    assert kinds(api, f"?customer_id={red.customer}", auth=red.admin) == [*everything, ("voicemail", others)]
    for query, found in {
        "type=call": [everything[0], everything[2]],
        "type=voicemail": [everything[1], everything[3]],
        "type=call,voicemail": everything,
        "direction=out": [everything[0]],
        "direction=in": everything[1:],
        "direction=out&type=voicemail": [],
        "start_ge=2023-11-14 22:14:50": everything[1:],
        "start_le=2023-11-14 22:14:50": everything[:2],
        "start_le=2023-11-14 23:14:50&tz=Europe/Vienna": everything[:2],
    }.items():
        assert kinds(api, f"?{query}", **own) == found, query
    pages = [kinds(api, f"?rows=1&page={page}", **own) for page in range(1, 6)]
    assert [one for page in pages for one in page] == everything
    content = api.ask("GET", f"/api/{NAME}/?rows=3", **own).json()
    assert (content["total_count"], "next" in content["_links"]) == (4, True)


def test_each_is_shown_as_what_it_is(api: Api, red: Tenant) -> None:
    add(api, 1, outside("source"), side(red, red.subscriber, "destination"), source_clir=1)
    number = leave(api, 1, red.subscriber)
    own: dict[str, Any] = {"auth": red.login("subscriber")}
    call, message = shown(api, "?tz=Europe/Vienna", NAME, **own)
    assert (call["type"], call["call_type"], call["direction"]) == ("call", "call", "in")
    assert (call["other_cli"], call["start_time"]) == (None, "2023-11-14 23:14:20.000")
    for one in (call, message):
        assert api.ask("GET", one["_links"]["self"]["href"], **own).json()["id"] == one["id"]
    del message["_links"]
    assert message == {
        "id": number,
        "type": "voicemail",
        "call_id": "call-1",
        "direction": "in",
        "caller": "4319",
        "folder": "INBOX",
        "start_time": "2023-11-14 23:14:50.000",
        "duration": "0:00:12.000",
        "voicemail_subscriber_id": red.subscriber,
    }


def test_nobody_meets_anothers(api: Api, red: Tenant) -> None:
    blue = Tenant(api, "blue")
    call = add(api, 1, side(blue, blue.subscriber, "source"), outside("destination"))
    message, colleagues = leave(api, 1, blue.subscriber), leave(api, 1, red.other_subscriber)
    for login, whose in (
        (red.admin, f"subscriber_id={blue.subscriber}"),
        (red.admin, f"subscriber_id={red.subscriber}"),
        (red.login("subscriber"), f"customer_id={blue.customer}"),
        (red.login("subscriber"), ""),
    ):
        assert ids(api, f"?{whose}", NAME, auth=login) == []
        for kind, number in (("call", call), ("voicemail", message), ("voicemail", colleagues)):
            response = api.ask("GET", f"/api/{NAME}/{number}?type={kind}&{whose}", auth=login)
            assert response.status_code == 404, (whose, kind)
    boss = red.login("subscriberadmin")
    assert api.ask("GET", f"/api/{NAME}/{colleagues}?type=voicemail", auth=boss).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        *("", "subscriber_id=x", "subscriber_id=1&type=fax", "subscriber_id=1&direction=up"),
        *("subscriber_id=1&start_ge=noon", "subscriber_id=1&tz=Atlantis"),
    ],
)
def test_a_bad_filter_is_named(api: Api, query: str) -> None:
    response = api.ask("GET", f"/api/{NAME}/?{query}")
    assert response.status_code == 422
    name = query.rpartition("&")[2].partition("=")[0] or "subscriber_id"
    assert f"field='{name}'" in response.json()["message"]


@pytest.mark.parametrize("query", ["colour=red", "order_by=call_id"])
def test_what_no_list_knows_is_400(api: Api, query: str) -> None:
    assert api.ask("GET", f"/api/{NAME}/?subscriber_id=1&{query}").status_code == 400


def test_it_must_be_said_of_which_type_one_is(api: Api, red: Tenant) -> None:
    response = api.ask("GET", f"/api/{NAME}/1", auth=red.login("subscriber"))
    assert response.status_code == 422
    assert "field='type'" in response.json()["message"]
