"""What clients may write of routing: peerings, rewrite rules, classes of service, portability, emergency."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from ngcp.api.models import (
    Body,
    DomainName,
    Id,
    Pattern,
    Printable,
    SipUri,
    Text127,
    Text255,
    as_address,
    as_pattern,
    none_if_empty,
)
from ngcp.provisioning.rewriting import check_match


def _match(text: str) -> str:
    check_match(text)
    return text


Name: TypeAlias = Annotated[Printable, Field(min_length=1, max_length=127)]
Description: TypeAlias = Annotated[Printable, Field(max_length=255)]
IpAddress: TypeAlias = Annotated[str, Field(max_length=64), AfterValidator(as_address)]
#: What user parts of peers' numbers begin with: digits, and what LNP rules may have put before them.
Prefix: TypeAlias = Annotated[str, Field(max_length=32, pattern=r"^[0-9A-Za-z+*#_.-]*$")]
Priority: TypeAlias = Annotated[int, Field(ge=0, lt=2**31)]


class PeeringGroup(Body):
    """A group of peers, under a contract; priority 1 comes first."""

    name: Name
    contract_id: Id
    priority: Annotated[int, Field(ge=1, le=127)] = 1
    description: Description | None = None


class PeeringServer(Body):
    """A server of a group; transport 1 is UDP, 2 TCP, 3 TLS; `weight` is its share of the calls."""

    group_id: Id
    name: Annotated[Printable, Field(min_length=1, max_length=64)]
    ip: IpAddress
    host: DomainName | None = None
    port: Annotated[int, Field(ge=1, lt=2**16)] = 5060
    transport: Literal[1, 2, 3] = 1
    weight: Annotated[int, Field(ge=0, le=127)] = 1
    via_route: SipUri | None = None
    via_lb: bool = False
    enabled: bool = True
    probe: bool = False

    @model_validator(mode="before")
    @classmethod
    def _take_what_forms_send(cls, data: Any) -> Any:  # noqa: ANN401 - any JSON
        """Take "" for no value, and transport as text."""
        if not isinstance(data, dict):
            return data
        texts = {"1": 1, "2": 2, "3": 3}
        data = {
            **data,
            **{name: none_if_empty(data[name]) for name in ("host", "via_route") if name in data},
        }
        transport = data.get("transport")
        return (
            data | {"transport": texts[transport]}
            if isinstance(transport, str) and transport in texts
            else data
        )


class PeeringRule(Body):
    """Which calls a group takes: by the callee's number, and by patterns over both URIs."""

    group_id: Id
    callee_prefix: Annotated[Prefix, Field(max_length=64)] = ""
    callee_pattern: Pattern | None = None
    caller_pattern: Pattern | None = None
    description: Description = ""
    stopper: bool = False
    enabled: bool = True


class PeeringInboundRule(Body):
    """Which calls from a group's servers are the group's; others may be rejected with a code and a reason."""

    group_id: Id
    field: Literal[
        "from_user",
        "from_domain",
        "from_uri",
        "to_user",
        "to_domain",
        "to_uri",
        "ruri_user",
        "ruri_domain",
        "ruri_uri",
        "pai_user",
        "pai_domain",
        "pai_uri",
    ]
    pattern: Annotated[Printable, Field(min_length=1, max_length=1023), AfterValidator(as_pattern)]
    reject_code: Annotated[int, Field(ge=400, lt=700)] | None = None
    reject_reason: Annotated[Printable, Field(min_length=1, max_length=64)] | None = None
    priority: Priority = 50
    enabled: bool = True

    @model_validator(mode="after")
    def _rejects_with_both(self) -> "PeeringInboundRule":
        if (self.reject_code is None) != (self.reject_reason is None):
            raise ValueError("reject_code and reject_reason go together")
        return self


class RuleOfSet(Body):
    """A rewrite rule within its set."""

    unwritable = frozenset({"set_id", "priority"})

    match_pattern: Annotated[Printable, Field(max_length=255), AfterValidator(_match)]
    replace_pattern: Annotated[Printable, Field(min_length=1, max_length=255)]
    description: Text127 = ""
    direction: Literal["in", "out", "lnp"] = "in"
    field: Literal["caller", "callee"] = "caller"
    enabled: bool = True


class RewriteRule(RuleOfSet):
    """A rewrite rule; the lowest priority is tried first."""

    unwritable = frozenset()

    set_id: Id
    priority: Priority = 50


class RewriteRuleSet(Body):
    """A set of rewrite rules; `rewriterules`, if given, replace the rules there are."""

    unwritable = frozenset(
        f"{field}_{direction}_dpid" for field in ("caller", "callee") for direction in ("in", "out", "lnp")
    )

    name: Annotated[Printable, Field(min_length=1, max_length=32)]
    description: Description | None = None
    reseller_id: Id | None = None
    rewriterules: Annotated[list[RuleOfSet], Field(max_length=1000)] | None = None


class NcosLevel(Body):
    """A class of service."""

    level: Annotated[Printable, Field(min_length=1, max_length=31)]
    mode: Literal["blacklist", "whitelist"] = "blacklist"
    local_ac: bool = False
    intra_pbx: bool = False
    description: Description | None = None
    expose_to_customer: bool = False
    reseller_id: Id | None = None


class NcosPattern(Body):
    """A pattern over E.164 numbers without "+"."""

    ncos_level_id: Id
    pattern: Annotated[Pattern, Field(min_length=1)]
    description: Description | None = None


class NcosCarrier(Body):
    """A carrier whose numbers match a level, as far as its patterns do if there are any."""

    ncos_level_id: Id
    carrier_id: Id
    description: Description | None = None


class NcosCarrierPattern(Body):
    """A pattern that narrows down which of a carrier's numbers match."""

    ncos_lnp_carrier_id: Id
    pattern: Annotated[Pattern, Field(min_length=1)]
    description: Description | None = None


class NcosSet(Body):
    """A set of levels."""

    name: Name
    description: Description | None = None
    expose_to_customer: bool = False
    levels: list[Id] = Field(default_factory=list, max_length=100)
    reseller_id: Id | None = None


class LnpCarrier(Body):
    """A holder of ported numbers."""

    name: Text255
    prefix: Prefix = ""
    authoritative: bool = False
    skip_rewrite: bool = False


class LnpNumber(Body):
    """A ported number, E.164 without "+"; times without a zone are UTC."""

    carrier_id: Id
    number: Annotated[str, Field(pattern=r"^[0-9]{1,31}$")]
    routing_number: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,31}$")] | None = None
    start: datetime | None = None
    end: datetime | None = None
    type: Text255 | None = None


class EmergencyMappingContainer(Body):
    """A container of emergency mappings."""

    name: Annotated[Printable, Field(min_length=1, max_length=255)]
    reseller_id: Id | None = None


class EmergencyMapping(Body):
    """What an emergency number becomes: prefix, code, suffix."""

    emergency_container_id: Id
    code: Annotated[str, Field(pattern=r"^[0-9*#+]{1,32}$")]
    prefix: Prefix | None = None
    suffix: Prefix | None = None
