"""A dialog that an INVITE made, as a user agent lives in it (RFC 3261 §12 to §15)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Self

from ..dialog import Dialog
from ..syntax.message import Request, Response
from ..transport.flow import Flow
from .challenge import Secret
from .uac import Heard, Outgoing
from .uas import Incoming

if TYPE_CHECKING:
    from .agent import UserAgent
    from .refreshing import Refreshing


class Caller(Protocol):
    """Whoever uses a leg: a call."""

    def requested(self, leg: "Leg", incoming: Incoming, now: float) -> None:
        """Answer, now or later, a request that the peer sent in the dialog."""

    def acknowledged(self, leg: "Leg", incoming: Incoming, ack: Request, now: float) -> None:
        """Take the ACK of our 2xx to an INVITE."""

    def cancelled(self, incoming: Incoming, reasons: Sequence[str], now: float) -> None:
        """Give an INVITE that the peer took back its final answer (§9.2)."""

    def lost(self, leg: "Leg", now: float) -> None:
        """End a session whose peer is gone (RFC 4028 §10)."""

    def unacknowledged(self, incoming: Incoming, now: float) -> None:
        """End a session whose 2xx nobody acknowledged (§13.3.1.4)."""


class Leg(Dialog):
    """One dialog of a user agent, from the first answer with a tag until it is left."""

    __slots__ = (
        "agent",
        "farewell",
        "flow",
        "invited",
        "inviting",
        "is_owner",
        "rseq",
        "secret",
        "session",
        "timer",
        "twin",
        "user",
    )

    agent: "UserAgent"
    """Whose it is."""
    user: Caller
    farewell: Sequence[str] | None
    """Lines of a BYE that waits for an ACK (§15)."""
    flow: Flow
    """How requests leave."""
    invited: Incoming | None
    """The peer's INVITE that is not answered or not acknowledged."""
    inviting: Outgoing | None
    """Our INVITE that has no final answer."""
    is_owner: bool
    """Whether the Call-ID is ours (§14.1)."""
    rseq: int
    """Of the peer's last reliable provisional answer (RFC 3262)."""
    session: bytes
    """The session description that the peer sent last, where its user keeps it."""
    secret: Secret | None
    """Who we are to the peer."""
    timer: "Refreshing | None"
    """Keeps it alive."""
    twin: "Leg | None"
    """The leg of the other side that this one stands for, where its user has two."""

    def join(self, agent: "UserAgent", user: Caller) -> Self:
        """Be found by requests from now on."""
        self.agent, self.user = agent, user
        self.flow = agent.flow_to(self.next_hop)
        self.invited = self.inviting = self.twin = self.timer = None
        self.farewell = self.secret = None
        self.session = b""
        self.is_owner, self.rseq = self.local_cseq > 0, 0
        agent.legs[self.id] = self
        return self

    def leave(self, now: float) -> None:
        """Be found no more: what comes then is answered with 481, what is still open with 487."""
        self.agent.legs.pop(self.id, None)
        self.twin = None
        if self.timer is not None:
            self.timer.stop()
            self.timer = None
        if self.invited is not None:
            self.invited.acknowledge()
            self.invited.refuse(487, now)

    @property
    def is_alive(self) -> bool:
        """Whether it can still be found."""
        return self.agent.legs.get(self.id) is self

    def pause(self) -> float:
        """Return the seconds to wait after a 491 (§14.1)."""
        share = self.agent.draw()
        return 2.1 + 1.9 * share if self.is_owner else 2.0 * share

    def settle(self, response: Response) -> None:
        """Take target and route from the 2xx that confirms the dialog (§13.2.2.4)."""
        self.learn(response)
        self.flow = self.agent.flow_to(self.next_hop)

    def send(
        self, method: str, heard: Heard, now: float, lines: Sequence[str] = (), body: bytes = b""
    ) -> Outgoing:
        """Send a request in the dialog; `heard` is told what comes of it."""
        agent = self.agent
        branch = agent.new_branch()
        request = self.request(method, agent.via(branch), lines, body)
        outgoing = agent.send(request, self.flow, branch, heard, now)
        outgoing.leg, outgoing.secret = self, self.secret
        if method == "INVITE":
            self.inviting = outgoing
        return outgoing

    def acknowledge(self, outgoing: Outgoing, lines: Sequence[str] = (), body: bytes = b"") -> None:
        """Acknowledge the 2xx of our INVITE (§13.2.2.4)."""
        agent = self.agent
        number = outgoing.request.cseq.number
        ack = self.request("ACK", agent.via(agent.new_branch()), lines, body, number)
        outgoing.acknowledge(self.tags[1], ack, self.flow)
        self.inviting = None

    def hang_up(self, now: float, lines: Sequence[str] = ()) -> None:
        """Send BYE and leave; a 2xx that waits for its ACK, on either side, gets it before (§15)."""
        if self.invited is not None and self.invited.is_unacknowledged:
            self.farewell = lines
            if self.timer is not None:
                self.timer.stop()
            return
        if self.inviting is not None and self.inviting.is_accepted:
            self.acknowledge(self.inviting)
        self.leave(now)
        self.send("BYE", _unheard, now, lines)

    def refresh_target(self, message: Request | Response) -> None:
        """Take the peer's new Contact (§12.2)."""
        before = self.target
        self.refresh(message)
        if self.target != before and not self.routes:
            self.flow = self.agent.flow_to(self.target)


def _unheard(response: Response, now: float) -> None:
    """Whatever comes of a BYE, the session is over (§15.1.1)."""
