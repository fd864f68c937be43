"""A call that an application serves by itself: one leg, of which we are the callee (RFC 3261 §13.3)."""

from collections.abc import Sequence

from ngcp.sip.core.agent import UserAgent
from ngcp.sip.core.leg import Leg
from ngcp.sip.core.refreshing import Refreshing
from ngcp.sip.core.uas import Answer, Incoming
from ngcp.sip.dialog.reliability import OPTION, RAck, options_of
from ngcp.sip.dialog.session_timer import answer as agree
from ngcp.sip.syntax import Request

from .parameters import HEADER, LONGEST, read, seconds, session_timer
from .registry import Registry
from .talk import Listener, Talk

__all__ = ["Conversation", "Listener"]


class Conversation(Talk):
    """One such call."""

    _leg: Leg

    def __init__(self, agent: UserAgent, registry: Registry, incoming: Incoming, now: float) -> None:
        super().__init__(agent, registry, now)
        self._request = incoming.request
        self.parameters = read(self.request.get(HEADER) or "")
        """Of P-App-Param."""
        self._longest = seconds(self.parameters, "calltimer", LONGEST)
        self._timer = session_timer(self.parameters, "aleg_")
        if self._timer is not None:
            agree(self.request, self._timer)
        self._incoming: Incoming | None = incoming
        self._leg = Leg.answering(incoming.request, self.tag).join(agent, self)
        self._leg.invited = incoming
        incoming.leg, incoming.user = self._leg, self
        registry.add(self.tag, self)

    @property
    def application(self) -> str:
        """The name by which it was called."""
        return self.request.get("p-app-name") or ""

    @property
    def request(self) -> Request:
        """The INVITE: whom it is for, who calls, what it offers."""
        return self._request

    @property
    def offer_of_caller(self) -> bytes:
        """The session description that the INVITE brought; empty: ours has to come first."""
        return self.request.body

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be said."""
        return not self._leg.is_alive or self._leg.farewell is not None

    # Verbs

    def progress(
        self, now: float, session: bytes = b"", status: int = 183, reason: str | None = None
    ) -> None:
        """Answer provisionally, with early media if there is a session description."""
        if self._incoming is None:
            return
        answer = self._answer(status, reason, session)
        if OPTION in options_of(self.request, "require"):
            self._incoming.promise(answer, now)
        else:
            self._incoming.respond(answer, now)

    def answer(self, session: bytes, now: float, lines: Sequence[str] = ()) -> None:
        """Answer with 200; `acknowledged` tells when the caller knows."""
        incoming, self._incoming = self._incoming, None
        if incoming is None:
            return
        self._is_answered = True
        policy, leg = self._timer, self._leg
        if policy is not None:
            leg.timer = Refreshing(leg, policy)
            lines = (*lines, *leg.timer.answer(self.request, now))
        incoming.respond(self._answer(200, None, session, lines), now)
        self.at(now + self._longest, self.hang_up)

    def refuse(self, status: int, now: float, reason: str | None = None, lines: Sequence[str] = ()) -> None:
        """Answer with a failure, before or behind early media; that is the end."""
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.respond(self._answer(status, reason, b"", lines), now)
            self._end(now)

    # From the caller

    def requested(self, leg: Leg, incoming: Incoming, now: float) -> None:
        """Serve a request in the dialog."""
        if incoming.request.method == "BYE" and self._incoming is not None:
            incoming.respond(Answer(200), now)
            self.refuse(487, now)
        elif incoming.request.method == "PRACK":
            self._prack(leg, incoming, now)
        else:
            super().requested(leg, incoming, now)

    def cancelled(self, incoming: Incoming, reasons: Sequence[str], now: float) -> None:
        """End a call that the caller took back."""
        self.refuse(487, now)

    def unacknowledged(self, incoming: Incoming, now: float) -> None:
        """End a call whose caller is gone."""
        if self._incoming is not None:
            self.refuse(504, now)
        else:
            self.hang_up(now)

    def _prack(self, leg: Leg, incoming: Incoming, now: float) -> None:
        promises = None if leg.invited is None else leg.invited.promises
        if promises is None or promises.keep(RAck.parse(incoming.request.first("rack"))) is None:
            incoming.refuse(481, now)
        else:
            incoming.respond(Answer(200), now)
            promises.go_on(now)

    def _answer(self, status: int, reason: str | None, session: bytes, lines: Sequence[str] = ()) -> Answer:
        return self._build(self._leg, status, session, lines)._replace(reason=reason)
