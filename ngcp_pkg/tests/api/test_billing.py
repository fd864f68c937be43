"""What operators say of how calls are charged."""

import pytest

from api.conftest import Api


def test_off_peak_times_are_part_of_a_profile(api: Api) -> None:
    weekdays: list[dict[str, object]] = [{"weekday": 5, "start": None, "stop": None}]
    weekdays += [{"weekday": 0, "start": "18:00:00", "stop": "23:59:59"}]
    special = [{"start": "2026-12-24 14:00:00", "stop": "2026-12-24 23:59:59"}]
    made = api.make(
        "billingprofiles", handle="a", name="A", peaktime_weekdays=weekdays, peaktime_special=special
    )

    assert (made["peaktime_weekdays"], made["peaktime_special"]) == (weekdays, special)
    path = f"/api/billingprofiles/{made['id']}"
    api.patch(path, [{"op": "remove", "path": "/peaktime_weekdays/0"}])
    kept = api.get(path)
    assert (kept["peaktime_weekdays"], kept["peaktime_special"]) == (weekdays[1:], special)


@pytest.mark.parametrize(
    "values",
    [
        {"peaktime_weekdays": [{"weekday": 7}]},
        {"peaktime_weekdays": [{"weekday": 1, "start": "24:00:00"}]},
        {"peaktime_weekdays": [{"weekday": 1, "start": "18:00:00", "stop": "08:00:00"}]},
        {"peaktime_weekdays": [{"weekday": 1, "end": "08:00:00"}]},
        {"peaktime_special": [{"start": "2026-02-30 00:00:00", "stop": "2026-03-01 00:00:00"}]},
        {"peaktime_special": [{"start": "2026-03-02 00:00:00", "stop": "2026-03-01 00:00:00"}]},
        {"interval_free_cash": 0.0000001},
        {"interval_free_cash": -1},
    ],
)
def test_what_is_no_time_or_amount_is_refused(api: Api, values: dict[str, object]) -> None:
    assert next(iter(values)) in api.refused("billingprofiles", 422, handle="a", name="A", **values)


def test_who_remembers_a_profile_learns_of_each_change(api: Api) -> None:
    profile = api.make("billingprofiles", handle="a", name="A")["id"]

    def revision() -> object:
        return api.database.run(f"SELECT revision FROM billing.billing_profiles WHERE id = {profile}")[0][0]

    seen = [revision()]
    zone = api.make("billingzones", billing_profile_id=profile, zone="z")["id"]
    seen.append(revision())
    fee = api.make("billingfees", billing_profile_id=profile, billing_zone_id=zone, destination="^43")["id"]
    seen.append(revision())
    api.ask("DELETE", f"/api/billingfees/{fee}")
    seen.append(revision())
    api.patch(f"/api/billingprofiles/{profile}", [{"op": "replace", "path": "/name", "value": "B"}])
    seen.append(revision())
    assert len(set(seen)) == len(seen)


def test_calls_are_free_by_a_default_profile(api: Api) -> None:
    (fee,) = api.get("/api/billingfees/")["_embedded"]["ngcp:billingfees"]
    (zone,) = api.get("/api/billingzones/")["_embedded"]["ngcp:billingzones"]

    assert (fee["destination"], fee["onpeak_init_rate"], fee["billing_zone_id"]) == (".", 0, zone["id"])
    assert zone["zone"] == "Free Default Zone"


def test_another_profile_is_for_calls_from_now_on(api: Api) -> None:
    contact = api.make("customercontacts", email="c@example.org")["id"]
    customer = api.make("customers", contact_id=contact)
    profile = api.make("billingprofiles", handle="a", name="A")["id"]
    path = f"/api/customers/{customer['id']}"

    api.change(path, billing_profile_id=profile)

    assert api.get(path)["billing_profile_id"] == profile
    mappings = (
        "SELECT billing_profile_id, start_date IS NULL FROM billing.billing_mappings"
        f" WHERE contract_id = {customer['id']} ORDER BY id"
    )
    assert api.database.run(mappings) == [(customer["billing_profile_id"], 1), (profile, 0)]
    assert api.ask("DELETE", f"/api/billingprofiles/{profile}").status_code == 423
    api.change(path, billing_profile_id=customer["billing_profile_id"])
    assert api.ask("DELETE", f"/api/billingprofiles/{profile}").status_code == 204


