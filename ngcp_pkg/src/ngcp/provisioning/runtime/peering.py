"""Other networks: where calls go that are for none of ours, and where they come from."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from .preferences import NO_PREFERENCES, Preferences


@dataclass(frozen=True, slots=True)
class InboundRule:
    """Which of the peers at one address a call is from (table voip_peer_inbound_rules)."""

    field: str
    """from_user, from_domain, from_uri, to_…, ruri_…, pai_…."""
    pattern: str
    reject_code: int | None = None
    reject_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """A server of another network (table voip_peer_hosts)."""

    id: int
    name: str
    ip: str
    port: int
    transport: str = "udp"
    host: str = ""
    """The name in Request-URIs; empty: the address."""
    weight: int = 1
    """Share of its group's calls."""
    route: str | None = None
    """A SIP URI to go by (via_route)."""
    is_probed: bool = False
    preferences: Preferences = NO_PREFERENCES


@dataclass(frozen=True, slots=True)
class PeerRule:
    """Which calls a group takes (table voip_peer_rules)."""

    callee_prefix: str = ""
    callee_pattern: str = ""
    """Regular expression over the callee's URI."""
    caller_pattern: str = ""
    """Regular expression over the caller's URI."""
    is_stopper: bool = False


@dataclass(frozen=True, slots=True)
class PeerGroup:
    """Peers that take each other's place (table voip_peer_groups)."""

    id: int
    name: str
    priority: int
    """1 comes first."""
    contract_id: int
    rules: tuple[PeerRule, ...]
    inbound_rules: tuple[InboundRule, ...]
    """By priority; empty: whatever comes from its addresses."""
    peers: tuple[Peer, ...]
    """The enabled ones."""


class PeerGroups(tuple[PeerGroup, ...]):
    """Peer groups by priority, whose rules are found by number: there may be many thousands."""

    @cached_property
    def _by_prefix(self) -> Mapping[str, list[tuple[PeerGroup, PeerRule]]]:
        rules: dict[str, list[tuple[PeerGroup, PeerRule]]] = defaultdict(list)
        for group in self:
            for rule in group.rules:
                rules[rule.callee_prefix].append((group, rule))
        return dict(rules)

    @cached_property
    def _lengths(self) -> list[int]:
        return sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)

    def rules_for(self, number: str) -> Iterator[tuple[PeerGroup, PeerRule]]:
        """Yield groups and rules whose prefix `number` begins with, the longest first, then by priority."""
        for length in self._lengths:
            if length <= len(number):
                yield from self._by_prefix.get(number[:length], ())
