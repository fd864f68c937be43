"""Call features of a subscriber, as they were provisioned."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Destination:
    """One member of a destination set."""

    uri: str
    """A SIP URI; those of the platform's own services as platform.md §1.1 names them."""
    timeout: float = 300.0
    """Seconds that it may ring."""
    announcement: int | None = None
    """Number of the sound handle that is played first."""


@dataclass(frozen=True, slots=True)
class Period:
    """When a time set applies: ranges as text, `2` or `2-5`; None: always (platform.md §3.2)."""

    year: str | None = None
    month: str | None = None
    mday: str | None = None
    wday: str | None = None
    """1 is Sunday."""
    hour: str | None = None
    minute: str | None = None


@dataclass(frozen=True, slots=True)
class PatternSet:
    """Numbers that a mapping is for, or not for."""

    patterns: tuple[str, ...]
    is_whitelist: bool = True
    is_regex: bool = False
    """Whether the patterns are regular expressions; else `*`, `?` and `[x-y]` mean what a shell means."""


@dataclass(frozen=True, slots=True)
class Forward:
    """An enabled call-forward mapping (table voip_cf_mappings)."""

    kind: str
    """cfu, cfb, cft, cfna, cfs, cfr or cfo."""
    destinations: tuple[Destination, ...]
    """In the order of their priority."""
    periods: tuple[Period, ...] | None = None
    """None: at any time."""
    sources: PatternSet | None = None
    bnumbers: PatternSet | None = None
    uses_redirection: bool = False
    """Whether the caller, a peer, is told the destination by 302 instead."""


@dataclass(frozen=True, slots=True)
class LocationMapping:
    """A place to call beside, or instead of, a subscriber's registered ones."""

    location: str
    """A SIP URI."""
    mode: str
    """add, replace, offline or forward."""
    caller_pattern: str | None = None
    callee_pattern: str | None = None
    to_username: str | None = None


@dataclass(frozen=True, slots=True)
class TrustedSource:
    """An address whose calls need no credentials."""

    uuid: str
    """The subscriber whose calls they are."""
    ip: str
    transport: str
    """UDP, TCP, TLS or ANY."""
    from_pattern: str | None = None
    """Regular expression over the From URI."""
