"""Times as the platform writes them: for each part of a moment a number, or a range `a-b` with both its ends.

A range that ends before it begins goes on past midnight, Saturday or New Year: hour `22-6`, wday `6-2`.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from ngcp.provisioning.runtime import Period
from ngcp.provisioning.zones import find_zone

#: The parts of a moment, and the least and greatest number of each; wday 1 is Sunday.
BOUNDS: Final[Mapping[str, tuple[int, int]]] = {
    "year": (1970, 9999),
    "month": (1, 12),
    "mday": (1, 31),
    "wday": (1, 7),
    "hour": (0, 23),
    "minute": (0, 59),
}

_RANGE: Final = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?", re.ASCII)


def check(part: str, text: str) -> None:
    """Raise ValueError unless `text` is a range of `part`."""
    least, most = BOUNDS[part]
    ends = _ends(text)
    if ends is None or not (least <= ends[0] <= most and least <= ends[1] <= most):
        raise ValueError(f"a number from {least} to {most}, or two with '-' between them, expected")
    if part == "year" and ends[0] > ends[1]:
        raise ValueError("a range of years ends after it begins")


def contains(period: Period, when: datetime) -> bool:
    """Tell whether a local time lies in a period: in the ranges of all parts that it names."""
    parts = (
        (period.year, when.year),
        (period.month, when.month),
        (period.mday, when.day),
        (period.wday, when.isoweekday() % 7 + 1),
        (period.hour, when.hour),
        (period.minute, when.minute),
    )
    return all(not text or _is_in(value, text) for text, value in parts)


def local_time(now: float, timezone: str) -> datetime:
    """Return what clocks show at Unix time `now` in that zone; without one, or in an unknown one, here."""
    return datetime.fromtimestamp(now, find_zone(timezone))


def moment_of(clocks: datetime, timezone: str) -> float:
    """Return the Unix time at which clocks in that zone show a time, which names none (RFC 5545 §3.3.5).

    What they show twice is the first one; what they leave out is as late as if they had not been set forward.
    """
    return clocks.replace(tzinfo=find_zone(timezone)).timestamp()


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of that name, or raise ValueError."""
    zone = find_zone(name)
    if zone is None:
        raise ValueError("a time zone like Europe/Vienna expected")
    return zone


def _is_in(value: int, text: str) -> bool:
    ends = _ends(text)
    if ends is None:
        return False
    first, last = ends
    return first <= value <= last if first <= last else value >= first or value <= last


@lru_cache(4096)
def _ends(text: str) -> tuple[int, int] | None:
    """Return both ends of a range, None if it is none."""
    match = _RANGE.fullmatch(text)
    return (int(match[1]), int(match[2] or match[1])) if match else None
