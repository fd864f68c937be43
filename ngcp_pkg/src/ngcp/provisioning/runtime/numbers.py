"""What is done with numbers: rewriting, restriction classes, portability."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RewriteRule:
    """One rule of a dialplan; the first of its set that matches is applied."""

    match: str
    """Regular expression over the number."""
    replace: str
    """What takes its place: `\\1` is a group, `${caller_cc}` and its like are variables."""


@dataclass(frozen=True, slots=True)
class NcosLevel:
    """Which numbers a class of service lets through (table ncos_levels)."""

    level: str
    is_whitelist: bool
    """Whether only what matches may be called; else whatever does not."""
    patterns: tuple[str, ...] = ()
    carriers: frozenset[int] = frozenset()
    """Carriers of ported numbers that match, too."""
    carrier_patterns: tuple[tuple[int, str], ...] = ()
    """Patterns that hold for the numbers of one carrier."""
    matches_local_area: bool = False
    """Whether numbers of the caller's own area code match."""
    matches_pbx: bool = False


@dataclass(frozen=True, slots=True)
class Carrier:
    """A holder of ported numbers (table lnp_providers)."""

    id: int
    name: str
    prefix: str
    is_authoritative: bool = False
    skips_rewrite: bool = False


@dataclass(frozen=True, slots=True)
class Ported:
    """What is known of a ported number (table lnp_numbers)."""

    carrier: int
    routing_number: str | None = None
    type: str | None = None
