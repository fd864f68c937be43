"""Profiles and accounts written as a human would."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from ngcp.rating.balance import Account, Allowance, Balance
from ngcp.rating.charge import Talk
from ngcp.rating.fees import Fee, Rate, Tariff
from ngcp.rating.intervals import interval_of
from ngcp.rating.peaks import Peaks, Special, Weekly

VIENNA = ZoneInfo("Europe/Vienna")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def at(text: str, zone: ZoneInfo = VIENNA) -> int:
    """Return the milliseconds since 1970 at which the clock shows that."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


def tariff(text: str) -> Tariff:
    """Read `1/60 0.5/1`."""
    init, follow = (
        Rate(Decimal(rate), int(seconds)) for rate, seconds in (one.split("/") for one in text.split())
    )
    return Tariff(init, follow)


def fee(rates: str, *, uses_free_time: bool = True) -> Fee:
    """Read the rates on peak, and after `|` those off peak."""
    onpeak, _, offpeak = rates.partition("|")
    return Fee(1, None, "out", ".", ".", tariff(onpeak), tariff(offpeak or onpeak), uses_free_time)


def seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def peaks(text: str, zone: ZoneInfo = VIENNA) -> Peaks:
    """Read `Tue 18:00-24:00 + 2026-12-24 14:00-24:00`."""
    weekly: list[Weekly] = []
    special: list[Special] = []
    for one in text.split(" + ") if text != "-" else ():
        day, times = one.split()
        start, end = map(seconds, times.split("-"))
        if day in DAYS:
            weekly.append(Weekly(DAYS.index(day), start, end))
        else:
            midnight = datetime.fromisoformat(day)
            special.append(Special(midnight + timedelta(seconds=start), midnight + timedelta(seconds=end)))
    return Peaks(zone, weekly, special)


def account(text: str, instant: int, zone: ZoneInfo = VIENNA) -> Account:
    """Read `prepaid 60s 150c`: free seconds and cents; of who pays in advance the cents are his own."""
    time = re.search(r"(\d+)s", text)
    cash = re.search(r"([\d.]+)c", text)
    allowance = Allowance(Decimal(cash[1] if cash else 0), int(time[1] if time else 0))
    span = interval_of(instant, "month", 1, zone)
    return Account([Balance.opened(span, allowance)], is_prepaid="prepaid" in text)


@dataclass(frozen=True)
class Case:
    """A line of cases.txt."""

    line: str
    talk: Talk
    fee: Fee
    peaks: Peaks
    account: Account
    costs: tuple[Decimal, ...]


def cases() -> list[Case]:
    """Read cases.txt."""
    lines = Path(__file__).with_name("cases.txt").read_text().splitlines()
    return [_case(line) for line in lines if line and not line.startswith("#")]


def _case(line: str) -> Case:
    when, duration, rates, off, has, costs = re.split(r"\s{2,}", line.strip())
    start = at(when)
    return Case(
        line,
        Talk(start, int(Decimal(duration) * 1000)),
        fee(rates),
        peaks(off),
        account(has, start // 1000),
        tuple(map(Decimal, costs.split())),
    )
