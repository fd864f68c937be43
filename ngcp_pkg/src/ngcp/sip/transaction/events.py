"""What the transaction layer tells the transaction user (RFC 3261 §17)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..syntax.message import Request, Response
from ..transport.flow import Flow

if TYPE_CHECKING:
    from .machine import ClientTransaction, ServerTransaction, Transaction


@dataclass(slots=True, eq=False)
class Received:
    """A request to be answered."""

    transaction: "ServerTransaction | None"
    """None for an ACK that belongs to no transaction: that of a 2xx (§13.2.2.4)."""
    request: Request
    flow: Flow


@dataclass(slots=True, eq=False)
class Answered:
    """A response to our request; of the 2xx of an INVITE, the retransmissions too (RFC 6026 §7.2)."""

    transaction: "ClientTransaction"
    response: Response


@dataclass(slots=True, eq=False)
class Failed:
    """No response came, or the transport failed."""

    transaction: "Transaction"
    status: int
    """What this counts as: 408 or 503 (§8.1.3.1)."""


@dataclass(slots=True, eq=False)
class Terminated:
    """The transaction is gone: nothing more comes from it."""

    transaction: "Transaction"


TransactionEvent = Received | Answered | Failed | Terminated
