"""What two legs say to each other while a call lives: a request of one side becomes one to the other."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from ngcp.sip.core.leg import Leg
from ngcp.sip.core.uas import Answer, Incoming
from ngcp.sip.dialog.reliability import RAck
from ngcp.sip.syntax import Request, Response
from ngcp.sip.syntax.message import Message

from .profile import EXECUTE, PASS, REFUSE
from .terms import Terms

if TYPE_CHECKING:
    from .sbc import Sbc

#: A dialog is gone, or its peer (RFC 3261 §12.2.1.2).
LOST: Final = frozenset({408, 481})
#: Requests that may change the session (RFC 3311), and so refresh it.
_REFRESHES: Final = frozenset({"INVITE", "UPDATE"})
#: Requests that say where their sender is, as do the answers to them (§8.1.1.8; RFC 3428 has it otherwise).
_TARGETS: Final = _REFRESHES | {"NOTIFY", "OPTIONS", "REFER"}


class Exchange:
    """The part of a call that lies between its legs."""

    __slots__ = ("sbc", "terms")

    def __init__(self, sbc: "Sbc", terms: Terms) -> None:
        self.sbc = sbc
        self.terms = terms

    def end(self, now: float, by: Leg | None = None, lines: Sequence[str] = ()) -> None:
        """End the call on both sides; `by` whom it was ended is not told."""
        raise NotImplementedError

    def session(self, message: Message) -> bytes:
        """Return the body that the other leg sees."""
        return self.sbc.sessions.pass_on(message)

    def answer(self, response: Response, to: str | None = None, extra: Sequence[str] = ()) -> Answer:
        """Return what an answer of one side becomes on the other."""
        lines = [*self.sbc.pass_on(response, self.terms), *extra]
        if response.status < 300 and response.cseq.method in _TARGETS:
            lines.append(self.sbc.contact)
        return Answer(response.status, response.reason, lines, self.session(response), to)

    def requested(self, leg: Leg, incoming: Incoming, now: float) -> None:
        """Ask the other side (a `Caller`)."""
        request, twin = incoming.request, leg.twin
        method = request.method
        if method == "BYE":
            incoming.respond(Answer(200), now)
            self.end(now, leg, self.sbc.pass_on(request, self.terms))
        elif method not in self.sbc.methods and method != "INVITE":
            incoming.refuse(405, now, None, (self.sbc.allow,))
        elif method == "REFER" and self.refer != PASS:
            self._refer(leg, incoming, now)
        elif method == "PRACK":
            self._prack(leg, incoming, now)
        elif twin is None:
            incoming.refuse(481, now)
        elif method == "INVITE" and (twin.inviting or twin.invited) is not None:
            incoming.refuse(491, now)
        elif leg.timer is not None and method in _REFRESHES:
            self._refresh(leg, twin, incoming, now)
        else:
            self._ask(twin, incoming, now)

    @property
    def refer(self) -> str:
        """What becomes of a REFER."""
        return self.terms.refer or self.sbc.refer

    def transfer(self, leg: Leg, incoming: Incoming, now: float) -> None:
        """Execute a REFER."""
        raise NotImplementedError

    def learn(self, leg: Leg, message: Message) -> None:
        """Remember the session of a side, if a transfer may need it."""
        if message.body and self.refer == EXECUTE:
            leg.session = message.body

    def _refer(self, leg: Leg, incoming: Incoming, now: float) -> None:
        if self.refer == REFUSE:
            incoming.refuse(603, now)
        elif leg.twin is None or not leg.twin.session:
            incoming.refuse(488, now)  # nothing is known that could be offered to anybody
        else:
            self.transfer(leg, incoming, now)

    def cancelled(self, incoming: Incoming, reasons: Sequence[str], now: float) -> None:
        """Take back the INVITE that one of a side in the call became."""
        if incoming.leg is not None and incoming.leg.twin is not None:
            inviting = incoming.leg.twin.inviting
            if inviting is not None:
                inviting.cancel(now, reasons)
            else:  # it is accepted, and the 2xx waits for a PRACK
                incoming.refuse(487, now)
                self.end(now, incoming.leg)

    def unacknowledged(self, incoming: Incoming, now: float) -> None:
        """End the call: the peer does not know that it has one."""
        self.end(now)

    def lost(self, leg: Leg, now: float) -> None:
        """End the call on both sides, as one of them is gone."""
        self.end(now)

    def acknowledged(self, leg: Leg, incoming: Incoming, ack: Request, now: float) -> None:
        """Send on an ACK that carries the answer to the callee's offer (§13.2.2.4)."""
        twin = leg.twin
        self.learn(leg, ack)
        if twin is not None and twin.inviting is not None and twin.inviting.is_accepted:
            twin.acknowledge(twin.inviting, self.sbc.pass_on(ack, self.terms), self.session(ack))
            if twin.timer is not None:
                twin.timer.describe(ack)

    def _refresh(self, leg: Leg, twin: Leg, incoming: Incoming, now: float) -> None:
        """Let a request of the peer refresh its leg; without a session it is no matter of the other's."""
        assert leg.timer is not None, "asked without a timer"
        request = incoming.request
        leg.timer.check(request)
        if request.method == "UPDATE" and not request.body:
            leg.refresh_target(request)
            incoming.respond(Answer(200, None, [self.sbc.contact, *leg.timer.answer(request, now)]), now)
        else:
            self._ask(twin, incoming, now)

    def _ask(self, twin: Leg, incoming: Incoming, now: float) -> None:
        request = incoming.request
        also: tuple[str, ...] = ()
        lines = [self.sbc.contact] if request.method in _TARGETS else []
        if twin.timer is not None and request.method in _REFRESHES:
            also = ("timer",)
            lines += twin.timer.ask()
            twin.timer.describe(request)
        lines += self.sbc.pass_on(request, self.terms, also)
        twin.send(request.method, partial(self._told, twin, incoming), now, lines, self.session(request))

    def _told(self, twin: Leg, incoming: Incoming, response: Response, now: float) -> None:
        """Take the answer to what one side asked the other."""
        status = response.status
        if status == 100:
            return
        extra: Sequence[str] = ()
        if 200 <= status < 300 and incoming.request.method in _REFRESHES:
            extra = self._agree(twin, incoming, response, now)
        incoming.respond(self.answer(response, None, extra), now)
        if status in LOST:
            self.end(now)

    def _agree(self, twin: Leg, incoming: Incoming, response: Response, now: float) -> list[str]:
        """Take both sides' new Contacts and refresh both legs; return what the asker is told of its own."""
        request, leg = incoming.request, incoming.leg
        twin.refresh_target(response)
        self.learn(twin, response)
        if twin.inviting is not None and request.method == "INVITE" and request.body:
            twin.acknowledge(twin.inviting)
        if twin.timer is not None:
            twin.timer.hear(response, now)
        if leg is None:
            return []
        leg.refresh_target(request)
        self.learn(leg, request)
        if leg.timer is None:
            return []
        leg.timer.describe(response)
        return leg.timer.answer(request, now)

    def _prack(self, leg: Leg, incoming: Incoming, now: float) -> None:
        """Answer a PRACK, or ask the other side for whose answer it is meant (RFC 3262 §3)."""
        promises = None if leg.invited is None else leg.invited.promises
        kept = None if promises is None else promises.keep(RAck.parse(incoming.request.first("rack")))
        if promises is None or kept is None:
            incoming.refuse(481, now)
            return
        (origin,) = kept
        if origin is None or leg.twin is None:
            incoming.respond(Answer(200), now)
            promises.go_on(now)
            return

        def told(response: Response, later: float) -> None:
            incoming.respond(self.answer(response), later)
            if response.status >= 200:
                promises.go_on(later)

        request = incoming.request
        lines = [f"RAck: {origin}", *self.sbc.pass_on(request, self.terms)]
        leg.twin.send("PRACK", told, now, lines, self.session(request))
