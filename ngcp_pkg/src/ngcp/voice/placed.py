"""A call that the node places: one leg, of which we are the caller (RFC 3261 §13.2).

The proxy brings it to whoever is called, as it does with the calls of telephones; who rings may fork.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ngcp.sip.core.agent import UserAgent
from ngcp.sip.core.leg import Leg
from ngcp.sip.core.uac import Outgoing
from ngcp.sip.syntax import NameAddr, Request, Response

from .parameters import LONGEST
from .registry import Registry
from .talk import ALLOW, Talk

#: What a call counts as failed with that nobody answered in time, and one that we took back.
TIMEOUT: Final = 408
TAKEN_BACK: Final = 487
#: The same where the answer has no session in it.
SILENT: Final = 488


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who is called, and what is said of it."""

    uri: str
    """Who is called: Request-URI and To."""
    caller: str
    """Who calls: From, without its tag."""
    application: str
    """For whom we call: the proxy is told so, and operators."""
    proxy: str
    """The proxy, a value of Route."""
    ringing: float
    """Seconds until somebody has to answer."""
    lines: tuple[str, ...] = ()
    """Headers beside the usual ones."""


class Placed(Talk):
    """One such call; it begins when `answer` has a session to offer."""

    def __init__(self, agent: UserAgent, registry: Registry, invitation: Invitation, now: float) -> None:
        super().__init__(agent, registry, now)
        self.status = 0
        """Of its final answer; 0: there is none."""
        self._invitation = invitation
        self._branch = agent.new_branch()
        self._request = self._invite()
        self._outgoing: Outgoing | None = None
        self._is_over = False
        registry.add(self.tag, self)

    @property
    def application(self) -> str:
        """The name of what it is for."""
        return self._invitation.application

    @property
    def request(self) -> Request:
        """The INVITE."""
        return self._request

    @property
    def offer_of_caller(self) -> bytes:
        """Nothing: we call, and offer."""
        return b""

    @property
    def is_over(self) -> bool:
        """Whether nothing more can be said."""
        leg = self._leg
        return self._is_over or (leg is not None and (not leg.is_alive or leg.farewell is not None))

    # Verbs

    def progress(self, now: float, session: bytes = b"") -> None:
        """Do nothing: who calls says nothing before he is answered."""

    def answer(self, session: bytes, now: float) -> None:
        """Call, and offer our session."""
        if self._outgoing is not None or self.is_over:
            return
        self._request.append("Content-Type", "application/sdp")
        self._request.set("Content-Length", str(len(session)))
        self._request.body = session
        flow = self._agent.flow_to(NameAddr.parse(self._invitation.proxy, "Route").address)
        self.at(now + self._invitation.ringing, self._give_up)
        self._outgoing = self._agent.send(self._request, flow, self._branch, self._hear, now)

    def refuse(self, status: int, now: float, reason: str | None = None) -> None:
        """Take the call back; `status` is what it counts as failed with."""
        if not self._is_answered and not self._is_over:
            self._fail(status, now)

    def hang_up(self, now: float, lines: Sequence[str] = ()) -> None:
        """End the call, answered or not."""
        if self._is_answered:
            super().hang_up(now, lines)
        else:
            self.refuse(TAKEN_BACK, now)

    # What comes of it

    def _hear(self, response: Response, now: float) -> None:
        if response.status >= 300:
            if not self._is_over:
                self._fail(response.status, now)
        elif response.status >= 200:
            self._be_answered(response, now)

    def _be_answered(self, response: Response, now: float) -> None:
        outgoing = self._outgoing
        assert outgoing is not None, "whoever answers was asked"
        leg = Leg.answered(outgoing.request, response).join(self._agent, self)
        leg.acknowledge(outgoing)
        if self._is_over or self._is_answered:  # too late, or the second phone that answers
            leg.hang_up(now)
        elif not response.body:
            leg.hang_up(now)
            self._fail(SILENT, now)
        else:
            self._leg, self._is_answered, self.status = leg, True, response.status
            self._forget_alarms()
            self.at(now + LONGEST, self.hang_up)
            if self.listener is not None:
                self.listener.acknowledged(response.body, now)

    def _give_up(self, now: float) -> None:
        self._fail(TIMEOUT, now)

    def _fail(self, status: int, now: float) -> None:
        self.status, self._is_over = status, True
        outgoing = self._outgoing
        if outgoing is not None and not outgoing.is_answered:
            outgoing.cancel(now)
        self._end(now)

    def _invite(self) -> Request:
        agent, wanted = self._agent, self._invitation
        lines = (
            f"Via: {agent.via(self._branch)}",
            f"Route: {wanted.proxy}",
            "Max-Forwards: 70",
            f"From: {wanted.caller};tag={self.tag}",
            f"To: <{wanted.uri}>",
            f"Call-ID: {agent.ids()}{agent.ids()}",
            "CSeq: 1 INVITE",
            f"Contact: {agent.contact}",
            ALLOW,
            f"P-App-Name: {wanted.application}",
            *wanted.lines,
            "Content-Length: 0",
        )
        return Request("INVITE", wanted.uri, lines)
