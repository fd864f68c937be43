"""Accounts at foreign registrars, and how we stand with each: values only."""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, NamedTuple, Self

from ngcp.sip.core.challenge import Secret
from ngcp.sip.syntax.uri import Uri

SUBSCRIBER: Final = "subscriber"
PEERING: Final = "peering"


class Key(NamedTuple):
    """Whose an account is."""

    kind: str
    """`SUBSCRIBER` or `PEERING`."""
    number: int
    """The subscriber's or the peering server's."""


@dataclass(frozen=True, slots=True)
class Account:
    """A registration that is wanted (`peer_auth_*`)."""

    key: Key
    secret: Secret
    registrar: Uri
    """Where REGISTER is sent to, as it is written."""
    next_hop: str
    """IP address and port of the registrar."""
    domain: str
    """Host part of From and To."""
    name: str
    """User part of From, To and Contact."""
    uuid: str
    """What a call to the Contact says of whose it is."""

    @property
    def address(self) -> tuple[str, str, str, str]:
        """What the registrar knows it by; accounts that differ in it are different ones."""
        return self.name, self.domain, str(self.registrar), self.uuid

    def contact(self, public: str) -> str:
        """Write the URI that calls come back by, `public` being the address of the load-balancer."""
        return f"sip:{self.name}@{public};uuid={self.uuid}"


class Status(IntEnum):
    """As `sems_registrations.registration_status` has it."""

    INACTIVE = 0
    PENDING = 1
    ACTIVE = 2
    FAILED = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """How we stand with a registrar; times in seconds since 1970."""

    status: Status = Status.INACTIVE
    last: float | None = None
    """When it last registered us."""
    expiry: float | None = None
    """When that ends."""
    code: int | None = None
    """Of its last answer."""
    reason: str = ""
    contact: str = ""

    def granted(self, contact: str, now: float, seconds: float) -> Self:
        """Return it after a 2xx that is good for `seconds`."""
        return replace(
            self, status=Status.ACTIVE, last=now, expiry=now + seconds, contact=contact, code=200, reason="OK"
        )

    def failed(self, code: int, reason: str) -> Self:
        """Return it after a failure: what was granted before is good until it ends."""
        return replace(self, status=Status.FAILED, code=code, reason=reason)

    def pending(self) -> Self:
        """Return it as an answer is waited for; what is granted stays so meanwhile."""
        return self if self.status is Status.ACTIVE else replace(self, status=Status.PENDING)

    def is_bound(self, now: float) -> bool:
        """Whether the registrar may still know us."""
        return self.expiry is not None and self.expiry > now
