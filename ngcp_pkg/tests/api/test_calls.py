"""CDRs over REST: who sees which, what of them, and how they are searched."""

from collections.abc import Mapping
from typing import Any

import pytest

from api.conftest import Api
from api.tenants import Tenant

START = 1_700_000_000.0
Query = Mapping[str, object]


def uuid_of(api: Api, subscriber: int) -> str:
    ((uuid,),) = api.database.run(f"SELECT uuid FROM billing.voip_subscribers WHERE id = {subscriber}")
    return str(uuid)


def side(tenant: Tenant, subscriber: int, name: str) -> dict[str, object]:
    """Return the columns of somebody's side of a CDR."""
    contract = f"SELECT contract_id FROM billing.resellers WHERE id = {tenant.reseller}"
    ((provider,),) = tenant.api.database.run(contract)
    return {
        f"{name}_user_id": uuid_of(tenant.api, subscriber),
        f"{name}_provider_id": provider,
        f"{name}_account_id": tenant.customer,
        f"{name}_user": f"user{subscriber}",
        f"{name}_domain": f"{tenant.name}.test",
    }


def outside(name: str) -> dict[str, object]:
    """Return the columns of a stranger's side."""
    nobody = {"user_id": "0", "provider_id": 1, "account_id": 0, "user": "4319", "domain": "peer.test"}
    return {f"{name}_{column}": value for column, value in nobody.items()}


def add(api: Api, number: int, *sides: Mapping[str, object], **columns: object) -> int:
    """Add a CDR that began `number` minutes after START; return its number."""
    row: dict[str, object] = {
        "source_cli": "4311001",
        "destination_user_dialed": "01002",
        "destination_user_in": "4311002",
        "destination_domain_in": "red.test",
        "call_status": "ok",
        "call_code": "200",
        "init_time": START + 60 * number - 2.5,
        "start_time": START + 60 * number,
        "duration": 61.25,
        "call_id": f"call-{number}",
    }
    for one in (*sides, columns):
        row |= one
    values = ", ".join("NULL" if value is None else f"'{value}'" for value in row.values())
    api.database.run(f"INSERT INTO accounting.cdr ({', '.join(row)}) VALUES ({values})")
    ((made,),) = api.database.run("SELECT MAX(id) FROM accounting.cdr")
    assert isinstance(made, int)
    return made


@pytest.fixture
def red(api: Api) -> Tenant:
    return Tenant(api, "red")


@pytest.fixture
def blue(api: Api) -> Tenant:
    return Tenant(api, "blue")


