"""One leg that an application lives in, whoever called: what both sides may do once there is a dialog."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from ngcp.service.commands import Json
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.core.leg import Leg
from ngcp.sip.core.uac import Outgoing
from ngcp.sip.core.uas import Answer, Incoming
from ngcp.sip.syntax import Request, Response
from ngcp.sip.transaction.timers import Alarm

from .registry import Registry

ALLOW: Final = "Allow: INVITE, ACK, BYE, CANCEL, INFO, OPTIONS, PRACK, UPDATE"
SDP: Final = "Content-Type: application/sdp"


class Listener(Protocol):
    """What an application hears of one call."""

    def acknowledged(self, session: bytes, now: float) -> None:
        """Begin: both sides know that the call is answered.

        `session` is the other side's own where it answers an offer of ours.
        """

    def offered(self, session: bytes, now: float) -> bytes | None:
        """Return our session for the other side's new one (empty: it wants an offer); None: refuse."""

    def answered(self, session: bytes, now: float) -> None:
        """Take the other side's answer to `Talk.offer`; empty: it refused."""

    def informed(self, request: Request, now: float) -> None:
        """Take an INFO: a key that was pressed, as its Content-Type says."""

    def ended(self, now: float) -> None:
        """Let go of what the call needed: it is over, whoever ended it."""


class Talk(ABC):
    """One call (a `ngcp.sip.core.leg.Caller`); a verb that comes too late does nothing."""

    def __init__(self, agent: UserAgent, registry: Registry, now: float) -> None:
        self.listener: Listener | None = None
        self.tag = agent.ids()
        self._agent = agent
        self._registry = registry
        self._began = now
        self._alarms: list[Alarm] = []
        self._leg: Leg | None = None
        """None: there is no dialog yet."""
        self._is_answered = False

    @property
    @abstractmethod
    def application(self) -> str:
        """The name of what serves it."""

    @property
    @abstractmethod
    def request(self) -> Request:
        """The INVITE: whom it is for, who calls, what it offers."""

    @property
    @abstractmethod
    def offer_of_caller(self) -> bytes:
        """The session description that the INVITE brought to us; empty: ours has to come first."""

    @property
    @abstractmethod
    def is_over(self) -> bool:
        """Whether nothing more can be said."""

    # Verbs

    @abstractmethod
    def progress(self, now: float, session: bytes = b"") -> None:
        """Let a caller hear us before his call is answered."""

    @abstractmethod
    def answer(self, session: bytes, now: float) -> None:
        """Say our session, so that there may be a conversation."""

    @abstractmethod
    def refuse(self, status: int, now: float, reason: str | None = None) -> None:
        """End a call that is not answered."""

    def hang_up(self, now: float, lines: Sequence[str] = ()) -> None:
        """End a call, answered or not."""
        if not self._is_answered:
            self.refuse(480, now)
        elif self._leg is not None and not self.is_over:
            self._leg.hang_up(now, lines)
            self._end(now)

    def offer(self, session: bytes, now: float) -> None:
        """Offer another session to the other side, by a new INVITE; `answered` tells what came of it."""
        leg = self._leg
        if leg is None or not self._is_answered or self.is_over:
            return
        if (leg.inviting or leg.invited) is not None:
            self.at(now + 1.0, lambda then: self.offer(session, then))
            return
        outgoing: list[Outgoing] = []

        def hear(response: Response, then: float) -> None:
            if 200 <= response.status < 300:
                leg.acknowledge(outgoing[0])
                self._tell(response.body, then)
            elif response.status == 491:
                self.at(then + leg.pause(), lambda later: self.offer(session, later))
            elif response.status >= 300:
                self._tell(b"", then)

        lines = [f"Contact: {self._agent.contact}", SDP]
        if leg.timer is not None:
            lines += ("Supported: timer", *leg.timer.ask())
        outgoing.append(leg.send("INVITE", hear, now, lines, session))

    def at(self, when: float, do: Callable[[float], None]) -> Alarm:
        """Call `do(now)` at `when`, unless the call is over by then."""
        alarm = self._agent.at(when, do)
        self._alarms.append(alarm)
        return alarm

    def describe(self, now: float) -> dict[str, Json]:
        """Return what operators see of it."""
        return {
            "call_id": self.request.call_id,
            "from": self.request.from_.address,
            "to": self.request.to.address,
            "state": "answered" if self._is_answered else "ringing",
            "seconds": round(now - self._began, 1),
        }

    def end(self, now: float) -> None:
        """End it, as an operator wants it."""
        self.hang_up(now)

    # From the other side (a `Caller`)

    def requested(self, leg: Leg, incoming: Incoming, now: float) -> None:
        """Serve a request in the dialog."""
        request = incoming.request
        if request.method == "BYE":
            incoming.respond(Answer(200), now)
            leg.leave(now)
            self._end(now)
        elif request.method in ("INVITE", "UPDATE"):
            self._renew(leg, incoming, now)
        elif request.method in ("INFO", "OPTIONS"):
            incoming.respond(Answer(200, None, (ALLOW,)), now)
            if request.method == "INFO" and self.listener is not None:
                self.listener.informed(request, now)
        else:
            incoming.refuse(405, now, None, (ALLOW,))

    def acknowledged(self, leg: Leg, incoming: Incoming, ack: Request, now: float) -> None:
        """Tell the application that both sides know."""
        if self.listener is not None:
            self.listener.acknowledged(ack.body, now)

    def cancelled(self, incoming: Incoming, reasons: Sequence[str], now: float) -> None:
        """Answer an INVITE that was taken back."""
        incoming.refuse(487, now)

    def unacknowledged(self, incoming: Incoming, now: float) -> None:
        """End a call whose other side is gone."""
        self.hang_up(now)

    def lost(self, leg: Leg, now: float) -> None:
        """End a call whose other side refreshes no more."""
        self.hang_up(now)

    def _renew(self, leg: Leg, incoming: Incoming, now: float) -> None:
        """Answer a new session, or the refresh of the one there is (RFC 3261 §14.2, RFC 3311, RFC 4028)."""
        request = incoming.request
        if leg.timer is not None:
            leg.timer.check(request)
        session: bytes | None = b""
        if (request.body or request.method == "INVITE") and self.listener is not None:
            session = self.listener.offered(request.body, now)
        if session is None:
            incoming.refuse(488, now)
            return
        leg.refresh_target(request)
        lines = [] if leg.timer is None else leg.timer.answer(request, now)
        incoming.respond(self._build(leg, 200, session, lines), now)

    def _tell(self, session: bytes, now: float) -> None:
        if self.listener is not None:
            self.listener.answered(session, now)

    def _build(self, leg: Leg, status: int, session: bytes = b"", lines: Sequence[str] = ()) -> Answer:
        head = [*lines] if status >= 300 else [f"Contact: {self._agent.contact}", ALLOW, *lines]
        if self._agent.name:
            head.append(f"Server: {self._agent.name}")
        if session:
            head.append(SDP)
        return Answer(status, None, head, session, leg.local)

    def _end(self, now: float) -> None:
        if self._leg is not None and self._leg.farewell is None:
            self._leg.leave(now)
        self._forget_alarms()
        if self._registry.find(self.tag) is self:
            self._registry.forget(self.tag)
            if self.listener is not None:
                self.listener.ended(now)

    def _forget_alarms(self) -> None:
        for alarm in self._alarms:
            self._agent.forget(alarm)
        self._alarms.clear()
