"""A SIP account, with everything that is provisioned for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .features import Forward, LocationMapping
from .names import Name
from .preferences import Layer


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A SIP account as the proxy sees it."""

    uuid: str
    username: str
    domain: str
    ha1: str = field(repr=False)
    """MD5(username:domain:password) in hexadecimal (RFC 7616 §3.4.2)."""
    password: str = field(repr=False)
    """Needed for digests other than MD5."""
    aliases: frozenset[str] = frozenset()
    """The E.164 numbers, without "+", that lead here; those of another domain as `number@domain`."""
    device_aliases: frozenset[str] = frozenset()
    """Those of them that are a device's own: it registers under the alias, and rings alone."""
    preferences: Layer = field(default_factory=dict)
    """What is set for this subscriber alone; see `Platform.preferences_of`."""
    contract_preferences: Layer = field(default_factory=dict)
    """What is set for the customer."""
    account_id: int | None = None
    """The customer (contract)."""
    reseller_id: int | None = None
    profile_id: int | None = None
    forwards: tuple[Forward, ...] = ()
    speed_dials: Mapping[str, str] = field(default_factory=dict)
    """SIP URIs by slot, `*0` and so on."""
    locations: tuple[LocationMapping, ...] = ()
    prepaid: int | None = None
    """The billing profile by which the customer pays in advance; None: he gets a bill."""
    timezone: str = ""
    """By which clock his periods are; empty: the node's."""

    @property
    def name(self) -> Name:
        """The user name in its domain."""
        return Name(self.username, self.domain)

    @property
    def lock(self) -> int:
        """0 none, 1 calls to foreign domains, 2 outgoing calls, 3 all calls, 4 everything, 5 see platform."""
        values = self.preferences.get("lock")
        return int(values[0]) if values and values[0].isdigit() else 0
