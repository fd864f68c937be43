"""One transaction layer on a bench: everything it says is collected."""

from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transaction import (
    ClientTransaction,
    Received,
    ServerTransaction,
    TransactionEvent,
    TransactionLayer,
)
from ngcp.sip.transport import Flow
from sip.messages import Ids, flow, make_request


class Bench:
    """A layer whose clock is turned by hand."""

    def __init__(self, transport: str = "udp", max_transactions: int = 1000) -> None:
        self.layer = TransactionLayer(Ids(), max_transactions=max_transactions)
        self.flow: Flow = flow(transport=transport)
        self.now = 0.0

    def receive(self, message: Request | Response) -> None:
        """Let a message arrive, as bytes would."""
        self.layer.receive(parse(bytes(message)), self.flow, self.now)

    def sent(self) -> list[str]:
        """Return the start lines of what was sent since last asked."""
        return [data.split(b"\r\n")[0].decode() for data, _ in self.layer.messages_to_send()]

    def events(self) -> list[TransactionEvent]:
        found = []
        while (event := self.layer.next_event()) is not None:
            found.append(event)
        return found

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events()]

    def run_until(self, end: float) -> list[float]:
        """Turn the clock; return the times at which something was sent."""
        times: list[float] = []
        while (when := self.layer.next_timer()) is not None and when <= end:
            self.now = when
            self.layer.handle_timer(when)
            times += [round(when, 3) for _ in self.layer.messages_to_send()]
        self.now = end
        return times

    def serve(self, request: Request) -> ServerTransaction:
        """Let a new request arrive and return its transaction."""
        self.receive(request)
        (event,) = self.events()
        assert isinstance(event, Received)
        assert event.transaction is not None
        return event.transaction

    def ask(self, method: str) -> ClientTransaction:
        """Send a request of our own."""
        branch = "z9hG4bKours"
        request = make_request(method, branch, sent_by="192.0.2.1:5060")
        return self.layer.request(request, self.flow, branch, self.now)
