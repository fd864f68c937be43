"""All transactions of one element (RFC 3261 §17): matching, bounded memory, the outbox.

Messages, `now` and requests to send come in; bytes and events go out; no socket, no clock. The topmost Via
of what comes in is stamped here (§18.2.1), so everybody behind knows where a request came from. A response
that matches nothing is dropped, as RFC 6026 §7.3 demands of proxies too.
"""

from collections import deque
from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from typing import Final

from ..errors import InvalidHeader, MissingHeader, SipError
from ..syntax.message import Request, Response
from ..transport.flow import Flow
from ..transport.via import stamp_via
from .events import Received, Terminated, TransactionEvent
from .machine import ClientTransaction, ServerTransaction, Transaction
from .matching import client_key, server_key
from .timers import AlarmQueue

#: A call makes three transactions on either side and each stays 32 s: some 780 calls a second at the proxy,
#: half of that at the edge, which each call crosses twice.
MAX_TRANSACTIONS: Final = 150_000

#: Without these nobody can answer, forward or acknowledge a request properly (§8.1.1).
_MANDATORY: Final = {"from": "From", "to": "To", "call-id": "Call-ID"}
#: Without this nobody can acknowledge a response (§17.1.1.3).
_ACKNOWLEDGED: Final = {"to": "To"}


class TransactionLayer:
    """Makes, matches, wakes and forgets transactions."""

    def __init__(
        self, ids: Callable[[], str], *, server: str | None = None, max_transactions: int = MAX_TRANSACTIONS
    ) -> None:
        """Take a source of unguessable tokens, our Server header, and how many transactions fit in memory."""
        self.alarms = AlarmQueue()
        self.events: deque[TransactionEvent] = deque()
        self._server = server
        self._max = max_transactions
        self._stateless_tag = ids()
        self._servers: dict[Hashable, ServerTransaction] = {}
        self._clients: dict[Hashable, ClientTransaction] = {}
        self._by_flow: dict[Flow, dict[Transaction, None]] = {}  # ordered sets: runs repeat exactly
        self._outbox: list[tuple[bytes, Flow]] = []

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    # From below

    def receive(self, message: Request | Response, flow: Flow, now: float) -> None:
        """Give a message to its transaction; a new request makes one.

        Raises `SipError`, before anything happened, if a header that transactions rest upon is missing
        or cannot be read; its `request` can be rejected.
        """
        if isinstance(message, Response):
            transaction = self._clients.get(client_key(message))
            # It answers where the request left (§18.2.2). Another side may know the branch: Vias travel on.
            if transaction is not None and transaction.flow.local == flow.local:
                _require(message, _ACKNOWLEDGED)
                transaction.receive(message, now)
            return
        try:
            self._receive_request(message, flow, now)
        except SipError as error:
            error.request = message
            raise

    def _receive_request(self, request: Request, flow: Flow, now: float) -> None:
        key = server_key(request)
        transaction = self._servers.get(key)
        if transaction is None:
            _require(request, _MANDATORY)
            if request.cseq.method != request.method:
                raise InvalidHeader("CSeq", str(request.cseq))
            if request.method == "ACK":
                self._receive_stray_ack(request, flow)
                return
            if len(self) >= self._max:
                self.reject(request, flow, 503)
                return
            stamp_via(request, flow)
            transaction = self._servers[key] = ServerTransaction(self, key, request, flow)
            self._register(transaction)
        transaction.receive(request, now)

    def _receive_stray_ack(self, ack: Request, flow: Flow) -> None:
        if ack.to.tag != self._stateless_tag:
            stamp_via(ack, flow)
            self.events.append(Received(None, ack, flow))

    def transport_failed(self, flow: Flow, now: float) -> None:
        """Tell the transactions that use `flow` (§17.1.4, §17.2.4)."""
        for transaction in self.transactions_over(flow):
            transaction.transport_failed(now)

    def transactions_over(self, flow: Flow) -> list[Transaction]:
        """Return the transactions that use `flow`, the oldest first."""
        return list(self._by_flow.get(flow, ()))

    def handle_timer(self, now: float) -> None:
        """Wake whoever is due."""
        self.alarms.wake(now)

    def next_timer(self) -> float | None:
        """Return when `handle_timer` wants to be called."""
        return self.alarms.next()

    # From above

    def request(self, request: Request, flow: Flow, branch: str, now: float) -> ClientTransaction:
        """Send a request whose topmost Via carries `branch`, cookie and all; CANCEL shares its INVITE's."""
        transaction = ClientTransaction(self, branch, request, flow)
        self._clients[transaction.key] = transaction
        self._register(transaction)
        transaction.start(now)
        return transaction

    def reject(self, request: Request, flow: Flow, status: int, reason: str | None = None) -> None:
        """Answer without keeping anything (§8.2.7); an ACK has no answer, the one to this is swallowed."""
        if request.method != "ACK":
            with suppress(SipError):  # a Via that cannot be read is sent back as it is
                stamp_via(request, flow)
            self.send(bytes(self.answer(request, status, reason, self._stateless_tag)), flow)

    def find_invite(self, cancel: Request) -> ServerTransaction | None:
        """Return the INVITE that a CANCEL means (§9.2)."""
        return self._servers.get(server_key(cancel, "INVITE"))

    def find_client(self, branch: str, method: str) -> ClientTransaction | None:
        """Return the client transaction that we gave this branch."""
        return self._clients.get((branch, method))

    # Outwards

    def next_event(self) -> TransactionEvent | None:
        """Return the next thing the TU must know."""
        return self.events.popleft() if self.events else None

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        """Hand over, once, what the transport must send."""
        outbox, self._outbox = self._outbox, []
        return outbox

    # For the transactions

    def answer(
        self, request: Request, status: int, reason: str | None = None, to_tag: str | None = None
    ) -> Response:
        """Build an answer of our own."""
        response = request.reply(status, reason, to_tag)
        if self._server is not None:
            response.append("Server", self._server)
        return response

    def send(self, data: bytes, flow: Flow) -> None:
        """Give bytes to the transport."""
        self._outbox.append((data, flow))

    def forget(self, transaction: Transaction) -> None:
        """Take leave of a terminated transaction."""
        transactions = self._clients if isinstance(transaction, ClientTransaction) else self._servers
        del transactions[transaction.key]
        users = self._by_flow[transaction.flow]
        del users[transaction]
        if not users:
            del self._by_flow[transaction.flow]
        self.events.append(Terminated(transaction))

    def _register(self, transaction: Transaction) -> None:
        self._by_flow.setdefault(transaction.flow, {})[transaction] = None


def _require(message: Request | Response, headers: Mapping[str, str]) -> None:
    for name, spelling in headers.items():
        if name not in message:
            raise MissingHeader(spelling)
