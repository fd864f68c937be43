"""What goes from one billing interval into the next, and what a late call changes of that."""

from decimal import Decimal

import pytest

from ngcp.rating.balance import EMPTY, NO_ALLOWANCE, Account, Allowance, Balance, Holding
from ngcp.rating.charge import Talk, charge
from ngcp.rating.intervals import interval_of
from ngcp.rating.peaks import Peaks
from rating.tables import VIENNA, at, fee

ALWAYS = Peaks(VIENNA)


def month(text: str, allowance: Allowance = NO_ALLOWANCE, carried: Holding = EMPTY) -> Balance:
    return Balance.opened(interval_of(at(text) // 1000, "month", 1, VIENNA), allowance, carried)


def two_months(allowance: Allowance, carried: Holding = EMPTY, *, is_prepaid: bool = False) -> Account:
    march = month("2026-03-01", allowance, carried)
    april = march.following(month("2026-04-01").span.end, allowance)
    return Account([march, april], is_prepaid=is_prepaid)


def talk(text: str, seconds: int) -> Talk:
    return Talk(at(text), seconds * 1000)


@pytest.mark.parametrize(
    ("spent", "left", "carried"),
    [(0, 500, 0), (200, 300, 0), (500, 0, 0), (0, 700, 200), (500, 200, 200), (600, 100, 100)],
)
def test_free_cash_is_lost_and_own_money_is_not(spent: int, left: int, carried: int) -> None:
    balance = month("2026-03-10", Allowance(Decimal(500)))
    balance.cash, balance.spent_cash = Decimal(left), Decimal(spent)

    assert balance.following(0, Allowance(Decimal(40))).cash == carried + 40


def test_free_time_is_lost_at_the_end_of_the_month() -> None:
    account = two_months(Allowance(time=600))
    charge(fee("1/60 1/60"), ALWAYS, talk("2026-03-10 12:00:00", 60), account)

    assert [balance.time for balance in account.balances] == [540, 600]


def test_debt_is_carried_over() -> None:
    account = two_months(Allowance(), Holding(Decimal(10)), is_prepaid=True)
    charge(fee("1/60 1/60"), ALWAYS, talk("2026-03-10 12:00:00", 60), account)

    assert [balance.cash for balance in account.balances] == [-50, -50]


def test_a_call_over_midnight_is_paid_in_both_months() -> None:
    account = two_months(Allowance(Decimal(60)))

    result = charge(fee("1/60 1/60"), ALWAYS, talk("2026-03-31 23:59:00", 180), account)

    assert [fragment.cost for fragment in result.fragments] == [60, 120]
    assert [fragment.offset for fragment in result.fragments] == [0, 60]
    assert [balance.cash for balance in account.balances] == [0, 0]
    assert [balance.spent_cash for balance in account.balances] == [60, 120]
    assert [result.real_cost, result.cost] == [180, 60]


def test_a_late_call_of_last_month_is_paid_with_last_months_free_cash() -> None:
    account = two_months(Allowance(Decimal(60)))
    charge(fee("1/60 1/60"), ALWAYS, talk("2026-04-01 12:00:00", 60), account)

    late = charge(fee("1/60 1/60"), ALWAYS, talk("2026-03-31 12:00:00", 60), account)

    assert late.cost == 0
    assert [balance.cash for balance in account.balances] == [0, 0]


def test_a_late_call_of_last_month_takes_money_that_went_into_this_one() -> None:
    account = two_months(Allowance(), Holding(Decimal(100)), is_prepaid=True)

    charge(fee("1/60 1/60"), ALWAYS, talk("2026-03-31 12:00:00", 60), account)

    assert [balance.cash for balance in account.balances] == [40, 40]
    assert account.balances[1].initial == Holding(Decimal(40), 0)


@pytest.mark.parametrize(
    ("when", "unit", "count", "start", "end"),
    [
        ("2026-03-31 23:59:59", "month", 1, "2026-03-01", "2026-04-01"),
        ("2026-10-25 02:30:00", "month", 1, "2026-10-01", "2026-11-01"),
        ("2026-12-31 23:00:00", "month", 3, "2026-10-01", "2027-01-01"),
        ("2028-02-29 23:00:00", "month", 12, "2028-01-01", "2029-01-01"),
        ("2026-03-29 23:59:59", "week", 1, "2026-03-23", "2026-03-30"),
    ],
)
def test_intervals_are_the_calendars(when: str, unit: str, count: int, start: str, end: str) -> None:
    span = interval_of(at(when) // 1000, unit, count, VIENNA)

    assert (span.start, span.end) == (at(start) // 1000, at(end) // 1000)
