"""Who pays in advance: whether a call may be, and when it must end."""

import math
from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.provisioning.rating.profiles import Known
from ngcp.provisioning.runtime import Credit, Subscriber
from ngcp.proxy.call import Call
from ngcp.proxy.credit import FORGOTTEN, Credits, Grant
from ngcp.proxy.directory import Directory, Terms, Unknown
from ngcp.proxy.legs import legs_of
from ngcp.rating.balance import Account, Balance
from ngcp.rating.charge import Talk, charge
from ngcp.rating.intervals import Span
from proxy import calls
from proxy.doors import MemoryDirectory, run_now
from proxy.prepaid import credit, fee, tariff

ALICE = replace(calls.user("alice", account=7), prepaid=5)
BOB = calls.user("bob", account=8)
NOW = 1_800_000_000.0


class Till:
    """Credits with a directory, and what is asked of them."""

    def __init__(self, has: Credit, known: Known) -> None:
        self.source = MemoryDirectory()
        self.source.funds[7], self.source.prices[5] = has, known
        self.directory = Directory(self.source, Terms(60.0, lambda: 0.0, run_now))
        self.credits = Credits()
        self.now = NOW

    def learn(self, call: Call) -> None:
        """Ask until memory knows."""
        for _ in range(5):
            try:
                return self.credits.learn(call, self.directory)
            except Unknown as unknown:
                unknown.learn(lambda error: None)
        pytest.fail("memory never knows")

    def ask(self, name: str, payer: Subscriber = ALICE, *forwards: Subscriber) -> Grant:
        call = calls.call(payer, BOB, *(("cfu", one) for one in forwards), request=calls.invite(name))
        call.now = self.now
        self.learn(call)
        grant = self.credits.grant(call, legs_of(call), name, self.now)
        if grant.refused is None:
            self.credits.take(name, grant)
        return grant

    def change(self, has: Credit) -> None:
        self.source.funds[7] = has
        self.directory.drop("credit:7")


def test_credit_is_for_so_many_intervals() -> None:
    assert Till(credit("180"), tariff()).ask("c1").lasts == 180.0
    assert Till(credit("179.999999"), tariff()).ask("c1").lasts == 120.0
    assert Till(credit("10"), tariff("0.5", 1)).ask("c1").lasts == 20.0
    assert Till(credit("60", 60), tariff()).ask("c1").lasts == 120.0


def test_without_credit_there_is_no_call() -> None:
    assert Till(credit("59"), tariff()).ask("c1").refused == 0
    assert Till(credit("0"), tariff()).ask("c1").refused == 0
    assert Till(credit("-1"), tariff()).ask("c1").refused == 0


def test_what_costs_nothing_needs_no_credit() -> None:
    assert Till(credit("-100"), tariff("0")).ask("c1") == Grant()


def test_what_has_no_price_is_not_for_sale() -> None:
    assert Till(credit("1000"), tariff(destination="^49")).ask("c1").refused == 0


def test_who_gets_a_bill_may_call() -> None:
    assert Till(credit("0"), tariff()).ask("c1", BOB) == Grant()


def test_emergency_calls_need_no_credit() -> None:
    till = Till(credit("0"), tariff())
    call = calls.call(ALICE, BOB)
    call.is_emergency = True
    assert till.credits.grant(call, legs_of(call), "c1", NOW) == Grant()


def test_who_forwards_pays_for_his_part() -> None:
    till = Till(credit("60"), tariff())
    carol = calls.user("carol", account=9)
    assert till.ask("c1", carol, ALICE).lasts == 60.0
    assert Till(credit("0"), tariff()).ask("c1", carol, ALICE).refused == 1
    assert Till(credit("60"), tariff()).ask("c1", ALICE, ALICE).refused == 1


def test_calls_of_a_customer_share_what_he_has() -> None:
    till = Till(credit("600"), tariff("1", 1))
    assert till.ask("c1").lasts == 600.0
    assert till.credits.answer("c1", NOW, math.inf) == {"c1": NOW + 600 - 0.5}
    till.now += 100
    assert till.ask("c2").lasts == 250.0

    deadlines = till.credits.answer("c2", till.now, math.inf)

    assert deadlines == {"c1": till.now + 250 - 0.5, "c2": till.now + 250 - 0.5}
    till.now += 50
    assert till.credits.end("c2", till.now) == {"c1": till.now + 400 - 0.5}


