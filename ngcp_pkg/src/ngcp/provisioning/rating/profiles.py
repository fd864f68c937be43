"""Billing profiles as rating sees them, read from database `billing`."""

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any, Final, TypeAlias

from ngcp.provisioning.line import tuple_of
from ngcp.provisioning.patterns import UnsafePattern, check
from ngcp.rating.balance import Allowance
from ngcp.rating.fees import Fee, FeeTable, Mode, Rate, Tariff
from ngcp.rating.peaks import DAY, Peaks, Special, Weekly
from ngcp.rating.profile import Limits, Profile

#: Runs a query: on whatever connection its owner has.
Fetch: TypeAlias = Callable[[str], Awaitable[Sequence[Sequence[Any]]]]

#: What fraud limits are made of, by period: profile's and customer's tables have the same columns.
PERIODS: Final = {"month": "interval", "day": "daily"}
LIMITS: Final = ", ".join(
    f"{{0}}.fraud_{name}_{what}" for name in PERIODS.values() for what in ("limit", "lock", "notify")
)
_PROFILES: Final = f"""
SELECT p.id, p.prepaid, p.interval_free_cash, p.interval_free_time, p.interval_unit, p.interval_count,
 p.fraud_use_reseller_rates, p.revision, {LIMITS.format("p")}
FROM billing.billing_profiles p WHERE p.id IN """
_REVISIONS: Final = "SELECT id, revision FROM billing.billing_profiles WHERE id IN "
_FEES: Final = """
SELECT billing_profile_id, id, billing_zone_id, direction, source, destination, match_mode, use_free_time,
 onpeak_init_rate, onpeak_init_interval, onpeak_follow_rate, onpeak_follow_interval,
 offpeak_init_rate, offpeak_init_interval, offpeak_follow_rate, offpeak_follow_interval
FROM billing.billing_fees WHERE billing_profile_id IN """
_WEEKLY: Final = """
SELECT billing_profile_id, weekday, TIME_TO_SEC(start), TIME_TO_SEC(end)
FROM billing.billing_peaktime_weekdays WHERE billing_profile_id IN """
_SPECIAL: Final = """
SELECT billing_profile_id, UNIX_TIMESTAMP(start), UNIX_TIMESTAMP(end)
FROM billing.billing_peaktime_special WHERE billing_profile_id IN """
_NEVER: Final = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Known:
    """A profile as it was read."""

    profile: Profile
    revision: int
    """Changes with whatever is changed of it."""
    weekly: tuple[Weekly, ...]
    special: tuple[Special, ...]
    _peaks: dict[tzinfo, Peaks]

    def peaks(self, zone: tzinfo) -> Peaks:
        """Return its off-peak times by the clocks of a zone."""
        peaks = self._peaks.get(zone)
        if peaks is None:
            peaks = self._peaks[zone] = Peaks(zone, self.weekly, self.special)
        return peaks


class Profiles:
    """Profiles that were read, until they change."""

    def __init__(self) -> None:
        self._known: dict[int, Known] = {}

    async def load(self, fetch: Fetch, numbers: Collection[int]) -> Mapping[int, Known]:
        """Return those of these profiles that there are, as they are now."""
        if not numbers:
            return {}
        now = {int(row[0]): int(row[1]) for row in await fetch(_REVISIONS + tuple_of([*numbers]))}
        missing = [one for one in now if one not in self._known or self._known[one].revision != now[one]]
        if missing:
            self._known |= await load_profiles(fetch, missing)
        return {one: self._known[one] for one in now}


async def load_profiles(
    fetch: Fetch, numbers: Collection[int], *, with_fees: bool = True
) -> Mapping[int, Known]:
    """Return those of these profiles that there are; who only wants to know intervals needs no fees."""
    asked = tuple_of([*numbers])
    rows = await fetch(_PROFILES + asked)
    fees: dict[int, list[Fee]] = defaultdict(list)
    for owner, *columns in await fetch(_FEES + asked) if with_fees else ():
        fees[owner].append(_fee(columns))
    weekly: dict[int, list[Weekly]] = defaultdict(list)
    for owner, weekday, start, end in await fetch(_WEEKLY + asked):
        begins, ends = (0 if start is None else int(start)), (DAY if end is None else int(end) + 1)
        weekly[owner].append(Weekly(int(weekday), begins, ends))
    special: dict[int, list[Special]] = defaultdict(list)
    for owner, start, end in await fetch(_SPECIAL + asked):
        special[owner].append(Special(_wall(start), _wall(end + 1)))
    return {
        row[0]: Known(_profile(row, fees[row[0]]), row[7], tuple(weekly[row[0]]), tuple(special[row[0]]), {})
        for row in rows
    }


def limits_of(columns: Sequence[Any]) -> tuple[Limits, Limits]:
    """Return what `LIMITS` selected: for a month, for a day."""
    first, second = columns[:3], columns[3:6]
    return _limits(*first), _limits(*second)


def _limits(cash: int | None, lock: int | None, notify: str | None) -> Limits:
    return Limits(cash, lock or None, notify or "")


def _profile(row: Sequence[Any], fees: Collection[Fee]) -> Profile:
    number, prepaid, cash, time, unit, count, by_reseller, _, *limits = row
    allowance = Allowance(Decimal(cash), int(time))
    month, day = limits_of(limits)
    table = FeeTable(fees, _compiled)
    return Profile(
        number, table, bool(prepaid), allowance, unit, max(count, 1), bool(by_reseller), month, day
    )


def _fee(columns: Sequence[Any]) -> Fee:
    number, zone, direction, source, destination, mode, uses_free_time, *rates = columns
    parts = [
        Rate(Decimal(rate), max(interval, 1)) for rate, interval in zip(rates[::2], rates[1::2], strict=True)
    ]
    onpeak, offpeak = Tariff(*parts[:2]), Tariff(*parts[2:])
    return Fee(
        number, zone, direction, source, destination, onpeak, offpeak, bool(uses_free_time), Mode(mode)
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile an operator's expression; one that is unsafe matches nothing."""
    try:
        return check(pattern)
    except UnsafePattern:
        return _NEVER


def _wall(seconds: int) -> datetime:
    """Return what a clock shows; the database has no zone for it."""
    return datetime.fromtimestamp(int(seconds), UTC).replace(tzinfo=None)
