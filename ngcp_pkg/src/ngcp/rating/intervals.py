"""Billing intervals: whole weeks or months by the customer's clock, so many at a time."""

from datetime import date, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

#: The Monday from which weeks are counted.
_MONDAY: Final = date(1970, 1, 5)


class Span(NamedTuple):
    """Unix seconds from `start` up to, and without, `end`."""

    start: int
    end: int


def interval_of(instant: int, unit: str, count: int, zone: tzinfo) -> Span:
    """Return the interval of `count` weeks or months (`unit`) that an instant lies in."""
    here = datetime.fromtimestamp(instant, zone).date()
    if unit == "week":
        whole = (here - _MONDAY).days // 7 // count * count
        first, last = _MONDAY + timedelta(weeks=whole), _MONDAY + timedelta(weeks=whole + count)
    else:
        whole = (here.year * 12 + here.month - 1) // count * count
        first, last = _first_of(whole), _first_of(whole + count)
    return Span(_midnight(first, zone), _midnight(last, zone))


def _first_of(months: int) -> date:
    return date(months // 12, months % 12 + 1, 1)


def _midnight(day: date, zone: tzinfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
