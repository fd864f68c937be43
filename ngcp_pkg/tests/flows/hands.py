"""A user agent that does nothing by itself: a test writes each of its messages, and reads what came."""

from collections.abc import Sequence

from flows.attempts import SDP
from flows.wire import Wire
from ngcp.sip.syntax import NameAddr, Request, Response, parse
from ngcp.sip.transport.flow import Address, Flow, format_address

TYPE = "Content-Type: application/sdp"


class Hand:
    """One side of one call (a `ngcp.net.driver.Core`)."""

    def __init__(self, wire: Wire, user: str, address: Address, peer: Address) -> None:
        self.wire = wire
        self.flow = Flow("udp", address, peer)
        self.contact = f"<sip:{user}@{format_address(address)}>"
        self.received: list[Request | Response] = []
        self.tag = f"{user}-tag"
        self.target = ""
        self.remote = "<sip:bob@example.org>"
        self.local = f"<sip:{user}@example.org>;tag={self.tag}"
        self.call_id = f"call-of-{user}"
        self.branch = ""
        """What its branches have in common."""
        self.cseq = 0
        self._count = 0
        self._outbox: list[tuple[bytes, Flow]] = []
        wire.attach(self, "udp", address)

    # What came

    def requests(self, method: str) -> list[Request]:
        """Return the requests of a method, each once."""
        found: dict[str, Request] = {}
        for message in self.received:
            if isinstance(message, Request) and message.method == method:
                found.setdefault(message.via.branch, message)
        return list(found.values())

    def answers(self, method: str = "INVITE") -> list[Response]:
        """Return the answers to requests of a method, repeated ones too."""
        return [
            message
            for message in self.received
            if isinstance(message, Response) and message.cseq.method == method
        ]

    def statuses(self, method: str = "INVITE") -> list[int]:
        """Return their statuses, each row of equal ones once."""
        found: list[int] = []
        for answer in self.answers(method):
            if not found or found[-1] != answer.status:
                found.append(answer.status)
        return found

    # What is said

    def invite(self, *extra: str, body: bytes = SDP) -> Request:
        """Call somebody, or change the session of the call."""
        lines = (*extra, TYPE) if body else extra
        return self.ask("INVITE", *lines, body=body)

    def ask(self, method: str, *extra: str, body: bytes = b"", number: int | None = None) -> Request:
        """Send a request, in the dialog if there is one."""
        if number is None:
            self.cseq += 1
        self._count += 1
        host = format_address(self.flow.local)
        lines = [
            f"Via: SIP/2.0/UDP {host};branch=z9hG4bK{self.branch or self.tag}{self._count};rport",
            "Max-Forwards: 70",
            f"From: {self.local}",
            f"To: {self.remote}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {number or self.cseq} {method}",
            f"Contact: {self.contact}",
            *extra,
            f"Content-Length: {len(body)}",
        ]
        request = Request(method, self.target or "sip:bob@example.org", lines, body)
        self._send(bytes(request))
        return request

    def cancel(self, invite: Request, *extra: str) -> None:
        """Take an INVITE back."""
        names = ("Via", "From", "To", "Call-ID", "Max-Forwards")
        lines = [f"{name}: {invite.first(name)}" for name in names]
        lines += (f"CSeq: {invite.cseq.number} CANCEL", *extra, "Content-Length: 0")
        self._send(bytes(Request("CANCEL", invite.uri, lines)))

    def acknowledge(self, answer: Response, body: bytes = b"") -> None:
        """Send the ACK of a 2xx, and take its dialog."""
        self.take(answer)
        self.ask("ACK", *((TYPE,) if body else ()), body=body, number=answer.cseq.number)

    def take(self, answer: Response) -> None:
        """Be in the dialog that an answer makes."""
        self.remote = answer.first("To")
        if "Contact" in answer:
            self.target = NameAddr.parse(answer.first("Contact")).address

    def answer(
        self, request: Request, status: int, *extra: str, body: bytes = b"", tag: str | None = None
    ) -> Response:
        """Answer a request; with 100 < status < 300 that makes a dialog with `tag`."""
        response = request.reply(status)
        self.cseq = max(self.cseq, 100)
        if request.to.tag is None and status > 100:
            response.set("To", f"{request.first('To')};tag={tag or self.tag}")
        if request.method == "INVITE" and status < 300:
            response.append("Contact", self.contact)
            self.call_id, self.local, self.remote = (
                request.call_id,
                response.first("To"),
                request.first("From"),
            )
            self.target = NameAddr.parse(request.first("Contact")).address
        for line in extra:
            response.append(*line.split(": ", 1))
        if body:
            response.append(*TYPE.split(": ", 1))
            response.body = body
        self._send(bytes(response))
        return response

    def _send(self, data: bytes) -> None:
        self._outbox.append((data, self.flow))

    # ngcp.net.driver.Core

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        self.received.append(parse(data))

    def handle_timer(self, now: float) -> None:
        """Nothing is due."""

    def next_timer(self) -> float | None:
        return None

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        outbox, self._outbox = self._outbox, []
        return outbox

    def transport_failed(self, flow: Flow, now: float) -> None:
        """Nobody listens."""


def of(messages: Sequence[Request | Response], header: str) -> list[str]:
    """Return what a header says in each of some messages; empty where it is absent."""
    return [message.get(header) or "" for message in messages]
