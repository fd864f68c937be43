"""Call detail records (CDRs): one for each leg of a call; rows of `accounting.cdr`."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from ngcp.provisioning.line import Value

#: Generic purpose parameters.
GPP: Final = tuple(f"gpp{number}" for number in range(10))
NO_GPP: Final = ("",) * len(GPP)


class Party(NamedTuple):
    """One end of a leg; its columns begin with `source_` or `destination_`."""

    user_id: str = "0"
    """UUID of one of our subscribers; 0 for somebody else."""
    provider_id: int = 0
    """Contract of his reseller, or of the peer by which he is reached; 0 for neither."""
    external_subscriber_id: str = ""
    external_contract_id: str = ""
    account_id: int = 0
    """The customer: a contract; 0 for who is none of ours."""
    user: str = ""
    domain: str = ""
    lnp_prefix: str = ""
    lnp_type: str = ""
    user_out: str = ""
    """What the next one is told: the caller's number, or the callee's."""
    gpp: tuple[str, ...] = NO_GPP


class Cdr(NamedTuple):
    """A leg of a call, as it is known when the call is over; but for its ends, fields are columns."""

    source: Party
    destination: Party
    source_cli: str
    source_clir: bool
    source_ip: str
    destination_user_dialed: str
    destination_user_in: str
    destination_domain_in: str
    peer_auth_user: str
    peer_auth_realm: str
    call_type: str
    """One of `ngcp.provisioning.tables.accounting.CALL_TYPES`."""
    call_status: str
    """One of `CALL_STATUSES` there; `ok`: it was answered."""
    call_code: str
    init_time: Decimal
    """When the INVITE came: Unix time, in milliseconds exactly, as all three."""
    start_time: Decimal
    """When it was answered, or refused."""
    duration: Decimal
    """Seconds; 0 if it was not answered."""
    call_id: str
    """The caller's, without what our elements put behind it."""
    branch_id: str
    """0 for the caller's leg, 1 for that of the first forward …, and what was behind the Call-ID."""
    closed_by: Literal["dialog", "session", "maximum"] | None = None
    """Without a stop record: how it is known to be over."""


PARTY_COLUMNS: Final = (*Party._fields[:-1], *GPP)
CDR_COLUMNS: Final = (
    *(f"{side}_{name}" for side in ("source", "destination") for name in PARTY_COLUMNS),
    *Cdr._fields[2:],
)


def values_of(cdr: Cdr) -> Sequence[Value]:
    """Return a CDR's values in the order of `CDR_COLUMNS`."""
    source, destination = cdr.source, cdr.destination
    return (*source[:-1], *source.gpp, *destination[:-1], *destination.gpp, *cdr[2:])
