"""What a registrar keeps: bindings of addresses-of-record to contacts (RFC 3261 §10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple


class AddressOfRecord(NamedTuple):
    """Whom a registration is for; both parts as provisioned."""

    username: str
    domain: str

    def __str__(self) -> str:
        return f"{self.username}@{self.domain}"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the registrar grants, times in seconds."""

    default_expires: int = 3600
    min_expires: int = 60
    max_expires: int = 43200
    max_contacts: int = 5


@dataclass(slots=True, unsafe_hash=True)
class Source:
    """How a REGISTER reached us: what later requests to the contact need."""

    path: str | None = None
    """The Path values (RFC 3327), our own edge's first, comma separated."""
    received: str | None = None
    """The real source address as a SIP URI."""
    socket: str | None = None
    """Our own address that was reached, as `transport:address:port`."""
    is_behind_nat: bool = False
    """Whether the edge saw that the phone is somewhere else than it says."""
    pinging: str = ""
    """Who is pinged, where that is the subscriber's own matter: yes, no or always."""


#: Shared by all that came another way than through the edge.
NOWHERE: Final = Source()


@dataclass(slots=True)
class Binding:
    """One contact of an address-of-record; not to be changed, only replaced."""

    ruid: str
    aor: AddressOfRecord
    contact: str
    expires_at: float
    """Unix time."""
    call_id: str
    cseq: int
    q: float = 1.0
    source: Source = NOWHERE
    user_agent: str = ""
    instance: str | None = None
    """`+sip.instance` (RFC 5626 §4.1), without its quotes."""
    reg_id: int = 0


@dataclass(frozen=True, slots=True)
class Update:
    """What one REGISTER changes; nothing where it only asked."""

    aor: AddressOfRecord
    saved: Sequence[Binding] = ()
    removed: Sequence[Binding] = ()
