"""Times of call forwards, as tables."""

from datetime import UTC, datetime

import pytest

from ngcp.provisioning.periods import check, contains, local_time
from ngcp.provisioning.runtime import Period

#: A Thursday.
WHEN = datetime(2026, 11, 26, 20, 15, 59)


@pytest.mark.parametrize(
    "period",
    [
        Period(),
        Period(year="2026"),
        Period(year="2025-2026"),
        Period(month="11"),
        Period(month="9-11"),
        Period(month="11-2"),
        Period(mday="26-31"),
        Period(mday="20-26"),
        Period(wday="5"),
        Period(wday="2-6"),
        Period(wday="5-1"),
        Period(hour="20"),
        Period(hour="8-20"),
        Period(hour="20-6"),
        Period(minute="15"),
        Period(minute="0-15"),
        Period(minute="45-15"),
        Period(year="2026", month="11", mday="26", wday="5", hour="20", minute="15"),
        Period(hour=""),
    ],
)
def test_a_moment_within(period: Period) -> None:
    assert contains(period, WHEN)


@pytest.mark.parametrize(
    "period",
    [
        Period(year="2025"),
        Period(year="2027-2030"),
        Period(month="12-10"),
        Period(mday="27-25"),
        Period(wday="4"),
        Period(wday="6-4"),
        Period(hour="21-19"),
        Period(hour="8-19"),
        Period(minute="16-14"),
        Period(hour="20", minute="16"),
        Period(wday="Thu"),
        Period(hour="-20"),
        Period(hour="٢٠"),
    ],
)
def test_a_moment_without(period: Period) -> None:
    assert not contains(period, WHEN)


@pytest.mark.parametrize(("day", "wday"), [(22, "1"), (23, "2"), (24, "3"), (27, "6"), (28, "7")])
def test_the_week_begins_on_sunday(day: int, wday: str) -> None:
    assert contains(Period(wday=wday), WHEN.replace(day=day))


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("year", "2026-2027"),
        ("month", "12-1"),
        ("mday", "31"),
        ("wday", "7-1"),
        ("hour", "0"),
        ("minute", "59"),
    ],
)
def test_a_range(part: str, text: str) -> None:
    check(part, text)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("year", "26"),
        ("year", "2027-2026"),
        ("month", "0"),
        ("month", "11-13"),
        ("mday", "32"),
        ("wday", "8"),
        ("wday", "mon"),
        ("hour", "24"),
        ("hour", "1-"),
        ("hour", "1-2-3"),
        ("hour", "1,2"),
        ("hour", " 1"),
        ("minute", "60"),
        ("minute", ""),
    ],
)
def test_no_range(part: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|ends after"):
        check(part, text)


@pytest.mark.parametrize(
    ("zone", "hour"), [("Europe/Vienna", 1), ("America/New_York", 19), ("Asia/Kolkata", 5), ("UTC", 0)]
)
def test_clocks_of_the_subscribers_zone(zone: str, hour: int) -> None:
    midnight = datetime(2026, 11, 26, tzinfo=UTC).timestamp()
    assert local_time(midnight, zone).hour == hour


def test_summer_time() -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()
    assert local_time(noon, "Europe/Vienna").hour == 14


@pytest.mark.parametrize("zone", ["", "No/Where", "../etc/passwd", "a\0"])
def test_without_a_zone_the_nodes_own_counts(zone: str) -> None:
    assert local_time(1e9, zone) == datetime.fromtimestamp(1e9)