@pytest.fixture
def charged(api: Api) -> int:
    """Return a customer whose profile gives free time and cash."""
    profile = api.make(
        "billingprofiles", handle="a", name="A", interval_free_time=600, interval_free_cash=1050.5
    )
    return api.customer(billing_profile_id=profile["id"])


def test_a_customer_who_never_called_has_what_his_profile_gives(api: Api, charged: int) -> None:
    balance = api.get(f"/api/customerbalances/{charged}")

    assert (balance["id"], balance["customer_id"]) == (charged, charged)
    assert (balance["cash_balance"], balance["cash_debit"]) == (10.505, 0)
    assert (balance["free_time_balance"], balance["free_time_spent"]) == (600, 0)
    assert balance["start"] < balance["stop"]
    assert balance["_links"]["ngcp:customers"]["href"] == f"/api/customers/{charged}"
    assert api.database.run("SELECT * FROM billing.contract_balances") == []


def test_credit_is_added(api: Api, charged: int) -> None:
    path = f"/api/customerbalances/{charged}"

    changed = api.change(path, cash_balance=25.12345678)

    assert changed.json()["cash_balance"] == 25.12345678
    assert api.get(path)["free_time_balance"] == 600
    rows = api.database.run(
        "SELECT cash_balance, granted_cash, initial_cash_balance, free_time_balance"
        f" FROM billing.contract_balances WHERE contract_id = {charged}"
    )
    assert [str(value) for value in rows[0]] == ["2512.345678", "1050.500000", "1050.500000", "600"]
    assert {f"credit:{charged}"} in api.registrar.announced


def test_credit_is_put(api: Api, charged: int) -> None:
    body = {"cash_balance": -1, "free_time_balance": 0}

    assert api.ask("PUT", f"/api/customerbalances/{charged}", json=body).status_code == 204
    listed = api.get(f"/api/customerbalances/?customer_id={charged}")["_embedded"]["ngcp:customerbalances"]
    assert [(one["cash_balance"], one["free_time_balance"]) for one in listed] == [(-1, 0)]


@pytest.mark.parametrize(
    "body",
    [
        {"cash_balance": 1},
        {"free_time_balance": 1},
        {"cash_balance": 1e13, "free_time_balance": 0},
        {"cash_balance": 0.000000001, "free_time_balance": 0},
        {"cash_balance": 1, "free_time_balance": -1},
        {"cash_balance": 1, "free_time_balance": 0, "credit": 1},
    ],
)
def test_what_is_no_balance_is_refused(api: Api, charged: int, body: dict[str, object]) -> None:
    assert api.ask("PUT", f"/api/customerbalances/{charged}", json=body).status_code == 422


def test_a_customer_has_limits_of_his_own(api: Api, charged: int) -> None:
    path = f"/api/customerfraudpreferences/{charged}"
    assert api.get(path)["fraud_daily_limit"] is None

    api.change(path, fraud_daily_limit=500, fraud_daily_lock=2, fraud_daily_notify="a@example.org")
    api.change(path, fraud_interval_limit=9000)

    own = api.get(path)
    assert (own["fraud_interval_limit"], own["fraud_daily_limit"], own["fraud_daily_lock"]) == (9000, 500, 2)
    assert api.change(path, fraud_daily_lock=5).status_code == 422


def test_limits_that_were_reached_are_listed(api: Api, charged: int) -> None:
    api.database.run(
        "INSERT INTO accounting.fraud_events"
        " (contract_id, period, period_date, cost, fraud_limit, fraud_lock)"
        f" VALUES ({charged}, 'day', '2026-03-10', 120.5, 100, 2)"
    )

    (event,) = api.get(f"/api/customerfraudevents/?customer_id={charged}")["_embedded"][
        "ngcp:customerfraudevents"
    ]

    assert (event["interval"], event["interval_date"], event["interval_cost"]) == ("day", "2026-03-10", 120.5)
    assert (event["interval_limit"], event["interval_lock"], event["notified_at"]) == (100, 2, None)
    assert api.ask("POST", "/api/customerfraudevents/", json={}).status_code == 405
