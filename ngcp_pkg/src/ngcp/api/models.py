"""What clients may write: one model per resource, each field with its bounds.

A field that is not there is refused by name. Those that only we write are passed over, so that a client can
send back what it has read.
"""

import ipaddress
import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ngcp.provisioning.numbers import Number

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


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("printable characters expected")
    return text


def _hashable(text: str) -> str:
    if len(text.encode()) > 72:
        raise ValueError("at most 72 bytes expected")
    return text


Id: TypeAlias = Annotated[int, Field(gt=0, lt=2**32)]
Printable: TypeAlias = Annotated[str, AfterValidator(_printable)]
Text31: TypeAlias = Annotated[Printable, Field(max_length=31)]
Text127: TypeAlias = Annotated[Printable, Field(max_length=127)]
Text255: TypeAlias = Annotated[Printable, Field(max_length=255)]
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

    read_only: ClassVar[frozenset[str]] = frozenset()
    """Fields of the representation that only we write, besides those that all have."""

    @model_validator(mode="before")
    @classmethod
    def _pass_over_what_we_write(cls, data: Any) -> Any:  # noqa: ANN401 - any JSON
        ours = {"id", "_links", "_embedded", "create_timestamp", "modify_timestamp"} | cls.read_only
        return {k: v for k, v in data.items() if k not in ours} if isinstance(data, dict) else data

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
    timezone: Annotated[Printable, Field(max_length=80)] | None = None


class CustomerContact(SystemContact):
    """A contact of a reseller's customer."""

    reseller_id: Id | None = None


class Contract(Body):
    """A contract with a reseller or a peer."""

    read_only = frozenset({"activate_timestamp"})

    contact_id: Id
    type: Literal["reseller", "sippeering", "pstnpeering"]
    status: Literal["active", "terminated"] = "active"
    billing_profile_id: Id | None = None
    external_id: Text255 | None = None


class Customer(Body):
    """A contract with a customer."""

    read_only = frozenset({"activate_timestamp"})

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


class Subscriber(Body):
    """A subscriber, at `domain` or `domain_id`; `webpassword` is never shown, and stays if not given."""

    read_only = frozenset({"uuid"})

    username: UserName
    password: Password
    customer_id: Id
    domain: DomainName | None = None
    domain_id: Id | None = None
    status: Literal["active", "locked", "terminated"] = "active"
    primary_number: PhoneNumber | None = None
    alias_numbers: Annotated[list[PhoneNumber], Field(max_length=1000)] = []
    webusername: UserName | None = None
    webpassword: WebPassword | None = None
    external_id: Text255 | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> "Subscriber":
        if self.domain is None and self.domain_id is None:
            raise ValueError("domain or domain_id is required")
        return self

    def values(self) -> dict[str, Any]:
        """Return the fields as stores take them."""
        primary = self.primary_number.number() if self.primary_number else None
        aliases = [alias.number() for alias in self.alias_numbers]
        return self.model_dump() | {"primary_number": primary, "alias_numbers": aliases}


class Registration(Body):
    """A registration; without `expires` (UTC) it is for ever."""

    read_only = frozenset({"username", "domain", "ruid", "received", "user_agent"})

    subscriber_id: Id
    contact: SipUri
    expires: datetime | None = None
    q: Annotated[float, Field(ge=0, le=1)] = 1.0
    path: Annotated[Printable, Field(max_length=512)] | None = None
