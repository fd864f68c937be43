"""Whom the load-balancer is told to keep out: sections of lb.yml; the docstrings are their manual."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ngcp.lb.agent_patterns import check_pattern

MODES: Final = ("blacklist", "whitelist")
ACTIONS: Final = ("drop", "reject")
#: User-agent patterns: each is tried on every new User-Agent.
MOST_PATTERNS: Final = 100


@dataclass(frozen=True, slots=True)
class Security:
    """Bans: of sources that send too much, of users whose password is wrong too often."""

    dos_ban_enable: bool = True
    """Whether a source that sends too many requests is banned."""
    dos_ban_time: int = 3600
    """Seconds for which it is."""
    dos_reqs_density_per_unit: int = 50
    """Requests that one IP address (of IPv6: one /64) may send in a unit; ten times as many where a
    subscriber has logged in from there lately."""
    dos_sampling_time_unit: int = 5
    """Seconds of a unit."""
    dos_whitelisted_ips: tuple[str, ...] = ()
    """IP addresses that are never banned for what they send; one of IPv6 stands for its /64."""
    dos_whitelisted_subnets: tuple[str, ...] = ()
    """The same for networks, such as 192.0.2.0/24."""
    failed_auth_ban_enable: bool = True
    """Whether a user is banned after failed attempts to authenticate."""
    failed_auth_attempts: int = 3
    """So many."""
    failed_auth_ban_time: int = 3600
    """Seconds for which the user is banned, from the last failed attempt on."""

    def __post_init__(self) -> None:
        for key in ("dos_ban_time", "dos_reqs_density_per_unit", "dos_sampling_time_unit"):
            _check_positive(key, getattr(self, key))
        for key in ("failed_auth_attempts", "failed_auth_ban_time"):
            _check_positive(key, getattr(self, key))
        for address in self.dos_whitelisted_ips:
            _check("dos_whitelisted_ips", ipaddress.ip_address, address)
        for network in self.dos_whitelisted_subnets:
            _check("dos_whitelisted_subnets", ipaddress.ip_network, network)


@dataclass(frozen=True, slots=True)
class BlockUserAgents:
    """Who is kept out by the User-Agent of a request that begins something."""

    enable: bool = False
    """Whether anybody is."""
    mode: str = "blacklist"
    """Whether those are kept out that match a pattern (blacklist), or those that match none (whitelist)."""
    action: str = "reject"
    """Whether they are answered with 403 (reject) or not at all (drop)."""
    ua_patterns: tuple[str, ...] = ("friendly-scanner",)
    """Regular expressions, matched anywhere in the first 128 characters, whatever their case."""
    block_empty: bool = False
    """Whether those are kept out, in both modes, whose User-Agent is empty."""
    block_absent: bool = False
    """Whether those are kept out, in both modes, who send none."""

    def __post_init__(self) -> None:
        _check_one_of("mode", self.mode, MODES)
        _check_one_of("action", self.action, ACTIONS)
        if len(self.ua_patterns) > MOST_PATTERNS:
            raise ValueError(f"ua_patterns: at most {MOST_PATTERNS}, not {len(self.ua_patterns)}")
        for index, pattern in enumerate(self.ua_patterns):
            try:
                check_pattern(pattern)
            except ValueError as error:
                raise ValueError(f"ua_patterns[{index}]: {pattern!r}: {error}") from error


def _check_positive(key: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{key}: at least 1, not {value}")


def _check(key: str, parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _check_one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{key}: one of {', '.join(allowed)}, not {value!r}")
