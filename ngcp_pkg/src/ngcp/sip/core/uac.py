"""What a user agent client does with one request (RFC 3261 §8.1, §9.1, §13.2): CANCEL, ACK of 2xx."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from ..syntax.message import Request, Response
from ..transaction import ClientTransaction, State
from ..transaction.derived import cancel_for
from ..transaction.timers import T1
from ..transport.flow import Flow
from .challenge import CHALLENGES, Secret, respond

if TYPE_CHECKING:
    from .agent import UserAgent
    from .leg import Leg

#: Hears each answer to a request, once; a time-out is a 408, a flow that fails a 503 (§8.1.3.1).
Heard = Callable[[Response, float], None]

#: Seconds that a cancelled INVITE may take for its final answer (§9.1).
CANCELLED: Final = 64 * T1
_ANSWERED: Final = frozenset({State.COMPLETED, State.ACCEPTED, State.TERMINATED})
#: Distinct 2xx of one INVITE: nobody forks that far.
MAX_ACCEPTED: Final = 16


class Outgoing:
    """A request of ours until its transaction is over: of an INVITE, that is 32 s after the 2xx."""

    __slots__ = (
        "_accepted",
        "_agent",
        "_heard",
        "_reasons",
        "_rings",
        "flow",
        "leg",
        "request",
        "secret",
        "transaction",
    )

    def __init__(self, agent: "UserAgent", request: Request, flow: Flow, heard: Heard) -> None:
        self._agent = agent
        self._heard: Heard | None = heard
        self._accepted: dict[str, tuple[bytes, Flow] | None] | None = None
        """ACKs by the To tag of the 2xx; None as long as there is none to send."""
        self._reasons: Sequence[str] | None = None
        """Why it was cancelled; None: it was not."""
        self._rings = False
        self.request = request
        self.flow = flow
        self.leg: Leg | None = None
        """Of a request in a dialog: that one."""
        self.secret: Secret | None = None
        """Who we are, where it is challenged."""
        self.transaction: ClientTransaction

    @property
    def is_cancelled(self) -> bool:
        """Whether it was taken back."""
        return self._reasons is not None

    def cancel(self, now: float, reasons: Sequence[str] = ()) -> None:
        """Take an INVITE back, as soon as that is allowed (§9.1); `reasons` say why (RFC 3326)."""
        if self._reasons is None:
            self._reasons = reasons
            if self._rings:
                self._send_cancel(now)

    @property
    def is_answered(self) -> bool:
        """Whether its final answer came."""
        return self.transaction.state in _ANSWERED

    @property
    def is_accepted(self) -> bool:
        """Whether a 2xx came."""
        return self._accepted is not None

    def acknowledge(self, tag: str, ack: Request, flow: Flow) -> None:
        """Send the ACK of the 2xx with this To tag, and again whenever that 2xx comes again (§13.2.2.4)."""
        data = bytes(ack)
        self._agent.layer.send(data, flow)
        if self._accepted is not None:
            self._accepted[tag] = data, flow

    def receive(self, response: Response, now: float) -> None:
        """Take an answer."""
        if self.request.method == "INVITE" and not self._is_news(response, now):
            return
        if response.status in CHALLENGES and self._authenticate(response, now):
            return
        self._tell(response, now)

    def resume(self, heard: Heard) -> None:
        """Let somebody else hear what comes from now on, or the same again behind a failure."""
        self._heard = heard

    def again(self, headers: Iterable[tuple[str, str]], now: float) -> None:
        """Send the request once more, as another one that has these headers (§8.1.3.5, §22.2)."""
        request, agent = self.request.copy(), self._agent
        if self.leg is None:
            number = request.cseq.number + 1
        else:
            self.leg.local_cseq = number = self.leg.local_cseq + 1
        branch = agent.new_branch()
        request.set("CSeq", f"{number} {request.method}")
        request.set("Via", agent.via(branch))
        for name, value in headers:
            request.set(name, value)
        self.request = request
        self._rings = False
        agent.start(self, branch, now)

    def _authenticate(self, response: Response, now: float) -> bool:
        """Answer a challenge, once, unless nobody waits any more."""
        secret, self.secret = self.secret, None
        if secret is None or self.is_cancelled:
            return False
        answer = respond(response, self.request, secret, self._agent.ids())
        if answer is None:
            return False
        self.again((answer,), now)
        return True

    def fail(self, status: int, now: float) -> None:
        """Learn that no answer will come."""
        self._tell(self.request.reply(status), now)

    def end(self) -> None:
        """Learn that the transaction is gone."""
        self._heard = None

    def _tell(self, response: Response, now: float) -> None:
        heard = self._heard
        if heard is not None:
            if response.status >= 300:
                self._heard = None
                if self.leg is not None and self.leg.inviting is self:
                    self.leg.inviting = None
            heard(response, now)

    def _is_news(self, response: Response, now: float) -> bool:
        if response.status < 200:
            if not self._rings:
                self._rings = True
                if self._reasons is not None:
                    self._send_cancel(now)
            return True
        if response.status >= 300:
            return True
        if self._accepted is None:
            self._accepted = {}
        tag = response.to.tag or ""
        if tag not in self._accepted:
            if len(self._accepted) >= MAX_ACCEPTED:
                return False
            self._accepted[tag] = None
            return True
        ack = self._accepted[tag]
        if ack is not None:
            self._agent.layer.send(*ack)
        return False

    def _send_cancel(self, now: float) -> None:
        if self.transaction.state is not State.PROCEEDING:  # §9.1: it would have no effect
            return
        cancel = cancel_for(self.request)
        for reason in self._reasons or ():
            cancel.append("Reason", reason)
        self._agent.layer.request(cancel, self.flow, self.transaction.branch, now)
        self._agent.at(now + CANCELLED, self._give_up)

    def _give_up(self, now: float) -> None:
        if self.transaction.state is State.PROCEEDING:
            self.transaction.abandon(now)
            self.fail(408, now)
