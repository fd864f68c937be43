"""When a wake-up call is due: at a time of day that clocks show where the subscriber is (decision 41).

Nothing here asks a clock or a database.
"""

from collections.abc import Collection
from datetime import datetime, time, timedelta
from typing import Final, NamedTuple

from ngcp.provisioning.periods import local_time, moment_of

#: Days of the week as `ngcp.provisioning.periods` numbers them: 1 is Sunday.
WEEKDAYS: Final = frozenset(range(2, 7))
EVERY_DAY: Final = frozenset(range(1, 8))
#: Days that a search goes back: each day of the week was there.
_LOOK_BACK: Final = 8
#: Seconds for which clocks that were set forward still matter: nobody sets them further at once.
_LONGEST_JUMP: Final = 3 * 3600.0
_DAY: Final = 24 * 3600


class Plan(NamedTuple):
    """What a subscriber ordered."""

    at: time
    days: Collection[int]
    """Days of the week on which he is called."""
    timezone: str
    """Where he is; empty: where the node is."""


def last_due(plan: Plan, since: float, until: float) -> float | None:
    """Return the last Unix time behind `since` and up to `until` at which a call is due."""
    today = local_time(until, plan.timezone).date()
    for back in range(_LOOK_BACK):
        day = today - timedelta(days=back)
        if day.isoweekday() % 7 + 1 not in plan.days:
            continue
        due = moment_of(datetime.combine(day, plan.at), plan.timezone)
        if due <= since:
            return None
        if due <= until:
            return due
    return None


def clock_ranges(timezone: str, since: float, until: float) -> list[tuple[time, time]]:
    """Return ranges, both ends included, in which the time of day is of all that is due in between.

    More may be in them. Where clocks were set forward just now, times count that they would show else.
    """
    found: dict[tuple[time, time], None] = {}
    for reference in (until, until - _LONGEST_JUMP):
        there = local_time(reference, timezone)
        offset = (there if there.tzinfo else there.astimezone()).utcoffset() or timedelta()
        shift = int(offset.total_seconds())
        first, last = (int(since) + shift) % _DAY, int(until + shift) % _DAY
        ends = [(first, last)] if first <= last else [(first, _DAY - 1), (0, last)]
        found |= {(_clock(start), _clock(end)): None for start, end in ends}
    return list(found)


def _clock(seconds: int) -> time:
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)
