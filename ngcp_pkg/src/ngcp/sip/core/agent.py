"""A user agent (RFC 3261 §8): it finds the dialog of each request and the asker of each answer.

Messages and `now` come in, `(bytes, Flow)` pairs go out; its users are called back. There is no socket and no
clock in it. CANCEL, 481, the ACK of failures and every retransmission are handled here and below.
"""

from binascii import crc32
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from ..dialog import DialogId, dialog_id
from ..errors import SipError
from ..syntax.message import Request, Response
from ..syntax.uri import Uri
from ..transaction import Answered, Failed, Received, Transaction, TransactionEvent, TransactionLayer
from ..transaction.matching import COOKIE
from ..transaction.timers import Alarm, Timer
from ..transport.flow import Address, Flow, format_address, parse_host
from .leg import Leg
from .uac import Heard, Outgoing
from .uas import Answer, Incoming

#: RFC 3261 §14.2: seconds after which a peer may try again that asked twice at a time.
RETRY_AFTER: Final = 2
#: As what an answer counts that cannot be read (§21.5.3).
UNREADABLE: Final = 502


class Host(Protocol):
    """What answers requests that belong to no dialog."""

    def invited(self, incoming: Incoming, now: float) -> None:
        """Somebody calls."""

    def asked(self, incoming: Incoming, now: float) -> None:
        """Any other request without a dialog."""


class _Appointment:
    """An alarm that calls a function."""

    __slots__ = ("_do",)

    def __init__(self, do: Callable[[float], None]) -> None:
        self._do = do

    def wake(self, timer: Timer, now: float) -> None:
        """Do it."""
        self._do(now)


