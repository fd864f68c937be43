"""What all calls share: small enough to be known whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from .features import TrustedSource
from .numbers import Carrier, NcosLevel, RewriteRule
from .peering import PeerGroup
from .preferences import Layer, Preferences
from .subscriber import Subscriber

_EMPTY: Layer = {}
#: Profile, domain and reseller.
_Sharing: TypeAlias = tuple[int | None, str, int | None]


@dataclass(frozen=True, slots=True)
class Domain:
    """One of our domains."""

    reseller_id: int | None = None
    preferences: Layer = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Platform:
    """A picture of it at one moment; a change makes a new one."""

    domains: Mapping[str, Domain] = field(default_factory=dict)
    """By name in lower case."""
    profiles: Mapping[int, Layer] = field(default_factory=dict)
    """Preferences of subscriber profiles."""
    resellers: Mapping[int, Layer] = field(default_factory=dict)
    """Preferences of resellers."""
    defaults: Layer = field(default_factory=dict)
    """What the catalogue says where nobody set anything."""
    dialplans: Mapping[int, tuple[RewriteRule, ...]] = field(default_factory=dict)
    """Rewrite rules, in order, by the dpid that preferences name."""
    peer_groups: tuple[PeerGroup, ...] = ()
    """By priority."""
    trusted: tuple[TrustedSource, ...] = ()
    ncos_levels: Mapping[int, NcosLevel] = field(default_factory=dict)
    ncos_sets: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Levels that hold together, by set."""
    emergency: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    """What is called instead, by code, by container."""
    carriers: Mapping[int, Carrier] = field(default_factory=dict)
    announcements: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Handles that have a sound, by sound set."""

    _shared: dict[_Sharing, Layer] = field(default_factory=dict, init=False, repr=False, compare=False)

    def preferences_of(self, subscriber: Subscriber) -> Preferences:
        """Resolve a subscriber's preferences: own, and behind them profile, domain, reseller, default."""
        sharing = subscriber.profile_id, subscriber.domain, subscriber.reseller_id
        shared = self._shared.get(sharing)
        if shared is None:
            shared = self._shared[sharing] = self._merged(*sharing)
        return Preferences((subscriber.preferences, shared))

    def _merged(self, profile_id: int | None, name: str, reseller_id: int | None) -> Layer:
        """Return what all subscribers have that share these three: few combinations, often asked for."""
        domain = self.domains.get(name)
        return {
            **self.defaults,
            **self.resellers.get(reseller_id or 0, _EMPTY),
            **(domain.preferences if domain else _EMPTY),
            **self.profiles.get(profile_id or 0, _EMPTY),
        }
