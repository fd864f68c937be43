"""The stateful proxy (RFC 3261 §16): requests come in, branches go out, one answer goes back.

Messages and `now` come in, `(bytes, Flow)` pairs and events go out; there is no socket and no clock in it.

* Feed it: `receive` (parsed messages), `handle_timer` (when `next_timer` is due), `transport_failed`.
* Then take `next_event` until it is None, and answer: an `Incoming` with `execute`, a `Returning` with
  `forward`, both now or later, in the order of the events of one context. `Forsaken` and `Ended` want none.
* Then send `messages_to_send`.

CANCEL, 100, 487, ACK for failures, retransmissions and every timer are handled inside and are never events.
100 leaves with the branches, or after 200 ms without a decision. A response leaves by its request's flow.
"""

from collections.abc import Callable

from ..errors import SipError
from ..syntax.message import Request, Response
from ..transaction import (
    Answered,
    Failed,
    Received,
    ServerTransaction,
    Terminated,
    Transaction,
    TransactionEvent,
    TransactionLayer,
)
from ..transaction.layer import MAX_TRANSACTIONS
from ..transport.flow import Flow
from .context import Context, Element, Ended, Forsaken, Incoming, ProxyEvent, Returning
from .decision import Decision, Relay, Reply
from .forwarding import branch_request, hide_overload, prepare, via_value

__all__ = ["Context", "Ended", "Forsaken", "Incoming", "ProxyEvent", "Returning", "StatefulProxy"]


