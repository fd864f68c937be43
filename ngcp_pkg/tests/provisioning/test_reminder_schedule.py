"""When wake-up calls are due, on clocks that are set forward and back (RFC 5545 §3.3.5)."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.provisioning.reminder_schedule import EVERY_DAY, WEEKDAYS, Plan, clock_ranges, last_due

VIENNA = "Europe/Vienna"
#: A half-hour change, one on the southern half, none, and one that lies beside full hours.
ZONES = (VIENNA, "Australia/Lord_Howe", "America/New_York", "Pacific/Auckland", "UTC", "Asia/Kathmandu", "")
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def at(text: str) -> float:
    """Read a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def rings(plan: Plan, first: str, last: str) -> list[str]:
    """Return when it rings if somebody looks every minute."""
    found, now = [], at(first)
    while now < at(last):
        due = last_due(plan, now, now + MINUTE)
        if due is not None:
            found.append(f"{datetime.fromtimestamp(due, UTC):%m-%d %H:%M}")
        now += MINUTE
    return found


def test_every_day_at_that_time() -> None:
    plan = Plan(time(6, 30), EVERY_DAY, VIENNA)
    assert rings(plan, "2026-01-10", "2026-01-13") == ["01-10 05:30", "01-11 05:30", "01-12 05:30"]


def test_weekdays_leave_the_weekend_out() -> None:
    plan = Plan(time(6, 30), WEEKDAYS, VIENNA)
    assert rings(plan, "2026-01-09", "2026-01-13") == ["01-09 05:30", "01-12 05:30"]  # Friday, Monday


def test_weekdays_are_those_of_the_subscriber() -> None:
    """Early on Monday in Auckland it is Sunday nearly everywhere else."""
    plan = Plan(time(6, 0), WEEKDAYS, "Pacific/Auckland")
    assert rings(plan, "2026-01-10", "2026-01-12") == ["01-11 17:00"]


def test_the_same_time_in_winter_and_in_summer() -> None:
    plan = Plan(time(6, 30), EVERY_DAY, VIENNA)
    assert rings(plan, "2026-03-28", "2026-03-31") == ["03-28 05:30", "03-29 04:30", "03-30 04:30"]
    assert rings(plan, "2026-10-24", "2026-10-27") == ["10-24 04:30", "10-25 05:30", "10-26 05:30"]


def test_time_that_clocks_leave_out_is_as_late_as_if_they_had_not_been_set() -> None:
    """On March 29 clocks go from 02:00 to 03:00: it rings at 03:30 by the new time."""
    plan = Plan(time(2, 30), EVERY_DAY, VIENNA)
    assert rings(plan, "2026-03-28", "2026-03-31") == ["03-28 01:30", "03-29 01:30", "03-30 00:30"]


def test_time_that_clocks_show_twice_is_the_first() -> None:
    """On October 25 clocks go from 03:00 back to 02:00."""
    plan = Plan(time(2, 30), EVERY_DAY, VIENNA)
    assert rings(plan, "2026-10-24", "2026-10-27") == ["10-24 00:30", "10-25 00:30", "10-26 01:30"]


@pytest.mark.parametrize(
    ("clocks", "spring", "autumn"),
    [
        (time(1, 59), "03-29 00:59", "10-24 23:59"),
        (time(2, 0), "03-29 01:00", "10-25 00:00"),
        (time(3, 0), "03-29 01:00", "10-25 02:00"),
        (time(3, 30), "03-29 01:30", "10-25 02:30"),
    ],
)
def test_times_around_both_changes(clocks: time, spring: str, autumn: str) -> None:
    plan = Plan(clocks, EVERY_DAY, VIENNA)
    assert rings(plan, "2026-03-28T23:30", "2026-03-29T12:00") == [spring]
    assert rings(plan, "2026-10-24T23:30", "2026-10-25T12:00") == [autumn]


def test_who_has_no_time_zone_is_where_the_node_is() -> None:
    now = datetime(2026, 1, 10, 6, 30).astimezone().timestamp()
    assert last_due(Plan(time(6, 30), EVERY_DAY, ""), now - 1, now) == now
    assert last_due(Plan(time(6, 30), EVERY_DAY, "Nowhere/Land"), now - 1, now) == now


def test_ends_of_what_is_looked_at() -> None:
    plan, due = Plan(time(6, 30), EVERY_DAY, "UTC"), at("2026-01-10T06:30")
    assert last_due(plan, due - 1, due) == due
    assert last_due(plan, due, due + 1) is None
    assert last_due(plan, due - DAY, due - 1) is None
    assert last_due(plan, due - 40 * DAY, due + HOUR) == due


PLANS = st.builds(
    Plan,
    st.times().map(lambda value: value.replace(microsecond=0)),
    st.sets(st.integers(1, 7), min_size=1).map(frozenset),
    st.sampled_from(ZONES),
)
MOMENTS = st.integers(int(at("2024-01-01")), int(at("2028-01-01"))).map(float)


@given(PLANS, MOMENTS)
def test_it_rings_once_a_day(plan: Plan, start: float) -> None:
    """However the clocks go: in a week of looks it rings on each ordered day, once."""
    found = set()
    for step in range(7 * 24 * 4):
        since = start + step * 900.0
        due = last_due(plan, since, since + 900.0)
        if due is not None:
            assert since < due <= since + 900.0
            found.add(due)
    assert len(plan.days) - 1 <= len(found) <= len(plan.days) + 1
    assert all(
        later - earlier > 22 * HOUR for earlier, later in zip(sorted(found), sorted(found)[1:], strict=False)
    )


@given(PLANS, MOMENTS, st.integers(1, 3600))
def test_due_is_what_clocks_show(plan: Plan, since: float, seconds: int) -> None:
    """But for the hours that are left out."""
    due = last_due(plan, since, since + seconds)
    if due is None:
        return
    zone = ZoneInfo(plan.timezone) if plan.timezone else None
    shown = datetime.fromtimestamp(due, zone)
    wanted = datetime.combine(shown.date(), plan.at)
    assert shown.replace(tzinfo=None, fold=0) - wanted in (
        timedelta(),
        timedelta(minutes=30),
        timedelta(hours=1),
    )


@given(PLANS, MOMENTS, st.integers(1, 3600), st.integers(0, 3600))
def test_how_often_one_looks_changes_nothing(plan: Plan, since: float, first: int, second: int) -> None:
    middle, until = since + first, since + first + second
    parts = {last_due(plan, since, middle), last_due(plan, middle, until)} - {None}
    whole = last_due(plan, since, until)
    assert (whole is None) == (not parts)
    assert whole is None or whole in parts


@given(PLANS, MOMENTS, st.integers(1, 3600))
def test_what_is_due_is_in_the_ranges(plan: Plan, since: float, seconds: int) -> None:
    if last_due(plan, since, since + seconds) is not None:
        ranges = clock_ranges(plan.timezone, since, since + seconds)
        assert any(first <= plan.at <= last for first, last in ranges)
        assert len(ranges) <= 4
