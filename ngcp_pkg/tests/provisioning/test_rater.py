"""Rating call records: costs, balances and limits in one transaction, once each."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from ngcp.provisioning.accounts import ACCOUNTS
from ngcp.provisioning.engine import connect
from ngcp.provisioning.rating.rater import Pass, Rater
from private_mariadb import Server
from provisioning.billed import Billed, unix

NOON = "2026-03-10 12:00:00"
NOW = float(unix("2026-03-10 13:00:00"))


@pytest.fixture
def billed(database: Server) -> Billed:
    return Billed(database)


def rate(billed: Billed, now: float = NOW, passes: int = 1) -> Pass:
    async def work() -> Pass:
        engine = connect(billed.server.socket, billed.server.user, 20.0)
        try:
            rater = Rater(engine)
            return [await rater.work(now) for _ in range(passes)][-1]
        finally:
            await engine.dispose()

    return asyncio.run(work())


def test_a_call_is_rated_once(billed: Billed) -> None:
    customer = billed.customer(billed.profile())
    cdr = billed.call(customer, NOON, 61)

    assert rate(billed) == Pass(1, 0, frozenset())
    assert rate(billed) == Pass(0, 0, frozenset())

    assert billed.cost(cdr) == Decimal(120)
    assert billed.cost(cdr, "rating_status") == "ok"
    assert str(billed.cost(cdr, "rated_at")) == "2026-03-10 12:00:00"
    assert billed.balances(customer) == [(0, 120, 0, 0)]


def test_fees_and_zones_are_in_the_record(billed: Billed) -> None:
    profile = billed.profile(None)
    zone = billed._insert("billing.billing_zones", billing_profile_id=profile, zone="Abroad")
    fee = billed.fee(profile, "0.5/1 0.5/1", destination="^49", billing_zone_id=zone)
    billed.fee(profile, "9/1 9/1")
    cdr = billed.call(billed.customer(profile), NOON, 10.5)

    rate(billed)

    assert billed.cost(cdr) == Decimal("5.5")
    assert billed.cost(cdr, "source_customer_billing_fee_id") == fee
    assert billed.cost(cdr, "source_customer_billing_zone_id") == zone
    assert billed.cost(cdr, "source_customer_free_time") == 0
    assert billed.cost(cdr, "source_reseller_cost") == 0
    assert billed.cost(cdr, "source_reseller_billing_fee_id") is not None
    assert billed.cost(cdr, "destination_customer_billing_fee_id") is None
    assert billed.cost(cdr, "frag_customer_onpeak") == 1
    assert billed.cost(cdr, "is_fragmented") == 0


def test_carrier_reseller_and_customer_pay_their_own_profiles(billed: Billed) -> None:
    carrier = billed.customer(billed.profile("0.1/1 0.1/1"), product="PSTN_PEERING")
    reseller = billed.customer(billed.profile("0.2/1 0.2/1"), product="VOIP_RESELLER")
    customer = billed.customer(billed.profile("0.3/1 0.3/1"))
    ends = {"source_provider_id": reseller, "destination_provider_id": carrier}
    cdr = billed.call(customer, NOON, 10, **ends)

    rate(billed)

    costs = [billed.cost(cdr, f"source_{payer}_cost") for payer in ("carrier", "reseller", "customer")]
    assert costs == [1, 2, 3]
    assert [billed.balances(one)[0][1] for one in (carrier, reseller, customer)] == [1, 2, 3]


def test_who_is_called_pays_only_where_a_fee_says_so(billed: Billed) -> None:
    profile = billed.profile()
    callee = billed.customer(profile)
    ends = {"destination_user_id": "u", "destination_account_id": callee, "source_account_id": 0}
    ends |= {"source_provider_id": 0, "destination_provider_id": billed.reseller}
    free = billed.call(callee, NOON, 60, **ends)
    rate(billed)
    billed.fee(profile, "0.5/60 0.5/60", direction="in")
    billed.server.run("UPDATE billing.billing_profiles SET revision = revision + 1")
    paid = billed.call(callee, NOON, 60, **ends)
    rate(billed)

    assert [billed.cost(one, "destination_customer_cost") for one in (free, paid)] == [0, 30]


def test_who_did_not_answer_costs_nothing(billed: Billed) -> None:
    cdr = billed.call(billed.customer(billed.profile()), NOON, 0, call_status="busy")

    assert rate(billed).rated == 1
    assert (billed.cost(cdr), billed.cost(cdr, "rating_status")) == (0, "ok")


def test_a_call_without_a_fee_fails_and_says_why(billed: Billed) -> None:
    profile = billed.profile(None)
    good, bad = billed.customer(billed.profile()), billed.customer(profile)
    failed, paid = billed.call(bad, NOON, 60), billed.call(good, NOON, 60)
    nobodys = billed.call(4_000_000, NOON, 60)

    assert rate(billed) == Pass(1, 2, frozenset())

    assert [billed.cost(one, "rating_status") for one in (failed, paid, nobodys)] == [
        "failed",
        "ok",
        "failed",
    ]
    found = billed.server.run("SELECT cdr_id, reason FROM accounting.cdr_rating_failures")
    assert {row[0]: row[1] for row in found} == {
        failed: f"billing profile {profile} has no fee for calls from 431001 to 49301",
        nobodys: "contract 4000000 does not exist, or has no billing profile at that time",
    }
    assert billed.balances(bad) in ([], [(0, 0, 0, 0)])

    billed.fee(profile, "1/60 1/60")
    billed.server.run(
        "UPDATE billing.billing_profiles SET revision = revision + 1",
        f"UPDATE accounting.cdr SET rating_status = 'unrated' WHERE id = {failed}",
    )
    assert rate(billed).rated == 1
    assert len(billed.server.run("SELECT 1 FROM accounting.cdr_rating_failures")) == 1


def test_off_peak_times_are_the_customers(billed: Billed) -> None:
    profile = billed.profile()
    billed.server.run(
        f"UPDATE billing.billing_fees SET offpeak_init_rate = 0.5, offpeak_follow_rate = 0.5"
        f" WHERE billing_profile_id = {profile}",
        "INSERT INTO billing.billing_peaktime_weekdays (billing_profile_id, weekday, start, end)"
        f" VALUES ({profile}, 1, '12:01:00', '23:59:59')",
        "INSERT INTO billing.billing_peaktime_special (billing_profile_id, start, end)"
        f" VALUES ({profile}, '2026-03-11 12:00:00', '2026-03-11 12:00:59')",
    )
    customer = billed.customer(profile)
    first, second = billed.call(customer, NOON, 120), billed.call(customer, "2026-03-11 12:00:00", 120)

    rate(billed)

    assert [billed.cost(one) for one in (first, second)] == [90, 90]
    assert [billed.cost(one, "frag_customer_onpeak") for one in (first, second)] == [1, 0]
    assert [billed.cost(one, "is_fragmented") for one in (first, second)] == [1, 1]


def test_the_profile_of_the_time_of_the_call(billed: Billed) -> None:
    customer = billed.customer(billed.profile())
    billed._insert(
        "billing.billing_mappings",
        contract_id=customer,
        billing_profile_id=billed.profile("2/60 2/60"),
        start_date="2026-03-10 11:30:00",
    )
    before, after = billed.call(customer, NOON, 60), billed.call(customer, "2026-03-10 12:30:00", 60)

    rate(billed)

    assert [billed.cost(one) for one in (before, after)] == [60, 120]


def test_months_follow_one_another_without_a_gap(billed: Billed) -> None:
    customer = billed.customer(billed.profile(interval_free_cash="100", interval_free_time="30"))
    billed.server.run("UPDATE billing.billing_fees SET use_free_time = 1")
    first = billed.call(customer, "2026-01-15 12:00:00", 60)
    rate(billed)
    second = billed.call(customer, NOON, 60)
    rate(billed)

    assert [billed.cost(one) for one in (first, second)] == [0, 0]
    assert billed.balances(customer) == [(70, 30, 0, 30), (100, 0, 30, 0), (70, 30, 0, 30)]
    spans = billed.server.run(
        "SELECT CAST(start AS CHAR), CAST(end AS CHAR) FROM billing.contract_balances"
        f" WHERE contract_id = {customer} ORDER BY start"
    )
    assert spans == [
        ("2025-12-31 23:00:00", "2026-01-31 22:59:59"),
        ("2026-01-31 23:00:00", "2026-02-28 22:59:59"),
        ("2026-02-28 23:00:00", "2026-03-31 21:59:59"),
    ]


def test_a_late_call_changes_what_was_carried_over(billed: Billed) -> None:
    customer = billed.customer(billed.profile(prepaid="1"))
    rate_of_january = billed.call(customer, "2026-01-15 12:00:00", 60)
    rate(billed)
    billed.call(customer, NOON, 60)
    rate(billed)
    late = billed.call(customer, "2026-01-16 12:00:00", 60)
    rate(billed)

    assert [billed.cost(one) for one in (rate_of_january, late)] == [60, 60]
    assert [row[0] for row in billed.balances(customer)] == [-120, -120, -180]


def test_a_call_over_midnight_is_in_both_months(billed: Billed) -> None:
    customer = billed.customer(billed.profile(interval_free_cash="60"))
    cdr = billed.call(customer, "2026-03-31 23:59:00", 180)

    rate(billed)

    assert billed.cost(cdr) == 60
    assert billed.balances(customer) == [(0, 60, 0, 0), (0, 120, 0, 0)]


def test_prepaid_calls_are_noted_for_the_proxy(billed: Billed) -> None:
    customer = billed.customer(billed.profile(prepaid="1"))
    billed.call(customer, NOON, 60, call_id="a@b'c")

    rate(billed)

    rows = billed.server.run(
        "SELECT contract_id, call_id, cost, free_time_used FROM accounting.prepaid_costs"
    )
    assert rows == [(customer, "a@b'c", 60, 0)]


def lock_of(billed: Billed, name: str) -> list[tuple[object, ...]]:
    return billed.server.run(
        f"SELECT value FROM kamailio.usr_preferences WHERE attribute = 'lock' AND username = '{name}'"
    )


def test_a_daily_limit_locks_until_the_day_is_over(billed: Billed, caplog: pytest.LogCaptureFixture) -> None:
    customer = billed.customer(billed.profile(fraud_daily_limit=100, fraud_daily_lock=2))
    billed.server.run("UPDATE billing.billing_profiles SET fraud_daily_notify = 'noc@example.org'")
    billed.subscriber(customer, "alice")
    billed.call(customer, NOON, 60)
    assert rate(billed).changed == frozenset()
    billed.call(customer, "2026-03-10 12:05:00", 60)

    assert rate(billed).changed == {"alice@example.org"}

    assert lock_of(billed, "alice") == [("2",)]
    assert caplog.text.count("locks his subscribers (level 2), to be told: noc@example.org") == 1
    events = "SELECT contract_id, period, CAST(period_date AS CHAR), cost, fraud_limit, fraud_lock, notify"
    assert billed.server.run(f"{events} FROM accounting.fraud_events") == [
        (customer, "day", "2026-03-10", 120, 100, 2, "noc@example.org")
    ]
    billed.call(customer, "2026-03-10 12:10:00", 60)
    assert rate(billed).changed == frozenset()
    assert rate(billed, float(unix("2026-03-10 23:59:59"))).changed == frozenset()
    assert rate(billed, float(unix("2026-03-11 00:00:00"))).changed == {"alice@example.org"}
    assert lock_of(billed, "alice") == []
    assert len(billed.server.run("SELECT 1 FROM accounting.fraud_events")) == 1


def test_a_customers_own_limit_comes_first(billed: Billed) -> None:
    profile = billed.profile(fraud_interval_limit=1, fraud_interval_lock=3)
    generous, usual = billed.customer(profile), billed.customer(profile)
    for contract, name in ((generous, "alice"), (usual, "bob")):
        billed.subscriber(contract, name)
        billed.call(contract, NOON, 60)
    billed._insert("billing.contract_fraud_preferences", contract_id=generous, fraud_interval_limit=1000)

    rate(billed)

    assert (lock_of(billed, "alice"), lock_of(billed, "bob")) == ([], [("3",)])
    kinds = billed.server.run(
        "SELECT contract_id, fraud_limit_exceeded, fraud_limit_type FROM accounting.cdr_period_costs"
        " WHERE period = 'month' ORDER BY contract_id"
    )
    assert kinds == [(generous, 0, None), (usual, 1, "billing_profile")]


def test_an_operators_lock_stays(billed: Billed) -> None:
    customer = billed.customer(billed.profile(fraud_daily_limit=1, fraud_daily_lock=2))
    billed.subscriber(customer, "alice")
    billed.call(customer, NOON, 60)
    rate(billed)
    billed.server.run(
        "UPDATE provisioning.voip_usr_preferences p JOIN provisioning.voip_preferences n"
        " ON n.id = p.attribute_id SET p.value = '4' WHERE n.attribute = 'lock'"
    )

    rate(billed, float(unix("2026-03-11 00:00:00")))

    assert billed.server.run(
        "SELECT p.value FROM provisioning.voip_usr_preferences p JOIN provisioning.voip_preferences n"
        " ON n.id = p.attribute_id WHERE n.attribute = 'lock'"
    ) == [("4",)]


def test_a_day_within_a_month_that_is_locked_too(billed: Billed) -> None:
    limits = {"fraud_daily_limit": 60, "fraud_daily_lock": 1}
    limits |= {"fraud_interval_limit": 120, "fraud_interval_lock": 2}
    customer = billed.customer(billed.profile("1/60 1/60", **limits))
    billed.subscriber(customer, "alice")
    billed.call(customer, NOON, 60)
    rate(billed)
    assert lock_of(billed, "alice") == [("1",)]
    billed.call(customer, NOON, 60)
    rate(billed)
    assert lock_of(billed, "alice") == [("2",)]

    rate(billed, float(unix("2026-03-11 00:00:00")))
    assert lock_of(billed, "alice") == [("2",)]
    rate(billed, float(unix("2026-04-01 00:00:00")))
    assert lock_of(billed, "alice") == []


def test_the_mediators_account_suffices(billed: Billed) -> None:
    customer = billed.customer(billed.profile(prepaid="1", fraud_daily_limit=1, fraud_daily_lock=2))
    billed.subscriber(customer, "alice")
    billed.call(customer, NOON, 60)
    billed.call(billed.customer(billed.profile(None)), NOON, 60)
    run = billed.server.run
    run("CREATE OR REPLACE USER rater@localhost IDENTIFIED BY ''")
    run(*(f"GRANT {what} ON {where} TO rater@localhost" for where, what in ACCOUNTS["mediator"].items()))

    async def work(now: float) -> Pass:
        engine = connect(billed.server.socket, "rater", 20.0)
        try:
            return await Rater(engine).work(now)
        finally:
            await engine.dispose()

    try:
        assert asyncio.run(work(NOW)) == Pass(1, 1, frozenset({"alice@example.org"}))
        assert asyncio.run(work(NOW + 86_400)).changed == {"alice@example.org"}
    finally:
        run("DROP USER rater@localhost")


@contextmanager
def raters(billed: Billed, count: int) -> Iterator[list[Pass]]:
    """Let several raters work until there is nothing left, each on its own thread and connections."""
    done: list[Pass] = []

    def work() -> None:
        async def all_of_it() -> None:
            engine = connect(billed.server.socket, billed.server.user, 20.0)
            rater = Rater(engine, most=7)
            while (result := await rater.work(NOW)).rated:
                done.append(result)
            await engine.dispose()

        asyncio.run(all_of_it())

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield done


def test_two_raters_charge_every_call_once(billed: Billed) -> None:
    customers = [billed.customer(billed.profile(interval_free_cash="100")) for _ in range(3)]
    for number in range(120):
        billed.call(customers[number % 3], NOON, 60, start_time=unix(NOON) + number)

    with raters(billed, 2) as done:
        assert sum(one.rated for one in done) == 120

    for customer in customers:
        ((cash, spent, _, _),) = billed.balances(customer)
        assert (cash, spent) == (40, 40 * 60)
    sums = "SELECT SUM(source_customer_cost) FROM accounting.cdr"
    assert billed.server.run(sums) == [(3 * (40 * 60 - 60),)]
    assert billed.server.run(
        "SELECT SUM(customer_cost), SUM(cdr_count) FROM accounting.cdr_period_costs WHERE period = 'day'"
    ) == [(3 * (40 * 60 - 60), 120)]


def test_a_rater_that_dies_has_charged_nothing(billed: Billed, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = billed.customer(billed.profile())
    cdr = billed.call(customer, NOON, 60)

    async def die(*arguments: object) -> int:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr("ngcp.provisioning.rating.rater.lift_locks", die)
        with pytest.raises(Exception, match="ConnectionResetError"):
            rate(billed)

    assert billed.cost(cdr, "rating_status") == "unrated"
    assert billed.balances(customer) == []
    assert rate(billed).rated == 1
    assert billed.balances(customer) == [(0, 60, 0, 0)]