class StatefulProxy:
    """Forks requests and brings answers back, for any number of calls at a time."""

    def __init__(
        self,
        ids: Callable[[], str],
        *,
        server: str | None = None,
        translate_503: bool = True,
        max_transactions: int = MAX_TRANSACTIONS,
    ) -> None:
        """Take a source of unguessable tokens and the value of the Server header of our own answers.

        `translate_503` forwards a branch's 503 as 500 (§16.7 step 6): one broken phone must not make callers
        leave us. It is wrong at the edge, where the overload of what stands behind it is ours to tell. Beyond
        `max_transactions`, new requests are answered 503.
        """
        self._translate_503 = translate_503
        self._layer = TransactionLayer(ids, server=server, max_transactions=max_transactions)
        self._element = Element(self._layer, ids)
        self._incoming: dict[Transaction, Incoming] = {}

    @property
    def transactions(self) -> int:
        """Transactions alive now."""
        return len(self._layer)

    # From the wire

    def receive(self, message: Request | Response, flow: Flow, now: float) -> None:
        """Take a message from the wire.

        Raises `SipError`, before anything happened, if a header that transactions rest upon is missing or
        cannot be read; `reject` can answer its `request`, which is None if this was a response.
        """
        self._layer.receive(message, flow, now)
        self._digest(now)

    def reject(self, request: Request, flow: Flow, status: int, reason: str | None = None) -> None:
        """Answer without a transaction, for requests that cannot be received (§16.3); an ACK is dropped."""
        self._layer.reject(request, flow, status, reason)

    def transport_failed(self, flow: Flow, now: float) -> None:
        """Count every branch over `flow` that still waits for its peer as answered with 503 (§16.9).

        An INVITE that rings is left alone: its answer may come by a new connection (§18.2.2).
        """
        self._layer.transport_failed(flow, now)
        self._digest(now)

    def target_unreachable(self, flow: Flow, now: float) -> None:
        """Let spares take over at once what waits for `flow`; what has none may still get through."""
        for transaction in self._layer.transactions_over(flow):
            branch = self._element.branches.get(transaction)
            if branch is not None and branch.target.spares:
                transaction.transport_failed(now)
        self._digest(now)

    def send(self, data: bytes, flow: Flow) -> None:
        """Send what is no matter of a transaction."""
        self._layer.send(data, flow)

    def originate(self, request: Request, flow: Flow, now: float) -> None:
        """Send a request of our own; it is repeated as it must be, and its answer is of no interest."""
        branch = self._element.new_branch()
        request.prepend("Via", via_value(flow, branch))
        self._layer.request(request, flow, branch, now)
        self._digest(now)

    def next_timer(self) -> float | None:
        """Return when `handle_timer` wants to be called, None if nothing waits."""
        return self._layer.next_timer()

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._layer.handle_timer(now)
        self._digest(now)

    # To and from the daemon

    def next_event(self) -> ProxyEvent | None:
        """Return the next thing the daemon must know, None when there is none."""
        return self._element.events.popleft() if self._element.events else None

    def execute(self, incoming: Incoming, decision: Decision, now: float) -> Context | None:
        """Carry out a decision; a Relay returns its context, which `Returning` and `Ended` will name.

        It is done for an `Incoming`, and can be done instead of `forward` for a `Returning` with a failure: a
        Relay then asks other targets, a Reply answers in other words, and the failure is forgotten.
        Of a request that was cancelled before the decision, 487 is the only `Returning`. An ACK is forwarded
        statelessly and has no context. A request out of Max-Forwards is refused: no context either.
        """
        if incoming.transaction is None:
            self._execute_ack(decision)
        elif isinstance(decision, Relay):
            return self._relay(incoming, incoming.transaction, decision, now)
        elif isinstance(decision, Reply):
            self._reply(incoming, incoming.transaction, decision, now)
        else:
            incoming.transaction.abandon(now)
            self._digest(now)
        return None

    def forward(self, returning: Returning, now: float, *, as_it_is: bool = False) -> None:
        """Send that response upstream; `as_it_is` to an element of ours that makes something of a 503."""
        if self._translate_503 and not as_it_is:
            hide_overload(returning.response)
        returning.context.forward(returning, now)
        self._digest(now)

    def inform(self, incoming: Incoming, status: int, reason: str | None, now: float) -> None:
        """Send a provisional response of our own, as long as none is final."""
        if incoming.transaction is not None and not incoming.is_cancelled:
            incoming.transaction.respond(self._element.answer(incoming.request, status, reason), now)
            self._digest(now)

    def origin(self, branch: str, method: str) -> Incoming | None:
        """Return how the request came in that left under a branch of ours, as long as that is not over."""
        transaction = self._layer.find_client(branch, method)
        relayed = None if transaction is None else self._element.branches.get(transaction)
        return None if relayed is None else relayed.context.incoming

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        """Hand over, once, what the sockets must send."""
        return self._layer.messages_to_send()

    def _execute_ack(self, decision: Decision) -> None:
        """Forward the ACK of a 2xx; nobody answers an ACK, nor one that travelled too far (§16.11)."""
        if not isinstance(decision, Relay):
            return
        try:
            prepared = prepare(decision)
        except SipError:
            return
        for target in decision.targets:
            ack = branch_request(prepared.copy(), target, self._element.new_branch())
            self._layer.send(bytes(ack), target.flow)

    def _relay(
        self, incoming: Incoming, transaction: ServerTransaction, relay: Relay, now: float
    ) -> Context | None:
        try:
            prepared = prepare(relay)
        except SipError as error:
            self._reply(incoming, transaction, Reply(error.status, error.reason), now)
            return None
        if incoming.context is not None:
            incoming.context.resume(relay, prepared, now)
        else:
            transaction.quench(now)
            incoming.context = Context(self._element, incoming, transaction, relay)
            incoming.context.start(prepared, now)
        return incoming.context

    def _reply(self, incoming: Incoming, transaction: ServerTransaction, reply: Reply, now: float) -> None:
        response = self._element.answer(incoming.request, reply.status, reply.reason)
        for name, value in reply.headers:
            response.append(name, value)
        transaction.respond(response, now)
        self._digest(now)

    # From the transactions

    def _digest(self, now: float) -> None:
        """Take in what the transactions have to say."""
        while (event := self._layer.next_event()) is not None:
            self._hear(event, now)

    def _hear(self, event: TransactionEvent, now: float) -> None:
        if isinstance(event, Answered):
            branch = self._element.branches.get(event.transaction)
            if branch is not None:  # a CANCEL has none: its answer is of no interest
                branch.context.receive(branch, event.response, now)
        elif isinstance(event, Received):
            self._hear_request(event, now)
        elif isinstance(event, Failed):
            branch = self._element.branches.get(event.transaction)
            if branch is not None:
                branch.context.fail(branch, event.status, now)
        else:
            self._hear_end(event)

    def _hear_request(self, event: Received, now: float) -> None:
        request, transaction = event.request, event.transaction
        if transaction is not None and request.method == "CANCEL":
            self._cancel(transaction, request, now)
            return
        if request.method == "ACK":
            transaction = None  # one that reuses its INVITE's branch is still the ACK of a 2xx
        incoming = Incoming(transaction, request, event.flow)
        if transaction is not None:
            self._incoming[transaction] = incoming
        self._element.events.append(incoming)

    def _cancel(self, transaction: ServerTransaction, cancel: Request, now: float) -> None:
        """Answer a CANCEL, and cancel the branches of the request it means (§16.10)."""
        invite = self._layer.find_invite(cancel)
        status = 481 if invite is None else 200
        transaction.respond(self._element.answer(cancel, status), now)
        if invite is not None:
            incoming = self._incoming[invite]
            incoming.is_cancelled = True
            if incoming.context is not None:
                incoming.context.cancel(cancel.all("reason"), now)

    def _hear_end(self, event: Terminated) -> None:
        branch = self._element.branches.pop(event.transaction, None)
        incoming = self._incoming.pop(event.transaction, None)
        if branch is not None:
            branch.context.note_end()
        elif incoming is not None and incoming.context is not None:
            incoming.context.note_end()
