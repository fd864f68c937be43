"""Scripted user agents: what a phone on the wire does, written without the code that is under test.

A phone registers, calls, rings, answers, hangs up, repeats what gets lost and challenges nobody. It knows
RFC 3261's retransmissions (§17) and dialogs (§12) as far as a call needs them.
"""

import contextlib
import functools
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from flows.attempts import ANSWERS, SDP, T1, T2, TIMEOUT, Attempt, Repeated, Script
from flows.wire import Wire
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr, Request, Response, parse
from ngcp.sip.transport.flow import Address, Flow, format_address


@dataclass(eq=False)
class Call:
    """One dialog, seen from one phone."""

    phone: "Phone"
    invite: Request
    local: str
    remote: str
    target: str
    routes: list[str]
    cseq: int
    attempt: Attempt | None = None
    """Our own INVITE; None at the callee."""
    status: int = 0
    """The callee's last answer."""
    is_acknowledged: bool = False
    is_ended: bool = False
    received: list[Request] = field(default_factory=list)
    """Requests of the other side in the dialog, each once."""
    ack: tuple[bytes, Flow] | None = None

    @property
    def call_id(self) -> str:
        return self.invite.call_id

    @property
    def is_up(self) -> bool:
        return self.status == 200 and self.is_acknowledged and not self.is_ended

    def request(self, method: str, body: bytes = b"") -> Attempt:
        """Send a request in the dialog."""
        self.cseq += 1
        attempt = self.phone.send_request(method, self.target, self, body=body)
        if method == "BYE":
            self.is_ended = True
        return attempt

    def hang_up(self) -> Attempt:
        return self.request("BYE")

    def cancel(self) -> Attempt:
        """Take back our INVITE (§9.1)."""
        return self.phone.send_cancel(self.invite)


