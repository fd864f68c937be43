"""What is true of every call, compared with a till that pays slowly: interval by interval."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from ngcp.rating.balance import Account, Allowance, Balance, Holding
from ngcp.rating.charge import Charge, Talk, charge
from ngcp.rating.fees import Fee, Rate, Tariff
from ngcp.rating.intervals import Span, interval_of
from ngcp.rating.peaks import DAY, Peaks, Weekly
from rating.tables import VIENNA, at

ZONES = [VIENNA, ZoneInfo("UTC"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]
MIDNIGHTS = [at("2026-03-29 00:00"), at("2026-10-25 00:00"), at("2026-12-31 20:00"), at("2026-04-04 14:00")]

rates = st.builds(
    Rate, st.decimals(0, 3, places=6), st.sampled_from([1, 6, 7, 30, 60, 900]) | st.integers(1, 600)
)
tariffs = st.builds(Tariff, rates, rates)
fees = st.builds(
    Fee,
    st.just(1),
    st.none(),
    st.just("out"),
    st.just("."),
    st.just("."),
    tariffs,
    tariffs,
    st.booleans(),
)
weekly = st.builds(
    lambda weekday, ends: Weekly(weekday, *sorted(ends)),
    st.integers(0, 6),
    st.tuples(st.integers(0, 96).map(lambda n: n * 900), st.integers(0, 96).map(lambda n: n * 900)),
)
peaks = st.builds(Peaks, st.sampled_from(ZONES), st.lists(weekly, max_size=4))
talks = st.builds(
    lambda midnight, offset, duration: Talk(midnight + offset, duration),
    st.sampled_from(MIDNIGHTS),
    st.integers(0, 6 * 3_600_000),
    st.integers(0, 7_200_000) | st.integers(0, 60).map(lambda n: n * 1000),
)


@st.composite
def accounts(draw: st.DrawFn) -> Account:
    """Return some intervals that end and begin anywhere near the calls."""
    start = MIDNIGHTS[0] // 1000 - DAY
    balances: list[Balance] = []
    carried = Holding(draw(st.decimals(0, 500, places=2)), draw(st.integers(0, 3000)))
    for _ in range(draw(st.integers(1, 3))):
        end = start + draw(st.integers(1, 400 * DAY))
        allowance = Allowance(draw(st.decimals(0, 500, places=2)), draw(st.integers(0, 3000)))
        balances.append(
            balances[-1].following(end, allowance)
            if balances
            else Balance.opened(Span(start, end), allowance, carried)
        )
        start = end
    return Account(balances, is_prepaid=draw(st.booleans()))


def copied(account: Account) -> Account:
    return Account([replace(balance) for balance in account.balances], is_prepaid=account.is_prepaid)


def slowly(fee: Fee, peaks: Peaks, talk: Talk, account: Account) -> tuple[Decimal, Decimal, int]:
    """Return real cost, uncovered cost and free time, interval by interval."""
    offset, real, uncovered, free = 0, Decimal(0), Decimal(0), 0
    while offset * 1000 < talk.duration:
        instant = (talk.start + offset * 1000) // 1000
        balance = account.at(instant)
        tariff = fee.onpeak if peaks.at(instant).is_onpeak else fee.offpeak
        rate = tariff.follow if offset else tariff.init
        used = min(balance.time, rate.interval) if fee.uses_free_time else 0
        balance.time -= used
        free += used
        price = rate.per_second * (rate.interval - used)
        if account.is_prepaid or balance.cash >= price:
            balance.cash -= price
        else:
            uncovered += price
        real += price
        offset += rate.interval
    return real, uncovered, free


@given(fees, peaks, talks, accounts())
def test_paying_at_once_is_paying_interval_by_interval(
    fee: Fee, peaks: Peaks, talk: Talk, account: Account
) -> None:
    one = Account(account.balances[-1:], is_prepaid=account.is_prepaid)
    other = copied(one)

    result = charge(fee, peaks, talk, one)

    real, uncovered, free = slowly(fee, peaks, talk, other)
    assert (result.real_cost, result.free_time) == (real, free)
    assert result.cost == (real if one.is_prepaid else uncovered)
    assert (one.balances[0].cash, one.balances[0].time) == (other.balances[0].cash, other.balances[0].time)


@given(fees, peaks, talks, accounts())
def test_the_fragments_make_the_call(fee: Fee, peaks: Peaks, talk: Talk, account: Account) -> None:
    result = charge(fee, peaks, talk, account)

    offset = 0
    for fragment in result.fragments:
        assert fragment.offset == offset
        offset += fragment.seconds
    assert offset * 1000 >= talk.duration
    assert sum((one.cost for one in result.fragments), Decimal(0)) == result.real_cost
    assert sum(one.free_time for one in result.fragments) == result.free_time
    neighbours = zip(result.fragments, result.fragments[1:], strict=False)
    assert all((a.is_onpeak, a.billing_start) != (b.is_onpeak, b.billing_start) for a, b in neighbours)


@given(fees, peaks, talks, st.integers(0, 600_000), accounts())
def test_a_longer_call_is_never_cheaper(
    fee: Fee, peaks: Peaks, talk: Talk, more: int, account: Account
) -> None:
    def cost(duration: int) -> Charge:
        return charge(fee, peaks, Talk(talk.start, duration), copied(account))

    short, long = cost(talk.duration), cost(talk.duration + more)
    assert 0 <= short.real_cost <= long.real_cost
    assert 0 <= short.cost <= long.cost
    assert 0 <= short.free_time <= long.free_time


@given(st.lists(st.tuples(fees, talks), max_size=4), peaks, accounts())
def test_nothing_is_lost_and_free_time_is_never_overspent(
    calls: list[tuple[Fee, Talk]], peaks: Peaks, account: Account
) -> None:
    before = copied(account)

    charges = [charge(fee, peaks, talk, account) for fee, talk in calls]

    assert all(balance.time >= 0 for balance in account.balances)
    assert sum((one.spent_cash for one in account.balances), Decimal(0)) == sum(
        (one.real_cost for one in charges), Decimal(0)
    )
    if not account.is_prepaid and len(account.balances) == 1:
        covered = sum((one.real_cost - one.cost for one in charges), Decimal(0))
        assert account.balances[0].cash == before.balances[0].cash - covered >= 0
    for earlier, later in zip(account.balances, account.balances[1:], strict=False):
        assert later.initial.cash == earlier.carried.cash + later.allowance.cash


@given(peaks, st.sampled_from(MIDNIGHTS), st.integers(-DAY, DAY))
def test_a_stretch_is_without_change(peaks: Peaks, midnight: int, offset: int) -> None:
    instant = midnight // 1000 + offset
    stretch = peaks.at(instant)
    assert stretch.until > instant
    for one in {instant, (instant + stretch.until) // 2, stretch.until - 1}:
        assert peaks.at(one).is_onpeak == stretch.is_onpeak
    for one in range(instant, min(stretch.until, instant + DAY), 901):
        assert peaks._is_offpeak(_wall(one, peaks)) is not stretch.is_onpeak


def _wall(instant: int, peaks: Peaks) -> datetime:
    return datetime.fromtimestamp(instant, peaks._zone)


@given(
    st.integers(0, 4_000_000_000),
    st.sampled_from(["week", "month"]),
    st.integers(1, 24),
    st.sampled_from(ZONES),
)
def test_intervals_follow_one_another(instant: int, unit: str, count: int, zone: ZoneInfo) -> None:
    span = interval_of(instant, unit, count, zone)
    assert span.start <= instant < span.end
    assert interval_of(span.end, unit, count, zone).start == span.end
    assert interval_of(span.end - 1, unit, count, zone) == span
