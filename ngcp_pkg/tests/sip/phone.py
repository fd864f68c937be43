"""A telephone for tests: calls, rings, answers, cancels and hangs up by RFC 3261 §9, §13 and §15."""

from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import count

from ngcp.sip.syntax import Request, Response, Uri, parse
from ngcp.sip.transaction import Answered, Failed, Received, ServerTransaction, TransactionLayer
from ngcp.sip.transaction.derived import cancel_for
from ngcp.sip.transport import Flow
from sip.messages import Ids

Address = tuple[str, int]


class Phone:
    """One user at one address; every request goes to `proxy`."""

    def __init__(self, user: str, address: Address, proxy: Address, transport: str = "udp") -> None:
        self.user = user
        self.address = address
        self.answers: Sequence[tuple[float, int]] = ((0.1, 180), (1.0, 200))
        """What an INVITE gets: seconds after it came, and the status."""
        self.heeds_cancel = True
        """Whether a CANCEL ends what rings."""
        self.heard: list[int] = []
        """Statuses that came back, retransmissions of 2xx included; 0 where only silence came."""
        self.requests: list[Request] = []
        """Requests that came in, each once."""
        self.responses: list[Response] = []
        """What `heard` counts, whole."""
        self.confirmed = 0
        """Calls of others that were answered here and whose ACK came."""
        self._flow = Flow(transport, address, proxy)
        self._ids = Ids(user)
        self._layer = TransactionLayer(self._ids)
        self._plans: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = count()
        self._pending: dict[str, ServerTransaction] = {}
        self._unacknowledged: set[str] = set()
        self._invite: Request | None = None
        self._dialog: Response | None = None

    # The wire's side

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self._layer.receive(parse(data), flow, now)
        self._listen(now)

    def handle_timer(self, now: float) -> None:
        while self._plans and self._plans[0][0] <= now:
            heappop(self._plans)[2](now)
        self._layer.handle_timer(now)
        self._listen(now)

    def next_timer(self) -> float | None:
        times = [time for time in (self._layer.next_timer(), self._plans and self._plans[0][0]) if time]
        return min(times, default=None)

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        return self._layer.messages_to_send()

    @property
    def transactions(self) -> int:
        return len(self._layer)

    # The user's side

    def call(self, uri: str, now: float = 0.0) -> None:
        """Send an INVITE."""
        self._invite = self._request("INVITE", uri, 1, f"<{uri}>")
        self._send(self._invite, now)

    def cancel(self, now: float) -> None:
        """Give up the call."""
        assert self._invite is not None
        cancel = cancel_for(self._invite)
        cancel.append("Reason", 'SIP;cause=487;text="Caller gave up"')
        self._send(cancel, now)

    def hang_up(self, now: float) -> None:
        """End the call that was answered."""
        assert self._dialog is not None
        self._send(self._in_dialog("BYE", 2, self._dialog), now)

    def send(self, method: str, uri: str, now: float = 0.0) -> None:
        """Send another request outside of a dialog."""
        self._send(self._request(method, uri, 1, f"<{uri}>"), now)

    def _request(self, method: str, uri: str, cseq: int, to: str) -> Request:
        host, port = self.address
        lines = [
            f"Via: SIP/2.0/{self._flow.transport.upper()} {host}:{port};branch=z9hG4bK{self._ids()}",
            "Max-Forwards: 70",
            f"From: <sip:{self.user}@example.org>;tag={self.user}",
            f"To: {to}",
            f"Call-ID: call-of-{self.user}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{self.user}@{host}:{port}>",
            "Content-Length: 0",
        ]
        return Request(method, uri, lines)

    def _send(self, request: Request, now: float) -> None:
        self._layer.request(request, self._flow, request.via.branch, now)

    def _in_dialog(self, method: str, cseq: int, ok: Response) -> Request:
        contact = Uri.parse(ok.first("Contact").strip("<>"))
        return self._request(method, str(contact), cseq, ok.first("To"))

    # What happens

    def _listen(self, now: float) -> None:
        while (event := self._layer.next_event()) is not None:
            if isinstance(event, Received):
                self._serve(event.transaction, event.request, now)
            elif isinstance(event, Answered):
                self._note(event.response, now)
            elif isinstance(event, Failed):
                self.heard.append(0)

    def _note(self, response: Response, now: float) -> None:
        self.heard.append(response.status)
        self.responses.append(response)
        if response.cseq.method == "INVITE" and 200 <= response.status < 300:
            self._dialog = response
            self._layer.send(bytes(self._in_dialog("ACK", 1, response)), self._flow)

    def _serve(self, transaction: ServerTransaction | None, request: Request, now: float) -> None:
        self.requests.append(request)
        if transaction is None or request.method == "ACK":
            if request.call_id in self._unacknowledged:
                self._unacknowledged.discard(request.call_id)
                self.confirmed += 1
        elif request.method == "INVITE":
            self._pending[request.call_id] = transaction
            for delay, status in self.answers:
                self._plan(now + delay, partial(self._answer, transaction, status))
        else:
            self._respond(transaction, 200, now)
            if request.method == "CANCEL" and self.heeds_cancel and request.call_id in self._pending:
                self._answer(self._pending[request.call_id], 487, now)

    def _answer(self, transaction: ServerTransaction, status: int, now: float) -> None:
        call_id = transaction.request.call_id
        if self._pending.get(call_id) is not transaction:
            return
        if status >= 200:
            del self._pending[call_id]
        if status < 200 or status >= 300:
            self._respond(transaction, status, now)
        else:
            self._unacknowledged.add(call_id)
            self._insist(transaction, status, 0.5, now)

    def _insist(self, transaction: ServerTransaction, status: int, pause: float, now: float) -> None:
        """Send 2xx until the ACK is there (§13.3.1.4)."""
        if transaction.request.call_id in self._unacknowledged:
            self._respond(transaction, status, now)
            if now < 32:
                then = min(2 * pause, 4.0)
                self._plan(now + pause, lambda when: self._insist(transaction, status, then, when))

    def _respond(self, transaction: ServerTransaction, status: int, now: float) -> None:
        response = transaction.request.reply(status, to_tag=self.user)
        response.append("Contact", f"<sip:{self.user}@{self.address[0]}:{self.address[1]}>")
        transaction.respond(response, now)

    def _plan(self, when: float, what: Callable[[float], None]) -> None:
        heappush(self._plans, (when, next(self._count), what))
