"""Who pays what for a call: the customers, their resellers, and the carriers between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .charge import Talk


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a call."""

    contract: int
    """The customer's; 0 for who is none of ours."""
    provider: int
    """The contract of his reseller, or of the peer by which he is reached; 0 for neither."""
    number: str
    domain: str


@dataclass(frozen=True, slots=True)
class RatableCall:
    """A call record, as far as it matters for rating."""

    id: int
    is_answered: bool
    talk: Talk
    source: Party
    destination: Party


class Share(NamedTuple):
    """What one contract pays."""

    side: str
    """`source` or `destination`: whose call it is."""
    payer: str
    """`carrier`, `reseller` or `customer`."""
    contract: int
    direction: str
    """Which fees of the contract's profile: `out` must be there, without `in` a call costs nothing."""


def shares_of(call: RatableCall) -> Iterator[Share]:
    """Yield who pays what; a call between two strangers is nobody's."""
    source, destination = call.source, call.destination
    if source.contract:
        if not destination.contract and destination.provider:
            yield Share("source", "carrier", destination.provider, "out")
        if source.provider:
            yield Share("source", "reseller", source.provider, "out")
        yield Share("source", "customer", source.contract, "out")
    elif destination.contract and source.provider:
        yield Share("destination", "carrier", source.provider, "in")
    if destination.contract:
        if destination.provider:
            yield Share("destination", "reseller", destination.provider, "in")
        yield Share("destination", "customer", destination.contract, "in")
