"""A transfer that is executed here (RFC 3515, RFC 5589): who is left of a call is connected to somebody else.

Whoever asks for it hears by NOTIFY how it goes, and may hang up at once. The new party is offered the session
of the one who stays, then that one the new party's (RFC 3725 §4.1, with a session that is known).
"""

from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ngcp.sip.core.leg import Leg
from ngcp.sip.core.uac import Outgoing
from ngcp.sip.core.uas import Answer, Incoming
from ngcp.sip.errors import InvalidHeader
from ngcp.sip.syntax import NameAddr, Request, Response, Uri
from ngcp.sip.syntax.names import phrase

from .joining import SDP, join
from .references import find_named

if TYPE_CHECKING:
    from .bridge import Bridge

#: What is behind the Call-ID of the leg that a transfer makes; the mediator takes it off.
SUFFIX: Final = "_xfer-1"
FRAGMENT: Final = "Content-Type: message/sipfrag;version=2.0"


class Transfer:
    """One REFER, until both are connected or that failed."""

    def __init__(self, bridge: "Bridge", by: Leg, staying: Leg) -> None:
        self._bridge = bridge
        self.by = by
        """The leg of who asked."""
        self._staying = staying
        self._outgoing: Outgoing | None = None
        self._named: Leg | None = None
        """The leg of another call by which that one knows whom it wants."""
        self._is_over = False
        self._is_told = True

    def begin(self, incoming: Incoming, now: float) -> None:
        """Accept the REFER, and ask whom it names; raises `SipError` if it names nobody."""
        sbc, refer = self._bridge.sbc, incoming.request
        target = Uri.parse(NameAddr.parse(refer.first("refer-to"), "Refer-To").address)
        if target.scheme not in ("sip", "sips", "tel"):
            raise InvalidHeader("Refer-To", refer.first("refer-to"))
        self._named = self._find(target)
        self._is_told = (refer.get("refer-sub") or "").strip().lower() != "false"
        told = () if self._is_told else ("Refer-Sub: false",)
        incoming.respond(Answer(202, None, (sbc.contact, *told)), now)
        self._tell(100, now)
        session = self._staying.session
        if self._named is not None and self._named.twin is not None:
            lines = (sbc.contact, SDP)
            self._outgoing = self._named.twin.send("INVITE", self._hear, now, lines, session)
        else:
            target.headers = None
            self._outgoing = self._invite(str(target), session, now)

    def stop(self, now: float) -> None:
        """Give up: the one who should have stayed is gone, too."""
        if not self._is_over:
            self._is_over = True
            if self._outgoing is not None:
                self._outgoing.cancel(now)

    def _find(self, target: Uri) -> Leg | None:
        for text in (target.headers or "").split("&"):
            name, _, value = text.partition("=")
            if name.lower() == "replaces":
                return find_named(unquote(value), self._bridge.sbc.agent.legs)
        return None

    def _invite(self, uri: str, session: bytes, now: float) -> Outgoing:
        """Call somebody for who asked, as the proxy knows that one."""
        bridge = self._bridge
        agent = bridge.sbc.agent
        caller = NameAddr.parse(self.by.remote, "From")
        branch = agent.new_branch()
        lines = [
            f"Via: {agent.via(branch)}",
            f"Route: <{bridge.next_hop}>",
            "Max-Forwards: 70",
            f"From: {NameAddr(caller.display, caller.address)};tag={agent.ids()}",
            f"To: <{uri}>",
            f"Call-ID: {bridge.call_id}{SUFFIX}",
            "CSeq: 1 INVITE",
            bridge.sbc.contact,
            f"Referred-By: <{caller.address}>",
            SDP,
            f"Content-Length: {len(session)}",
        ]
        uuid = bridge.uuid_of(self.by)
        if uuid:
            lines.insert(-1, f"P-Caller-UUID: {uuid}")
        request = Request("INVITE", uri, lines, session)
        return agent.send(request, agent.flow_to(bridge.next_hop), branch, self._hear, now)

    def _hear(self, response: Response, now: float) -> None:
        """Take an answer of whom is asked."""
        outgoing = self._outgoing
        assert outgoing is not None, "an answer without a request"
        if response.status < 200:
            if response.status > 100:
                self._tell(response.status, now)
        elif response.status >= 300:
            if not self._is_over:
                self._fail(response.status, now)
        else:
            leg = outgoing.leg or Leg.answered(outgoing.request, response).join(
                self._bridge.sbc.agent, self._bridge
            )
            leg.session = response.body
            leg.acknowledge(outgoing)
            if self._is_over:  # too late, or the second phone that answers
                if outgoing.leg is None:
                    leg.hang_up(now)
            else:
                self._is_over = True
                self._connect(leg, now)

    def _connect(self, other: Leg, now: float) -> None:
        """Offer the session of the new one to who stays."""

        def heard(response: Response | None, later: float) -> None:
            if response is not None and response.status < 300:
                self._tell(200, later)
                self._bridge.reconnect(self.by, self._staying, other, later)
                return
            if other.is_alive:
                other.hang_up(later)
            if response is not None:
                self._fail(response.status, later)

        join(self._staying, other, self._bridge.sbc.contact, heard, now)

    def _fail(self, status: int, now: float) -> None:
        self._is_over = True
        self._tell(status, now)
        self._bridge.keep(self.by, now)

    def _tell(self, status: int, now: float) -> None:
        """Tell who asked how it goes (RFC 3515 §2.4.5)."""
        if not self._is_told or not self.by.is_alive:
            return
        state = "active;expires=180" if status < 200 else "terminated;reason=noresource"
        lines = (self._bridge.sbc.contact, "Event: refer", f"Subscription-State: {state}", FRAGMENT)
        self.by.send("NOTIFY", _unheard, now, lines, f"SIP/2.0 {status} {phrase(status)}\r\n".encode())


def _unheard(response: Response, now: float) -> None:
    """Whatever comes of a NOTIFY, the transfer goes on."""
