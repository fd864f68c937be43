"""Off-peak times: on which side of them an instant lies, and until when that stays so.

Operators write them as a clock on the wall shows them, on weekdays and on special dates. Where clocks are put
forward or back, what the wall shows counts.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

DAY: Final = 86_400
#: Seconds: wherever clocks are changed, they are at a multiple of it.
STEP: Final = 900
#: Days that are remembered.
SIZE: Final = 1_000


class Weekly(NamedTuple):
    """An off-peak time of a weekday; without start and end the whole day."""

    weekday: int
    """0 is Monday."""
    start: int = 0
    """Seconds on the clock."""
    end: int = DAY
    """The first second that is not off-peak any more."""


class Special(NamedTuple):
    """An off-peak time once, by the clock on the wall."""

    start: datetime
    end: datetime
    """The first second that is not off-peak any more."""


class Stretch(NamedTuple):
    """A time without change."""

    is_onpeak: bool
    until: int
    """The first second that may be otherwise."""


class Peaks:
    """The off-peak times of a profile, in one time zone."""

    def __init__(self, zone: tzinfo, weekly: Sequence[Weekly] = (), special: Sequence[Special] = ()) -> None:
        self._zone = zone
        self._weekly = weekly
        self._special = special
        self._days: dict[int, tuple[list[int], list[bool]]] = {}

    def at(self, instant: int) -> Stretch:
        """Return what an instant is part of."""
        if not self._weekly and not self._special:
            return Stretch(True, instant + 366 * DAY)
        day = instant // DAY
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= SIZE:
                self._days.clear()
            found = self._days[day] = self._changes(day * DAY)
        instants, flags = found
        index = bisect_right(instants, instant)
        until = instants[index] if index < len(instants) else (day + 1) * DAY
        return Stretch(flags[index - 1], until)

    def _changes(self, begin: int) -> tuple[list[int], list[bool]]:
        """Return the instants of a day (UTC) from which on something else holds, and what."""
        candidates = {begin, *(one for one in self._candidates(begin) if begin <= one < begin + DAY)}
        instants: list[int] = []
        flags: list[bool] = []
        for instant in sorted(candidates):
            is_onpeak = not self._is_offpeak(datetime.fromtimestamp(instant, self._zone))
            if not flags or flags[-1] != is_onpeak:
                instants.append(instant)
                flags.append(is_onpeak)
        return instants, flags

    def _candidates(self, begin: int) -> Iterator[int]:
        first = datetime.fromtimestamp(begin, self._zone)
        if first.utcoffset() != datetime.fromtimestamp(begin + DAY, self._zone).utcoffset():
            yield from range(begin, begin + DAY, STEP)
        for number in range(3):
            yield from self._of_date(first.date() + timedelta(days=number - 1))
        for special in self._special:
            yield from self._instants(special.start)
            yield from self._instants(special.end)

    def _of_date(self, here: date) -> Iterator[int]:
        midnight = datetime(here.year, here.month, here.day)
        for weekly in self._weekly:
            if weekly.weekday == here.weekday():
                yield from self._instants(midnight + timedelta(seconds=weekly.start))
                yield from self._instants(midnight + timedelta(seconds=weekly.end))

    def _instants(self, wall: datetime) -> Iterator[int]:
        """Yield when the clock shows that: twice where it is put back."""
        for fold in (0, 1):
            yield int(wall.replace(tzinfo=self._zone, fold=fold).timestamp())

    def _is_offpeak(self, local: datetime) -> bool:
        wall = local.replace(tzinfo=None, fold=0)
        if any(special.start <= wall < special.end for special in self._special):
            return True
        weekday, seconds = wall.weekday(), wall.hour * 3600 + wall.minute * 60 + wall.second
        return any(one.weekday == weekday and one.start <= seconds < one.end for one in self._weekly)