def shown(api: Api, query: str = "", name: str = "calls", **options: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    response = api.ask("GET", f"/api/{name}/{query}", **options)
    assert response.status_code == 200, response.text
    content = response.json()
    found: list[dict[str, Any]] = content["_embedded"][f"ngcp:{name}"]
    return found


def ids(api: Api, query: str = "", name: str = "calls", **options: Any) -> list[int]:  # noqa: ANN401
    return [one["id"] for one in shown(api, query, name, **options)]


def test_an_operator_sees_every_column(api: Api, red: Tenant, blue: Tenant) -> None:
    caller, callee = side(red, red.subscriber, "source"), side(blue, blue.subscriber, "destination")
    number = add(api, 1, caller, callee, source_gpp0="x", source_carrier_cost="1.5", source_ip="192.0.2.1")
    api.database.run(
        "INSERT INTO accounting.cdr_mos_data SELECT id, start_time, 4.1, 0.5, 3, 20 FROM accounting.cdr"
    )
    call = api.get(f"/api/calls/{number}")
    assert call["_links"]["self"]["href"] == f"/api/calls/{number}"
    assert call["_links"]["ngcp:customers"]["href"] == f"/api/customers/{blue.customer}"
    expected = caller | {
        "call_id": "call-1",
        "call_status": "ok",
        "init_time": "2023-11-14 22:14:17.500",
        "start_time": "2023-11-14 22:14:20.000",
        "duration": 61.25,
        "source_gpp0": "x",
        "source_carrier_cost": 1.5,
        "source_ip": "192.0.2.1",
        "source_subscriber_id": red.subscriber,
        "source_customer_id": red.customer,
        "destination_subscriber_id": blue.subscriber,
        "rating_status": "unrated",
        "export_status": "unexported",
        "mos_average": 4.1,
    }
    assert {name: call[name] for name in expected} == expected


def test_calls_are_searched_by_whose_they_are(api: Api, red: Tenant, blue: Tenant) -> None:
    a, b = side(red, red.subscriber, "source"), side(red, red.other_subscriber, "destination")
    out = add(api, 1, a, outside("destination"))
    intra = add(api, 2, a, b)
    incoming = add(api, 3, outside("source"), side(red, red.subscriber, "destination"))
    foreign = add(api, 4, side(blue, blue.subscriber, "source"), outside("destination"))
    assert ids(api) == [out, intra, incoming, foreign]
    assert ids(api, f"?subscriber_id={red.subscriber}") == [out, intra, incoming]
    assert ids(api, f"?subscriber_id={red.subscriber}&direction=in") == [incoming]
    assert ids(api, f"?subscriber_id={red.subscriber}&direction=out") == [out, intra]
    assert ids(api, f"?customer_id={red.customer}") == [out, intra, incoming]
    assert ids(api, f"?customer_id={red.customer}&direction=in") == [incoming]
    assert ids(api, f"?reseller_id={blue.reseller}") == [foreign]
    assert ids(api, f"?reseller_id={blue.reseller}&customer_id={red.customer}") == []
    assert ids(api, "?subscriber_id=999999") == []
    counted = api.get(f"/api/calls/?customer_id={red.customer}&rows=1")
    assert (counted["total_count"], "next" in counted["_links"]) == (3, True)


def test_filters(api: Api, red: Tenant) -> None:
    a = side(red, red.subscriber, "source")
    answered = add(api, 1, a, outside("destination"), rating_status="ok")
    busy = add(api, 2, a, outside("destination"), call_status="busy", call_code="486", call_type="cfb")
    later = add(api, 1441, outside("source"), side(red, red.subscriber, "destination"), source_cli="4319")
    for query, found in {
        "status=ok": [answered, later],
        "status=ok,busy": [answered, busy, later],
        "status_ne=ok": [busy],
        "type=cfb": [busy],
        "type_ne=cfb": [answered, later],
        "rating_status=ok": [answered],
        "rating_status_ne=ok": [busy, later],
        "export_status=unexported&call_code=486": [busy],
        "call_id=call-2": [busy],
        "call_id=call-1*": [answered, later],
        "call_id=nobody": [],
        "start_ge=2023-11-15": [later],
        "start_le=2023-11-14": [answered, busy],
        "start_ge=2023-11-14 22:15:20&start_le=2023-11-14T22:15:20Z": [busy],
        "start_ge=2023-11-14T23:15:20%2B01:00": [busy, later],
        "start_ge=2023-11-14 23:15:20&tz=Europe/Vienna": [busy, later],
        "init_le=2023-11-14 22:14:18": [answered],
        f"subscriber_id={red.subscriber}&own_cli=4311001": [answered, busy],
        f"subscriber_id={red.subscriber}&own_cli=431100*": [answered, busy, later],
        f"id={busy}": [busy],
    }.items():
        assert ids(api, f"?{query}") == found, query


@pytest.mark.parametrize(
    "query",
    [
        *("status=fine", "status=ok,fine", "type_ne=x", "rating_status=", "export_status=no"),
        *("start_ge=yesterday", "start_le=2023-13-01", "init_ge=1", "id=x", "id=-1"),
        *("subscriber_id=x", "customer_id=", "reseller_id=1.5", "direction=in", "own_cli=43"),
        *("tz=Atlantis", "tz=../etc", "subscriber_id=1&direction=up"),
    ],
)
def test_a_bad_filter_is_named(api: Api, query: str) -> None:
    response = api.ask("GET", f"/api/calls/?{query}")
    assert response.status_code == 422, response.text
    assert f"field='{query.rpartition('&')[2].partition('=')[0]}'" in response.json()["message"]


@pytest.mark.parametrize("query", ["colour=red", "order_by=source_user", "page=0"])
def test_what_no_list_knows_is_400(api: Api, query: str) -> None:
    response = api.ask("GET", f"/api/calls/?{query}")
    assert response.status_code == 400
    assert query.split("=", maxsplit=1)[0].removesuffix("_by") in response.json()["message"]


@pytest.mark.parametrize("order", ["id", "init_time", "start_time", "duration", "call_id"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_pages_of_somebodys_calls_follow_each_other(
    api: Api, red: Tenant, order: str, direction: str
) -> None:
    """Both sides are read apart: no call is twice on the pages, none is missing."""
    a, b = side(red, red.subscriber, "source"), side(red, red.other_subscriber, "source")
    to_a = side(red, red.subscriber, "destination")
    made = []
    for number in range(12):
        sides = ((a, outside("destination")), (outside("source"), to_a), (b, to_a), (a, to_a))[number % 4]
        made.append(add(api, number, *sides, duration=100 - 7 * (number % 5), call_id=f"call-{number:02}"))
    base = f"?subscriber_id={red.subscriber}&order_by={order}&order_by_direction={direction}"
    whole = ids(api, f"{base}&rows=50")
    assert sorted(whole) == made
    assert [one for page in range(1, 5) for one in ids(api, f"{base}&rows=3&page={page}")] == whole
    first = api.get(f"/api/calls/{base}&rows=3&no_count=true")
    assert "total_count" not in first
    assert "next" not in api.get(f"/api/calls/{base}&rows=3&page=4&no_count=true")["_links"]
    assert "next" in first["_links"]


def test_a_long_list_is_not_counted_to_its_end(
    api: Api, red: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ngcp.provisioning.cdrs.COUNTED", 2)
    for number in range(3):
        add(api, number, side(red, red.subscriber, "source"), outside("destination"))
    for query in ("", f"subscriber_id={red.subscriber}&"):
        content = api.get(f"/api/calls/?{query}rows=2")
        assert "total_count" not in content
        assert "next" in content["_links"]


def test_a_reseller_sees_his_side(api: Api, red: Tenant, blue: Tenant) -> None:
    mixed = add(
        api,
        1,
        side(red, red.subscriber, "source"),
        side(blue, blue.subscriber, "destination"),
        source_reseller_cost="0.5",
        source_carrier_cost="0.1",
        destination_customer_cost="9",
        destination_gpp1="secret",
    )
    add(api, 2, side(blue, blue.subscriber, "source"), outside("destination"))
    assert ids(api, auth=red.admin) == [mixed]
    assert ids(api, f"?subscriber_id={blue.subscriber}", auth=red.admin) == []
    assert ids(api, f"?reseller_id={blue.reseller}", auth=red.admin) == []
    call = api.ask("GET", f"/api/calls/{mixed}", auth=red.admin).json()
    assert (call["source_subscriber_id"], call["source_reseller_cost"]) == (red.subscriber, 0.5)
    assert (call["destination_user_in"], call["destination_domain"]) == ("4311002", "blue.test")
    for name in ("subscriber_id", "user_id", "account_id", "customer_cost", "gpp1"):
        assert call[f"destination_{name}"] is None, name
    assert "source_carrier_cost" not in call
    assert api.ask("GET", f"/api/calls/{mixed + 1}", auth=red.admin).status_code == 404


@pytest.mark.parametrize("role", ["subscriber", "subscriberadmin"])
def test_a_customer_sees_his_own(api: Api, red: Tenant, blue: Tenant, role: str) -> None:
    login = red.login(role)
    own = add(api, 1, side(red, red.subscriber, "source"), outside("destination"), source_customer_cost="0.2")
    colleagues = add(api, 2, side(red, red.other_subscriber, "source"), outside("destination"))
    foreign = add(api, 3, side(blue, blue.subscriber, "source"), outside("destination"))
    expected = [own, colleagues] if role == "subscriberadmin" else [own]
    assert ids(api, auth=login) == expected
    assert ids(api, f"?customer_id={blue.customer}", auth=login) == []
    call = api.ask("GET", f"/api/calls/{own}", auth=login).json()
    assert call["source_customer_cost"] == 0.2
    assert not [name for name in call if "carrier" in name or "reseller" in name or "peer_auth" in name]
    assert api.ask("GET", f"/api/calls/{foreign}", auth=login).status_code == 404
    assert api.ask("POST", "/api/calls/", auth=login, json={}).status_code == 403


def test_a_hidden_number_is_hidden_from_who_was_called(api: Api, red: Tenant) -> None:
    to_us = side(red, red.subscriber, "destination")
    hidden = add(api, 1, outside("source"), to_us, source_clir=1, source_cli="4319", source_user_out="4319")
    call = api.ask("GET", f"/api/calls/{hidden}", auth=red.login("subscriber")).json()
    for name in ("source_cli", "source_user", "source_domain", "source_user_out"):
        assert call[name] is None
    assert "4319" not in str(call)
    assert api.get(f"/api/calls/{hidden}")["source_cli"] == "4319"


# calllists


def test_a_call_list_tells_directions(api: Api, red: Tenant) -> None:
    a, b = side(red, red.subscriber, "source"), side(red, red.other_subscriber, "destination")
    add(api, 1, a, outside("destination"), destination_user_in="4319", source_customer_cost="0.25")
    add(api, 2, a, b)
    add(api, 3, outside("source"), side(red, red.subscriber, "destination"), source_cli="4320")
    (out, intra, incoming) = shown(api, name="calllists", auth=red.login("subscriber"))
    assert "_links" in out
    del out["_links"]
    assert out == {
        "id": out["id"],
        "call_id": "call-1",
        "type": "call",
        "call_type": "call",
        "status": "ok",
        "rating_status": "unrated",
        "direction": "out",
        "own_cli": "4311001",
        "other_cli": "4319",
        "clir": False,
        "intra_customer": False,
        "init_time": "2023-11-14 22:14:17.500",
        "start_time": "2023-11-14 22:14:20.000",
        "duration": "0:01:01.250",
        "customer_cost": 0.25,
        "customer_free_time": 0,
    }
    assert (intra["direction"], intra["intra_customer"], intra["other_cli"]) == ("out", True, "4311002")
    assert (incoming["direction"], incoming["own_cli"], incoming["other_cli"]) == ("in", "4311002", "4320")
    (seen,) = shown(api, f"?subscriber_id={red.other_subscriber}", "calllists")
    assert (seen["direction"], seen["own_cli"], seen["other_cli"]) == ("in", "4311002", "4311001")
    assert seen["_links"]["self"]["href"].endswith(f"?subscriber_id={red.other_subscriber}")
    assert api.get(seen["_links"]["self"]["href"]) == seen
    assert [one["direction"] for one in shown(api, f"?customer_id={red.customer}", "calllists")] == [
        *("out", "out", "in")
    ]


def test_a_call_list_in_a_time_zone(api: Api, red: Tenant) -> None:
    add(api, 1, side(red, red.subscriber, "source"), outside("destination"))
    query = "?tz=Europe/Vienna&start_ge=2023-11-14 23:14:20&start_le=2023-11-14 23:14:20"
    (call,) = shown(api, query, "calllists", auth=red.login("subscriber"))
    assert call["start_time"] == "2023-11-14 23:14:20.000"
    assert ids(api, "?tz=Asia/Tokyo&start_le=2023-11-14", "calllists", auth=red.login("subscriber")) == []


@pytest.mark.parametrize("scope", [None, "external", "all"])
@pytest.mark.parametrize("level", ["subscriberpreferences", "customerpreferences", "domainpreferences"])
def test_whose_hidden_numbers_stay_hidden(api: Api, red: Tenant, level: str, scope: str | None) -> None:
    """From strangers always, inside a customer if the caller's `calllist_clir_scope` is `all`."""
    to_us = side(red, red.other_subscriber, "destination")
    add(api, 1, outside("source"), to_us, source_clir=1)
    add(api, 2, side(red, red.subscriber, "source"), to_us, source_clir=1)
    if scope is not None:
        owner = {"s": red.subscriber, "c": red.customer, "d": red.domain}[level[0]]
        assert api.change(f"/api/{level}/{owner}", calllist_clir_scope=scope).status_code == 200
    query = f"?subscriber_id={red.other_subscriber}"
    for login in (red.admin, red.login("subscriberadmin")):
        stranger, colleague = shown(api, query, "calllists", auth=login)
        assert (stranger["other_cli"], stranger["clir"]) == (None, True)
        assert colleague["other_cli"] == (None if scope == "all" else "4311001")
    assert [one["other_cli"] for one in shown(api, query, "calllists")] == ["4311001", "4311001"]
    # he who hid sees his own number, whatever his customer says
    (own,) = shown(api, name="calllists", auth=red.login("subscriber"))
    assert own["own_cli"] == "4311001"


def test_applications_have_names(api: Api, red: Tenant) -> None:
    us = side(red, red.subscriber, "source")
    voicebox = {"destination_user_in": "vmu4311001", "destination_domain_in": "voicebox.local"}
    add(api, 1, us, outside("destination"), call_type="cfu", **voicebox)
    add(api, 2, us, outside("destination"), destination_user_in="bob", source_cli="anonymous")
    forwarded, named = shown(api, f"?subscriber_id={red.subscriber}", "calllists")
    assert (forwarded["type"], forwarded["other_cli"]) == ("cfu", "voicemail")
    assert named["other_cli"] == "bob@peer.test"
    assert named["own_cli"] == f"user{red.subscriber}@red.test"


@pytest.mark.parametrize("path", ["/api/calllists/", "/api/calllists/1"])
def test_it_must_be_said_whose_call_list_is_meant(api: Api, path: str) -> None:
    response = api.ask("GET", path)
    assert response.status_code == 422
    assert "field='subscriber_id'" in response.json()["message"]


def test_no_call_list_of_a_stranger(api: Api, red: Tenant, blue: Tenant) -> None:
    number = add(api, 1, side(blue, blue.subscriber, "source"), outside("destination"))
    query = f"?subscriber_id={blue.subscriber}"
    for login in (red.admin, red.login("subscriberadmin"), red.login("subscriber")):
        assert ids(api, query, "calllists", auth=login) == []
        assert api.ask("GET", f"/api/calllists/{number}{query}", auth=login).status_code == 404
