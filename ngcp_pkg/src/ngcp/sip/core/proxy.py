"""The stateful proxy (RFC 3261 §16): requests come in, branches go out, one answer goes back.

Messages and `now` come in, `(bytes, Flow)` pairs and events go out; there is no socket and no clock in it.

* Feed it: `receive` (parsed messages), `handle_timer` (when `next_timer` is due), `transport_failed`.
* Then take `next_event` until it is None, and answer: an `Incoming` with `execute`, a `Returning` with `forward`,
  both now or later, in the order of the events of one context. `Ended` wants no answer.
* Then send `messages_to_send`.

CANCEL, 100, 487, ACK for failures, retransmissions and every timer are handled inside and are never events.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..syntax.message import Request, Response
from ..transport.flow import Flow
from .decision import Decision


@dataclass(slots=True, eq=False)
class Incoming:
    """A new request, to be decided with `StatefulProxy.execute`."""

    transaction: "object | None"
    """None for the ACK of a 2xx, which has no transaction: relay or drop it, it has no answer."""
    request: Request
    """Its topmost Via already tells `received` and `rport`."""
    flow: Flow


class Context:
    """One relayed request, its branches and what they answered: the response context of §16."""

    incoming: Incoming


class Branch:
    """One target of a context."""


@dataclass(slots=True, eq=False)
class Returning:
    """A response that must go upstream now: provisional, 2xx, or the best final one (§16.7).

    Its topmost Via is the upstream one. The daemon may edit it before `StatefulProxy.forward`.
    """

    context: Context
    branch: Branch | None
    """None where no branch existed: cancelled before it was relayed."""
    response: Response


@dataclass(slots=True, eq=False)
class Ended:
    """Nothing more comes from this context, not even a retransmission: forget it."""

    context: Context


class StatefulProxy:
    """Forks requests and brings answers back, for any number of calls at a time."""

    def __init__(
        self, ids: Callable[[], str], *, server: str | None = None, translate_503: bool = True
    ) -> None:
        """Take a source of unguessable tokens and the value of the Server header of our own answers.

        `translate_503` turns a lone 503 of a branch into 500 (§16.7 step 6): right wherever branches lead to
        different elements; wrong in front of one, whose overload is ours.
        """
        raise NotImplementedError

    def receive(self, message: Request | Response, flow: Flow, now: float) -> None:
        """Take a message from the wire; raises `SipError` if its Via or CSeq cannot be read."""
        raise NotImplementedError

    def reject(self, request: Request, flow: Flow, status: int, reason: str | None = None) -> None:
        """Answer without a transaction, for requests too broken to `receive` (§16.3); an ACK is dropped."""
        raise NotImplementedError

    def next_timer(self) -> float | None:
        """Return when `handle_timer` wants to be called, None if nothing waits."""
        raise NotImplementedError

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        raise NotImplementedError

    def transport_failed(self, flow: Flow, now: float) -> None:
        """Count every unanswered branch over `flow` as answered with 503 (§16.9)."""
        raise NotImplementedError

    def next_event(self) -> Incoming | Returning | Ended | None:
        """Return the next thing the daemon must know, None when there is none."""
        raise NotImplementedError

    def execute(self, incoming: Incoming, decision: Decision, now: float) -> Context | None:
        """Carry out a decision; a Relay returns its context, which `Returning` and `Ended` will name.

        Of a request that was cancelled before the decision, 487 is the only `Returning`. A request out of
        Max-Forwards is answered 483 and returns None (§16.3 step 3), as does an ACK, forwarded statelessly.
        """
        raise NotImplementedError

    def forward(self, returning: Returning, now: float) -> None:
        """Send that response upstream."""
        raise NotImplementedError

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        """Hand over, once, what the sockets must send."""
        raise NotImplementedError

    @property
    def transactions(self) -> int:
        """Transactions alive now."""
        raise NotImplementedError