class Phone:
    """One user agent with one address (a `ngcp.net.driver.Core`)."""

    def __init__(
        self,
        wire: Wire,
        user: str,
        address: Address,
        edge: Address,
        *,
        transport: str = "udp",
        password: str = "",
        believes: Address | None = None,
        script: Script = ANSWERS,
    ) -> None:
        """`believes` is the address it writes in Via and Contact when it sits behind a NAT."""
        self.wire, self.user, self.password, self.script = wire, user, password, script
        self.flow = Flow(transport, address, edge)
        self.name = format_address(believes or address)
        self.domain = "example.org"
        self.hops, self.session_expires = 70, 0
        self.algorithms = ["MD5"]
        """Digest algorithms that it knows."""
        self.login = user
        """What it calls itself where it proves its password."""
        self.goes_by = ""
        """The Contact of its calls, if it is not where the phone is."""
        self.calls: list[Call] = []
        self.registered: list[str] = []
        """Contacts that the registrar confirmed last."""
        self.heeds_cancel = True
        """Whether a CANCEL ends what rings."""
        self.moved: tuple[str, ...] = ()
        """Contacts of a 3xx."""
        self.seen: list[Request] = []
        """Every request received, each once."""
        self._ids = wire.ids(f"{user}-")
        self._cseq = 0
        self._register_id = self._ids()
        self._attempts: dict[tuple[str, str], Attempt] = {}
        self._answered: dict[tuple[str, str], list[bytes]] = {}
        self._repeated: dict[tuple[str, str], Repeated] = {}
        self._outbox: list[tuple[bytes, Flow]] = []
        wire.attach(self, transport, address, listens=transport == "udp")

    # What a user does

    @property
    def contact(self) -> str:
        suffix = "" if self.flow.transport == "udp" else f";transport={self.flow.transport}"
        return f"sip:{self.user}@{self.name}{suffix}"

    @property
    def aor(self) -> str:
        return f"sip:{self.user}@{self.domain}"

    def register(
        self, expires: int = 3600, contact: str | None = None, extra: tuple[str, ...] = ()
    ) -> Attempt:
        """Register, refresh, or with 0 unregister."""
        contact = f"<{self.contact}>;expires={expires}" if contact is None else contact
        lines = [f"Contact: {contact}", f"Expires: {expires}", *extra]
        return self.send_request("REGISTER", f"sip:{self.domain}", None, lines)

    def call(self, user: str, *, body: bytes = SDP, extra: tuple[str, ...] = ()) -> Call:
        """Call somebody in our domain."""
        uri = user if user.startswith("sip:") else f"sip:{user}@{self.domain}"
        attempt = self.send_request("INVITE", uri, None, list(extra), body)
        invite = attempt.request
        call = Call(
            self, invite, invite.first("From"), invite.first("To"), uri, [], invite.cseq.number, attempt
        )
        self.calls.append(call)
        return call

    # Sending

    def send_request(
        self,
        method: str,
        uri: str,
        call: Call | None = None,
        extra: list[str] | None = None,
        body: bytes = b"",
    ) -> Attempt:
        """Send a request in or out of a dialog."""
        self._cseq += 1
        aor, to = f"<{self.aor}>;tag={self._ids()}", f"<{uri}>"
        call_id, number = f"{self._ids()}@{self.name}", self._cseq
        if method == "REGISTER":
            to, call_id = f"<{self.aor}>", self._register_id
        if call is not None:
            aor, to, call_id, number = call.local, call.remote, call.call_id, call.cseq
        lines = [f"Via: {self._via()}", *(f"Route: {route}" for route in (call.routes if call else ()))]
        lines += [
            f"Max-Forwards: {self.hops}",
            f"From: {aor}",
            f"To: {to}",
            f"Call-ID: {call_id}",
            f"CSeq: {number} {method}",
        ]
        if method not in ("REGISTER", "BYE", "CANCEL"):
            lines.append(f"Contact: <{self.goes_by or self.contact}>")
        lines += extra or []
        if body:
            lines.append("Content-Type: application/sdp")
        return self._start(Request(method, uri, [*lines, f"Content-Length: {len(body)}"], body))

    def send_cancel(self, invite: Request) -> Attempt:
        names = ("Via", "From", "To", "Call-ID", "Max-Forwards")
        lines = [f"{name}: {invite.first(name)}" for name in names]
        lines += [f"Route: {route}" for route in invite.all("Route")]
        lines += [f"CSeq: {invite.cseq.number} CANCEL", "Content-Length: 0"]
        return self._start(Request("CANCEL", invite.uri, lines))

    def send_raw(self, data: bytes) -> None:
        """Send anything."""
        self._outbox.append((data, self.flow))

    def _via(self) -> str:
        return f"SIP/2.0/{self.flow.transport.upper()} {self.name};branch=z9hG4bK{self._ids()};rport"

    def _start(self, request: Request) -> Attempt:
        key = request.via.branch, request.method
        attempt = self._attempts[key] = Attempt(request)
        self._send(bytes(request))
        now = self.wire.now
        longest = TIMEOUT if request.method == "INVITE" else T2
        due = now + T1 if self.flow.transport == "udp" else now + TIMEOUT
        self._repeated[key] = Repeated(bytes(request), self.flow, due, now + TIMEOUT, longest)
        return attempt

    def _send(self, data: bytes) -> None:
        self._outbox.append((data, self.flow))

    # ngcp.net.driver.Core

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        with contextlib.suppress(SipError):  # what it cannot read, a phone ignores
            message = parse(data)
            if isinstance(message, Response):
                self._receive_response(message, now)
            else:
                self._receive_request(message, now)

    def next_timer(self) -> float | None:
        return min((min(each.due, each.gives_up) for each in self._repeated.values()), default=None)

    def handle_timer(self, now: float) -> None:
        for key, each in list(self._repeated.items()):
            if now >= each.gives_up:
                del self._repeated[key]
                if key in self._attempts:
                    self._attempts[key].is_timed_out = True
            elif each.send_again(now):
                self._send(each.data)

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        outbox, self._outbox = self._outbox, []
        return outbox

    def transport_failed(self, flow: Flow, now: float) -> None:
        """A phone connects again with its next request."""

    # Responses

    def _receive_response(self, response: Response, now: float) -> None:
        key = response.via.branch, response.cseq.method
        attempt = self._attempts.get(key)
        if attempt is None:
            return
        is_first = attempt.final is None
        if response.status >= 200 or response.cseq.method == "INVITE":
            self._repeated.pop(key, None)
        if is_first:
            attempt.responses.append(response)
        call = next((call for call in self.calls if call.attempt is attempt), None)
        if response.cseq.method == "INVITE" and response.status >= 300:
            self._acknowledge_failure(attempt.request, response)
        if response.status in (401, 407) and is_first and self.password:
            self._answer_challenge(attempt, response, call)
            return
        if call is not None:
            self._progress(call, response)
        elif response.cseq.method == "INVITE" and 200 <= response.status < 300:
            renewed = next(call for call in self.calls if call.call_id == response.call_id)
            self._outbox.append(self._make_ack(renewed, response.cseq.number))
        if response.cseq.method == "REGISTER" and response.status == 200:
            self.registered = response.all("Contact")

    def _progress(self, call: Call, response: Response) -> None:
        if response.status >= 200 and response.cseq.number < call.cseq:
            return
        call.status = max(call.status, response.status)
        if response.status < 200 or response.status >= 300:
            call.is_ended = response.status >= 300
            return
        if call.ack is None:  # §12.1.2: the dialog
            call.remote = response.first("To")
            call.target = NameAddr.parse(response.first("Contact")).address
            call.routes = list(reversed(response.all("Record-Route")))
        call.ack = call.ack or self._make_ack(call, call.cseq)
        call.is_acknowledged = True
        self._outbox.append(call.ack)

    def _make_ack(self, call: Call, number: int) -> tuple[bytes, Flow]:
        lines = [f"Via: {self._via()}", *(f"Route: {route}" for route in call.routes), "Max-Forwards: 70"]
        lines += [f"From: {call.local}", f"To: {call.remote}", f"Call-ID: {call.call_id}"]
        lines += [f"CSeq: {number} ACK", "Content-Length: 0"]
        return bytes(Request("ACK", call.target, lines)), self.flow

    def _acknowledge_failure(self, invite: Request, response: Response) -> None:
        names = ("Via", "From", "Call-ID", "Max-Forwards")
        lines = [f"{name}: {invite.first(name)}" for name in names]
        lines += [f"Route: {route}" for route in invite.all("Route")]
        lines += [f"To: {response.first('To')}", f"CSeq: {invite.cseq.number} ACK", "Content-Length: 0"]
        self._send(bytes(Request("ACK", invite.uri, lines)))

    def _answer_challenge(self, attempt: Attempt, challenged: Response, call: Call | None) -> None:
        """Send the request again with credentials (§22.2); the attempt goes on with it."""
        asks, answers = {
            401: ("WWW-Authenticate", "Authorization"),
            407: ("Proxy-Authenticate", "Proxy-Authorization"),
        }[challenged.status]
        if answers in attempt.request:
            return
        self._cseq += 1
        request = attempt.request.copy()
        number = request.cseq.number + 1
        self._cseq = max(self._cseq, number)
        request.set("CSeq", f"{number} {request.method}")
        request.pop_first("Via")
        request.prepend("Via", self._via())
        known = [f"algorithm={name}," for name in self.algorithms]
        challenge = next(one for one in challenged.all(asks) if any(name in one for name in known))
        request.append(answers, self._credentials(request, challenge))
        renewed = self._start(request)
        attempt.request, attempt.responses = request, renewed.responses
        self._attempts[request.via.branch, request.method] = attempt
        if call is not None:
            call.invite, call.cseq = request, number

    def _credentials(self, request: Request, challenge: str) -> str:
        asked = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))

        algorithm = asked["algorithm"]

        def digest(*parts: str) -> str:
            return hashlib.new(algorithm.replace("-", ""), ":".join(parts).encode()).hexdigest()

        secret = digest(self.login, asked["realm"], self.password)
        what = digest(request.method, request.uri)
        response = digest(secret, asked["nonce"], "00000001", "abc", "auth", what)
        return (
            f'Digest username="{self.login}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", '
            f'uri="{request.uri}", response="{response}", algorithm={algorithm}, '
            'qop=auth, nc=00000001, cnonce="abc"'
        )

    # Requests

    def _receive_request(self, request: Request, now: float) -> None:
        key = request.via.branch, request.method
        call = next((call for call in self.calls if call.call_id == request.call_id), None)
        if request.method == "ACK":
            self._receive_ack(request, call)
            return
        if key in self._answered:  # a retransmission
            for data in self._answered[key][-1:]:
                self._send(data)
            return
        self._answered[key] = []
        self.seen.append(request)
        if call is not None and request.to.tag is not None:
            call.received.append(request)
        handler: dict[str, Callable[[Request, Call | None], None]] = {
            "INVITE": self._receive_invite,
            "CANCEL": self._receive_cancel,
            "BYE": self._receive_bye,
        }
        handler.get(request.method, self._confirm)(request, call)

    def _receive_ack(self, request: Request, call: Call | None) -> None:
        for key in [key for key in self._repeated if key[1] == f"answer {request.call_id}"]:
            del self._repeated[key]
        if call is not None:
            call.is_acknowledged = True

    def _receive_invite(self, request: Request, call: Call | None) -> None:
        if call is not None:
            self._answer(request, call, 200)
            return
        tag = self._ids()
        call = Call(
            self,
            request,
            f"{request.first('To')};tag={tag}",
            request.first("From"),
            NameAddr.parse(request.first("Contact")).address,
            request.all("Record-Route"),
            1000,
        )
        self.calls.append(call)
        for delay, status in self.script:
            self.wire.at(self.wire.now + delay, functools.partial(self._act, call, status))

    def _act(self, call: Call, status: int) -> None:
        """Do the next thing of the script, unless the call is over."""
        if not call.is_ended and call.status < 200:
            self._answer(call.invite, call, status)

    def _answer(self, request: Request, call: Call, status: int) -> None:
        response = request.reply(status)
        response.set("To", call.local)
        for contact in self.moved if 300 <= status < 400 else (f"<{self.contact}>",):
            response.append("Contact", contact)
        for route in request.all("Record-Route"):
            response.append("Record-Route", route)
        if status == 200:
            if self.session_expires:
                response.append("Session-Expires", f"{self.session_expires};refresher=uac")
            response.append("Content-Type", "application/sdp")
            response.body = SDP
        call.status = max(call.status, status)
        call.is_ended = call.is_ended or status >= 300
        self._respond(request, response)

    def _receive_cancel(self, request: Request, call: Call | None) -> None:
        self._confirm(request, call)
        if call is not None and call.status < 200 and self.heeds_cancel:
            self._answer(call.invite, call, 487)

    def _receive_bye(self, request: Request, call: Call | None) -> None:
        if call is None or call.is_ended:
            self._respond(request, request.reply(481, to_tag=self._ids()))
            return
        call.is_ended = True
        self._confirm(request, call)

    def _confirm(self, request: Request, call: Call | None) -> None:
        self._respond(request, request.reply(200, to_tag=self._ids()))

    def _respond(self, request: Request, response: Response) -> None:
        self._answered[request.via.branch, request.method].append(bytes(response))
        self._send(bytes(response))
        if request.method == "INVITE" and response.status >= 200:
            now = self.wire.now
            key = request.via.branch, f"answer {request.call_id}"
            self._repeated[key] = Repeated(bytes(response), self.flow, now + T1, now + TIMEOUT)