class UserAgent:
    """All dialogs and requests of one socket."""

    def __init__(
        self, layer: TransactionLayer, ids: Callable[[], str], own: Address, beyond: Address
    ) -> None:
        """Send from `own`, and to `beyond` what is addressed to a host name: names are resolved out there."""
        self.layer = layer
        self.ids = ids
        """Unguessable tokens."""
        self.legs: dict[DialogId, Leg] = {}
        self.contact = f"<sip:{format_address(own)}>"
        """Our Contact."""
        self.name = ""
        """What is said of us in a Server header of calls that end here; empty: nothing."""
        self.host: Host
        self._via = f"SIP/2.0/UDP {format_address(own)};branch="
        self._outgoing: dict[Transaction, Outgoing] = {}
        self._incoming: dict[Transaction, Incoming] = {}
        self._flow_to = lru_cache(1024)(lambda uri: _flow(uri, own, beyond))

    # From the wire

    def receive(self, message: Request | Response, flow: Flow, now: float) -> None:
        """Take a message from the wire.

        Raises `SipError`, before anything happened, if a header that transactions rest upon is missing or
        cannot be read; its `request` can be rejected.
        """
        self.layer.receive(message, flow, now)
        self._digest(now)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self.layer.handle_timer(now)
        self._digest(now)

    def transport_failed(self, flow: Flow, now: float) -> None:
        """Count what waits for an answer over `flow` as answered with 503."""
        self.layer.transport_failed(flow, now)
        self._digest(now)

    # For those who talk

    def at(self, when: float, do: Callable[[float], None]) -> Alarm:
        """Call `do(now)` at `when`."""
        return self.layer.alarms.set(_Appointment(do), Timer.TU, when)

    def forget(self, alarm: Alarm) -> None:
        """Do not call."""
        self.layer.alarms.cancel(alarm)

    def draw(self) -> float:
        """Return a random number from 0 up to 1."""
        return crc32(self.ids().encode()) / 2**32

    @property
    def is_waiting(self) -> bool:
        """Whether a request of ours has no final answer yet."""
        return any(not outgoing.is_answered for outgoing in self._outgoing.values())

    def new_branch(self) -> str:
        """Name a transaction (§8.1.1.7)."""
        return COOKIE + self.ids()

    def via(self, branch: str) -> str:
        """Write our Via."""
        return self._via + branch

    def flow_to(self, uri: str) -> Flow:
        """Return the way to a URI (RFC 3263 without names)."""
        return self._flow_to(uri)

    def send(self, request: Request, flow: Flow, branch: str, heard: Heard, now: float) -> Outgoing:
        """Send a request whose topmost Via has `branch`."""
        outgoing = Outgoing(self, request, flow, heard)
        self.start(outgoing, branch, now)
        return outgoing

    def start(self, outgoing: Outgoing, branch: str, now: float) -> None:
        """Give a request that is ready a transaction."""
        transaction = self.layer.request(outgoing.request, outgoing.flow, branch, now)
        outgoing.transaction = transaction
        self._outgoing[transaction] = outgoing

    # From the transactions

    def _digest(self, now: float) -> None:
        while (event := self.layer.next_event()) is not None:
            self._hear(event, now)

    def _hear(self, event: TransactionEvent, now: float) -> None:
        if isinstance(event, Answered):
            outgoing = self._outgoing.get(event.transaction)
            if outgoing is not None:  # a CANCEL has none: its answer is of no interest
                self._answer(outgoing, event.response, now)
        elif isinstance(event, Received):
            self._hear_request(event, now)
        elif isinstance(event, Failed):
            outgoing = self._outgoing.get(event.transaction)
            if outgoing is not None:
                outgoing.fail(event.status, now)
        else:
            gone = self._outgoing.pop(event.transaction, None)
            if gone is not None and gone.transaction is event.transaction:
                gone.end()
            self._incoming.pop(event.transaction, None)

    def _answer(self, outgoing: Outgoing, response: Response, now: float) -> None:
        """Give an answer to who asked; one that cannot be read is none, if final a bad one."""
        try:
            outgoing.receive(response, now)
        except SipError:
            if response.is_final:
                outgoing.fail(UNREADABLE, now)

    def _hear_request(self, event: Received, now: float) -> None:
        request, transaction = event.request, event.transaction
        if request.method == "ACK":
            self._acknowledge(request, now)
        elif transaction is None:
            return
        elif request.method == "CANCEL":
            self._cancel(Incoming(self, transaction, request), now)
        else:
            incoming = Incoming(self, transaction, request)
            if request.method == "INVITE":
                self._incoming[transaction] = incoming
            try:
                self._serve(incoming, now)
            except SipError as error:
                lines = [f"{name}: {value}" for name, value in error.headers]
                incoming.refuse(error.status, now, error.reason, lines)

    def _serve(self, incoming: Incoming, now: float) -> None:
        request = incoming.request
        if request.to.tag is not None:
            leg = self.legs.get(dialog_id(request))
            if leg is None:
                incoming.refuse(481, now)
            else:
                self._serve_in_dialog(leg, incoming, now)
        elif request.method == "INVITE":
            self.host.invited(incoming, now)
        else:
            self.host.asked(incoming, now)

    def _serve_in_dialog(self, leg: Leg, incoming: Incoming, now: float) -> None:
        request = incoming.request
        if not leg.is_new(request):
            incoming.refuse(500, now)  # §12.2.2
            return
        incoming.leg, incoming.user = leg, leg.user
        if request.method == "INVITE":
            if leg.inviting is not None:
                incoming.refuse(491, now)  # §14.2
                return
            if leg.invited is not None:
                incoming.refuse(500, now, None, (f"Retry-After: {RETRY_AFTER}",))
                return
            leg.invited = incoming
        leg.user.requested(leg, incoming, now)

    def _acknowledge(self, ack: Request, now: float) -> None:
        leg = self.legs.get(dialog_id(ack))
        incoming = None if leg is None else leg.invited
        if leg is None or incoming is None or not incoming.is_unacknowledged:
            return
        if incoming.request.cseq.number == ack.cseq.number:
            incoming.acknowledge()
            leg.invited = None
            if leg.farewell is not None:
                leg.hang_up(now, leg.farewell)
            else:
                leg.user.acknowledged(leg, incoming, ack, now)

    def _cancel(self, cancel: Incoming, now: float) -> None:
        """Answer a CANCEL, and tell the user of the INVITE that it means (§9.2)."""
        transaction = self.layer.find_invite(cancel.request)
        invite = None if transaction is None else self._incoming.get(transaction)
        cancel.respond(Answer(481 if invite is None else 200), now)
        if invite is not None and not invite.is_answered and invite.user is not None:
            invite.user.cancelled(invite, cancel.request.all("reason"), now)


def _flow(uri: str, own: Address, beyond: Address) -> Flow:
    try:
        parsed = Uri.parse(uri)
    except SipError:
        return Flow("udp", own, beyond)
    host = parse_host(parsed.params.get("maddr") or parsed.host)
    if _is_address(host):
        return Flow("udp", own, (host, parsed.port or 5060))
    return Flow("udp", own, beyond)


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
