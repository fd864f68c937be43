"""What clients may write: one model per resource, each field with its bounds.

A field that is not there is refused by name. Those that only we write are passed over, so that a client can
send back what it has read.
"""

import ipaddress
import re
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ngcp.provisioning.numbers import Number, Numbers
from ngcp.provisioning.patterns import check as check_pattern
from ngcp.provisioning.periods import zone_of
from ngcp.provisioning.store import Entity

_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def _domain(text: str) -> str:
    """Return a host name or an address (RFC 3261 §25.1 `host`) in lower case."""
    name = text.lower()
    if name.startswith("[") and name.endswith("]"):
        return f"[{ipaddress.IPv6Address(name[1:-1])}]"
    if name.replace(".", "").isdigit():
        return str(ipaddress.IPv4Address(name))
    if not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError("a host name or an IP address expected")
    return name


def as_address(text: str) -> str:
    """Return an IP address in its one spelling."""
    return str(ipaddress.ip_address(text))


def as_pattern(text: str) -> str:
    """Return a regular expression whose matching takes a bounded time."""
    check_pattern(text)
    return text


def none_if_empty(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return None for an empty text: there is no value."""
    return None if value == "" else value


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("printable characters expected")
    return text


def _hashable(text: str) -> str:
    if len(text.encode()) > 72:
        raise ValueError("at most 72 bytes expected")
    return text


def _timezone(text: str) -> str:
    zone_of(text)
    return text


Id: TypeAlias = Annotated[int, Field(gt=0, lt=2**32)]
Printable: TypeAlias = Annotated[str, AfterValidator(_printable)]
Text31: TypeAlias = Annotated[Printable, Field(max_length=31)]
Text127: TypeAlias = Annotated[Printable, Field(max_length=127)]
Text255: TypeAlias = Annotated[Printable, Field(max_length=255)]
Pattern: TypeAlias = Annotated[Printable, Field(max_length=255), AfterValidator(as_pattern)]
DomainName: TypeAlias = Annotated[str, Field(min_length=1, max_length=190), AfterValidator(_domain)]
#: unreserved characters and "+" (RFC 3261 §25.1): nothing that would need escaping in a URI.
UserName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.!~*'()+-]{1,127}$")]
Email: TypeAlias = Annotated[Printable, Field(max_length=255, pattern=r"^[^@\s]+@[^@\s]+$")]
Password: TypeAlias = Annotated[Printable, Field(min_length=6, max_length=40)]
WebPassword: TypeAlias = Annotated[Password, AfterValidator(_hashable)]
#: Characters of a URI (RFC 3986 §2); the scheme is the SIP one.
SipUri: TypeAlias = Annotated[str, Field(pattern=r"^sips?:[!$-;=?-Z_a-z~\[\]]+$", max_length=512)]


class Body(BaseModel):
    """An entity as a client writes it."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    unwritable: ClassVar[frozenset[str]] = frozenset()
    """Fields of the representation that only we write, besides those that all have."""

    @model_validator(mode="before")
    @classmethod
    def _pass_over_what_we_write(cls, data: Any) -> Any:  # noqa: ANN401 - any JSON
        ours = {"id", "_links", "_embedded", "create_timestamp", "modify_timestamp"} | cls.unwritable
        return {k: v for k, v in data.items() if k not in ours} if isinstance(data, dict) else data

    @classmethod
    def document(cls, entity: Entity, fields: Collection[str]) -> dict[str, Any]:
        """Return what a patch of these fields is applied to."""
        return {name: entity.get(name) for name in cls.model_fields}

    def values(self) -> dict[str, Any]:
        """Return the fields as stores take them."""
        return self.model_dump()


class Domain(Body):
    """A SIP domain."""

    domain: DomainName
    reseller_id: Id | None = None


class SystemContact(Body):
    """A contact of the provider's own."""

    email: Email
    firstname: Text127 | None = None
    lastname: Text127 | None = None
    company: Text127 | None = None
    comregnum: Text31 | None = None
    street: Text127 | None = None
    postcode: Annotated[Printable, Field(max_length=16)] | None = None
    city: Text127 | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    phonenumber: Text31 | None = None
    mobilenumber: Text31 | None = None
    faxnumber: Text31 | None = None
    iban: Annotated[Printable, Field(max_length=34)] | None = None
    bic: Annotated[Printable, Field(max_length=11)] | None = None
    vatnum: Text127 | None = None
    bankname: Text255 | None = None
    timezone: Annotated[str, Field(max_length=64), AfterValidator(_timezone)] | None = None


class CustomerContact(SystemContact):
    """A contact of a reseller's customer."""

    reseller_id: Id | None = None


class Contract(Body):
    """A contract with a reseller or a peer."""

    unwritable = frozenset({"activate_timestamp"})

    contact_id: Id
    type: Literal["reseller", "sippeering", "pstnpeering"]
    status: Literal["active", "terminated"] = "active"
    billing_profile_id: Id | None = None
    external_id: Text255 | None = None


class Customer(Body):
    """A contract with a customer."""

    unwritable = frozenset({"activate_timestamp"})

    contact_id: Id
    type: Literal["sipaccount"] = "sipaccount"
    status: Literal["active", "locked", "terminated"] = "active"
    billing_profile_id: Id | None = None
    external_id: Text255 | None = None
    max_subscribers: Annotated[int, Field(ge=0, lt=2**31)] | None = None


class PhoneNumber(BaseModel):
    """A telephone number in its parts."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    cc: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}$")]
    ac: Annotated[str, Field(pattern=r"^[0-9]{0,7}$")] = ""
    sn: Annotated[str, Field(pattern=r"^[0-9]{1,31}$")]

    def number(self) -> Number:
        """Return the number as stores take it."""
        return Number(self.cc, self.ac, self.sn)


class AliasNumber(PhoneNumber):
    """A further telephone number; one that is a device's own (`is_devid`) registers and rings alone."""

    is_devid: bool = False


class Subscriber(Body):
    """A subscriber, at `domain` or `domain_id`; `webpassword` is never shown, and stays if not given."""

    unwritable = frozenset({"uuid"})

    username: UserName
    password: Password
    customer_id: Id
    domain: DomainName | None = None
    domain_id: Id | None = None
    status: Literal["active", "locked", "terminated"] = "active"
    primary_number: PhoneNumber | None = None
    alias_numbers: Annotated[list[AliasNumber], Field(max_length=1000)] = []
    webusername: UserName | None = None
    webpassword: WebPassword | None = None
    administrative: bool = False
    """Whether the web login is for all of the customer's subscribers."""
    external_id: Text255 | None = None
    profile_set_id: Id | None = None
    profile_id: Id | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> "Subscriber":
        if self.domain is None and self.domain_id is None:
            raise ValueError("domain or domain_id is required")
        return self

    def values(self) -> dict[str, Any]:
        """Return the fields as stores take them."""
        primary = self.primary_number.number() if self.primary_number else None
        aliases = tuple(alias.number() for alias in self.alias_numbers)
        devices = frozenset(alias.number() for alias in self.alias_numbers if alias.is_devid)
        return self.model_dump() | {"numbers": Numbers(primary, aliases, devices)}


class ProfileSet(Body):
    """A set of subscriber profiles."""

    reseller_id: Id | None = None
    name: Annotated[Printable, Field(min_length=1, max_length=255)]
    description: Text255 = ""


class Profile(Body):
    """A profile of a set; its subscribers may change `attributes`, with `catchall` whatever customers may."""

    set_id: Id
    name: Annotated[Printable, Field(min_length=1, max_length=255)]
    description: Text255 = ""
    attributes: Annotated[list[Annotated[str, Field(max_length=31)]], Field(max_length=1000)] = []
    set_default: bool = False
    catchall: bool = False


class Registration(Body):
    """A registration; without `expires` (UTC) it is for ever."""

    unwritable = frozenset({"username", "domain", "ruid", "received", "user_agent", "instance", "reg_id"})

    subscriber_id: Id
    contact: SipUri
    expires: datetime | None = None
    q: Annotated[float, Field(ge=0, le=1)] = 1.0
    path: Annotated[Printable, Field(max_length=512)] | None = None
    nat: bool = False
    """Whether the phone is behind NAT, and wants pings."""
