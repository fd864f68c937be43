"""Click to dial: two parties are called in turn and joined (third-party call control, RFC 3725).

The first one is asked for its session and told to wait; that is the offer to the second one, whose answer is
the first one's next offer. Its 200 cannot wait for a phone that rings (§4.1), so its ACK does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from ngcp.service.commands import Json
from ngcp.sip.core.challenge import Secret
from ngcp.sip.core.leg import Leg
from ngcp.sip.core.uac import Outgoing
from ngcp.sip.core.uas import Incoming
from ngcp.sip.errors import InvalidUri
from ngcp.sip.syntax import NameAddr, Request, Response, Uri
from ngcp.sip.transaction.timers import Alarm
from ngcp.voice.parameters import LONGEST
from ngcp.voice.session import NotAcceptableHere, wait

from .exchange import Exchange
from .joining import SDP, join
from .profile import EXECUTE, REFUSE
from .terms import Terms

if TYPE_CHECKING:
    from .sbc import Sbc

#: Names of the application: the proxy does not believe it who calls, but asks for the password.
NAMES: Final = ("click2dial", "click2dial2")
#: Seconds within which both have to answer; the proxy gives up before.
LONGEST_RING: Final = 600.0


@dataclass(frozen=True, slots=True)
class Order:
    """Who is to be connected with whom."""

    caller: str
    """URI of the subscriber in whose name both are called."""
    callee: str
    """URI of who is called second, as the first one would have dialled it."""
    first: str
    """Request-URI of the first INVITE."""
    second: str
    """Request-URI of the second."""
    secret: Secret
    """Of the subscriber."""

    @classmethod
    def read(cls, uris: Sequence[str], secret: Secret) -> Self:
        """Take the URIs as `dial_auth_b2b` has them, or raise `InvalidUri`."""
        caller, callee, first, second = (str(_place(text)) for text in uris)
        return cls(caller, callee, first, second, secret)


def _place(text: str) -> Uri:
    """Read a URI; `;sw_domain` says the domain where the host is the proxy's."""
    uri = Uri.parse(text)
    if uri.scheme != "sip" or not uri.user or uri.headers is not None or not text.isprintable():
        raise InvalidUri(text)
    domain = uri.params.pop("sw_domain", None)
    return uri if domain is None else Uri.parse(str(replace(uri, host=domain, port=None)))


class Dial(Exchange):
    """One such call (a `ngcp.sip.core.leg.Caller`)."""

    __slots__ = ("_alarm", "_asked", "_began", "_call_id", "_is_joined", "_is_over", "_legs", "_order", "tag")

    def __init__(self, sbc: "Sbc", order: Order, now: float) -> None:
        """Call the first one."""
        super().__init__(sbc, Terms(refer=REFUSE if sbc.refer == EXECUTE else ""))
        agent = sbc.agent
        self._order = order
        self._began = now
        self._asked: list[Outgoing] = []
        """The INVITEs that made the legs."""
        self._legs: list[Leg] = []
        self._is_joined = self._is_over = False
        self._call_id = agent.ids()
        self.tag = agent.ids()
        self._alarm: Alarm = agent.at(now + LONGEST_RING, self.end)
        sbc.registry.add(self.tag, self)
        self._invite(order.first, order.caller, b"", now)

    @property
    def application(self) -> str:
        """The name of what serves it."""
        return NAMES[0]

    def describe(self, now: float) -> dict[str, Json]:
        """Return what operators see of it."""
        return {
            "call_id": self._call_id,
            "from": self._order.caller,
            "to": self._order.callee,
            "state": "answered" if self._is_joined else "ringing" if self._legs else "calling",
            "seconds": round(now - self._began, 1),
        }

    def _invite(self, uri: str, to: str, session: bytes, now: float) -> None:
        agent, place = self.sbc.agent, len(self._asked)
        proxy = NameAddr.parse(self.sbc.proxy, "Route").address
        branch = agent.new_branch()
        lines = (
            f"Via: {agent.via(branch)}",
            f"Route: {self.sbc.proxy}",
            "Max-Forwards: 70",
            f"From: <{self._order.caller}>;tag={agent.ids()}",
            f"To: <{to}>",
            f"Call-ID: {self._call_id}-{place + 1}",
            "CSeq: 1 INVITE",
            self.sbc.contact,
            self.sbc.allow,
            f"P-App-Name: {NAMES[0]}",
            *((SDP,) if session else ()),
            f"Content-Length: {len(session)}",
        )
        request = Request("INVITE", uri, lines, session)
        outgoing = agent.send(request, agent.flow_to(proxy), branch, partial(self._hear, place), now)
        outgoing.secret = self._order.secret
        self._asked.append(outgoing)

    def _hear(self, place: int, response: Response, now: float) -> None:
        """Take an answer to the first (0) or the second INVITE."""
        if response.status >= 300:
            if len(self._legs) == place:
                self.end(now)
        elif response.status >= 200:
            outgoing = self._asked[place]
            leg = Leg.answered(outgoing.request, response).join(self.sbc.agent, self)
            leg.secret, leg.session = self._order.secret, response.body
            is_wanted = self._acknowledge(leg, outgoing)
            if self._is_over or len(self._legs) > place:  # too late, or the second phone that answers
                leg.hang_up(now)
            else:
                self._legs.append(leg)
                if is_wanted:
                    self._go_on(now)
                else:
                    self.end(now)

    def _acknowledge(self, leg: Leg, outgoing: Outgoing) -> bool:
        """Acknowledge a 2xx, with an answer if it offers (§6); whether there is a session to talk about."""
        if outgoing.request.body:
            leg.acknowledge(outgoing)
            return bool(leg.session)
        try:
            session = wait(leg.session, int(self._began))
        except NotAcceptableHere:
            leg.acknowledge(outgoing)
            return False
        leg.acknowledge(outgoing, (SDP,), session)
        return True

    def _go_on(self, now: float) -> None:
        """Call the second one, or join both."""
        first = self._legs[0]
        if len(self._legs) == 1:
            self._invite(self._order.second, self._order.callee, first.session, now)
        else:
            join(first, self._legs[1], self.sbc.contact, self._joined, now)

    def _joined(self, response: Response | None, now: float) -> None:
        if self._is_over:
            return
        if response is None or response.status >= 300:
            self.end(now)
            return
        first, second = self._legs
        first.twin, second.twin = second, first
        self._is_joined = True
        self.sbc.agent.forget(self._alarm)
        self._alarm = self.sbc.agent.at(now + LONGEST, self.end)

    def requested(self, leg: Leg, incoming: Incoming, now: float) -> None:
        """Ask the other side, if there is one; before, sessions are ours to change (RFC 3261 §14.2)."""
        method = incoming.request.method
        if leg.twin is None and method in ("INVITE", "UPDATE"):
            incoming.refuse(491, now)
        elif leg.twin is None and method != "BYE":
            incoming.refuse(480, now)
        else:
            super().requested(leg, incoming, now)

    def end(self, now: float, by: Leg | None = None, lines: Sequence[str] = ()) -> None:
        """End the call on both sides; `by` whom it was ended is not told."""
        if self._is_over:
            return
        self._is_over = True
        for outgoing in self._asked:
            if not outgoing.is_answered:
                outgoing.cancel(now)
        if by is not None:
            by.leave(now)
        for leg in self._legs:
            leg.twin = None
            if leg.is_alive:
                leg.hang_up(now, lines)
        self.sbc.agent.forget(self._alarm)
        self.sbc.registry.forget(self.tag)