def test_a_call_ends_when_it_would_end_anyway() -> None:
    till = Till(credit("600"), tariff("1", 1))
    till.ask("c1")
    assert till.credits.answer("c1", NOW, NOW + 30) == {"c1": NOW + 30}


def test_a_call_that_nobody_answers_costs_nothing() -> None:
    till = Till(credit("60"), tariff())
    till.ask("c1")
    assert till.ask("c2").refused == 0
    till.credits.end("c1", NOW + 20)
    assert till.ask("c2").lasts == 60.0


def test_another_attempt_takes_the_place_of_the_one_before() -> None:
    till = Till(credit("60"), tariff())
    assert till.ask("c1").lasts == till.ask("c1").lasts == 60.0


def test_calls_count_until_they_are_rated() -> None:
    till = Till(credit("120"), tariff())
    till.ask("c1")
    till.credits.answer("c1", NOW, math.inf)
    till.credits.end("c1", NOW + 30)
    till.now += 40
    assert till.ask("c2").lasts == 60.0
    till.credits.end("c2", till.now)

    till.change(credit("60", 0, "c1"))
    assert till.ask("c3").lasts == 60.0
    till.credits.end("c3", till.now)
    till.change(credit("120"))
    assert till.ask("c4").lasts == 120.0


def test_a_call_that_is_never_rated_is_forgotten() -> None:
    till = Till(credit("60"), tariff())
    till.ask("c1")
    till.credits.answer("c1", NOW, math.inf)
    till.credits.end("c1", NOW + 30)
    assert till.ask("c2").refused == 0
    till.now += FORGOTTEN + 31
    assert till.ask("c2").lasts == 60.0


def test_added_credit_is_for_the_next_call() -> None:
    till = Till(credit("0"), tariff())
    assert till.ask("c1").refused == 0
    till.change(credit("60"))
    assert till.ask("c1").lasts == 60.0


def test_a_new_price_is_for_the_next_call() -> None:
    till = Till(credit("60"), tariff())
    assert till.ask("c1").lasts == 60.0
    till.credits.end("c1", NOW)
    till.source.prices[5] = tariff("0.5", 60)
    assert till.ask("c1").lasts == 60.0
    till.credits.end("c1", NOW)
    till.directory.drop("tariff:5")
    assert till.ask("c1").lasts == 120.0


@given(
    st.decimals(0, 2000, places=2),
    st.integers(0, 600),
    st.lists(
        st.tuples(st.sampled_from(["0.5", "1", "3.333333"]), st.sampled_from([1, 10, 60, 90])),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.integers(0, 120), min_size=4, max_size=4),
)
def test_nobody_spends_what_he_does_not_have(
    cash: Decimal, time: int, prices: list[tuple[str, int]], gaps: list[int]
) -> None:
    """However calls overlap: if all end when they are told to, what they cost is there."""
    fees = [fee(f"^{number}$", rate, interval, number) for number, (rate, interval) in enumerate(prices)]
    till = Till(credit(str(cash), time), tariff("9", 1, "^x$", *fees))
    deadlines: dict[str, float] = {}
    answered: dict[str, tuple[int, float]] = {}
    for number, gap in zip(range(len(prices)), gaps, strict=False):
        till.now = min([till.now + gap, *deadlines.values()])
        name = str(number)
        call = calls.call(ALICE, BOB, request=calls.invite(name, f"sip:{number}@example.org"))
        call.now = till.now
        till.learn(call)
        grant = till.credits.grant(call, legs_of(call), name, till.now)
        if grant.refused is None:
            till.credits.take(name, grant)
            answered[name] = number, till.now
            deadlines = dict(till.credits.answer(name, till.now, math.inf))

    account = Account([Balance(Span(0, 2**40), cash=cash, time=time)], is_prepaid=True)
    known = till.source.prices[5]
    for name, (number, begun) in answered.items():
        talk = Talk(int(begun * 1000), max(int((deadlines[name] - begun) * 1000), 0))
        charge(fees[number], known.peaks(till.source.funds[7].zone or UTC), talk, account)
    assert account.balances[0].cash >= 0
