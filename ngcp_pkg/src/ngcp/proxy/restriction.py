"""Whether a class of service lets a number through (NCOS levels)."""

from dataclasses import dataclass

from ngcp.provisioning.patterns import find
from ngcp.provisioning.runtime import NcosLevel


@dataclass(frozen=True, slots=True)
class Dialled:
    """What a level looks at."""

    number: str
    """E.164 without "+"."""
    local_area: str = ""
    """Country and area code of the caller; empty: unknown."""
    carrier: int | None = None
    """Whose number it is, if it was ported."""
    is_own_pbx: bool = False
    """Whether it belongs to the caller's own customer."""


def permits(level: NcosLevel, dialled: Dialled) -> bool:
    """Tell whether the number may be called: a whitelist wants it to match, a blacklist not to."""
    return _matches(level, dialled) == level.is_whitelist


def _matches(level: NcosLevel, dialled: Dialled) -> bool:
    number, carrier = dialled.number, dialled.carrier
    if level.matches_pbx and dialled.is_own_pbx:
        return True
    if level.matches_local_area and dialled.local_area and number.startswith(dialled.local_area):
        return True
    if carrier is not None:
        if carrier in level.carriers:
            return True
        if any(owner == carrier and find(pattern, number) for owner, pattern in level.carrier_patterns):
            return True
    return any(find(pattern, number) for pattern in level.patterns)
