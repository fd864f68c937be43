"""The response context of one relayed request: it collects what the branches answer (RFC 3261 §16.7)."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from ..syntax.message import Request, Response
from ..transaction import ServerTransaction, Transaction, TransactionLayer
from ..transaction.matching import COOKIE
from ..transport.flow import Flow
from .branch import Branch
from .decision import Relay, Target
from .forwarding import add_challenges, best, restore_via

#: RFC 3326: a phone that reads this lists no missed call.
ELSEWHERE: Final = ('SIP;cause=200;text="Call completed elsewhere"',)
#: Distinct 2xx of one branch: it may fork again downstream, but no one forks that far.
MAX_ACCEPTED: Final = 16


@dataclass(slots=True, eq=False)
class Incoming:
    """A new request, to be decided with `StatefulProxy.execute`."""

    transaction: ServerTransaction | None
    """None for the ACK of a 2xx, which has no transaction: relay or drop it, it has no answer."""
    request: Request
    """Its topmost Via already tells `received` and `rport`."""
    flow: Flow
    context: "Context | None" = None
    """What a Relay made of it."""
    is_cancelled: bool = False
    """Whether the caller gave up before the decision."""


@dataclass(slots=True, eq=False)
class Returning:
    """A response that must go upstream now: provisional, 2xx, or the best final one (§16.7).

    Its topmost Via is the upstream one. The daemon may edit it before `StatefulProxy.forward`.
    """

    context: "Context"
    branch: Branch | None
    """None where no branch existed: cancelled before it was relayed."""
    response: Response
    to: str = ""
    """Its To as the branch wrote it, by which a retransmission is known."""


@dataclass(slots=True, eq=False)
class Forsaken:
    """A target was silent, unreachable or answered 503, and one of its spares is asked instead."""

    context: "Context"
    flow: Flow
    is_silent: bool
    """Whether it never answered this request."""


@dataclass(slots=True, eq=False)
class Ended:
    """Nothing more comes from this context, not even a retransmission: forget it."""

    context: "Context"


ProxyEvent = Incoming | Returning | Forsaken | Ended


@dataclass(slots=True, eq=False)
class Element:
    """What the contexts of one proxy share."""

    layer: TransactionLayer
    ids: Callable[[], str]
    branches: dict[Transaction, Branch] = field(default_factory=dict)
    events: deque[ProxyEvent] = field(default_factory=deque)

    def new_branch(self) -> str:
        """Name a branch (§8.1.1.7)."""
        return COOKIE + self.ids()

    def answer(self, request: Request, status: int, reason: str | None = None) -> Response:
        """Build an answer of our own."""
        return self.layer.answer(request, status, reason, self.ids())


class Context:
    """One relayed request, its branches and what they answered."""

    def __init__(
        self, element: Element, incoming: Incoming, transaction: ServerTransaction, relay: Relay
    ) -> None:
        self.incoming = incoming
        self.transaction = transaction
        """The server transaction, towards the caller."""
        self.branches: list[Branch] = []
        self.round = 0
        """How often others were asked instead."""
        self._element = element
        self._hides_path = relay.hides_path
        self._is_invite = incoming.request.method == "INVITE"
        self._prepared: Request
        self._take(relay)
        self._alive = 1  # the server transaction; each branch adds its own
        self.deadline = math.inf
        """When nobody may ring any more."""

    def _take(self, relay: Relay) -> None:
        """Plan to ask its targets."""
        self._timer_c, self._limit, self._stops = relay.timer_c, relay.limit, relay.stops
        self._waiting = _by_preference(relay.targets)
        self._is_decided = False

    # Requests downstream

    def start(self, prepared: Request, now: float) -> None:
        """Send `prepared` to the first targets; if the caller gave up meanwhile, answer 487 instead."""
        self._prepared = prepared
        self.deadline = now + self._limit
        if self.incoming.is_cancelled:
            self._decide(None, self._element.answer(self.incoming.request, 487))
        else:
            self._fork(now)

    def resume(self, relay: Relay, prepared: Request, now: float) -> None:
        """Ask further targets instead of telling the caller that those before failed (§16.7 step 4)."""
        self.branches = []  # one that a late 2xx comes from is found without this list
        self.round += 1
        self._take(relay)
        self.start(prepared, now)

    def _fork(self, now: float) -> None:
        *others, last = self._waiting.pop(0)
        for target in others:
            self._send(self._prepared.copy(), target, now)
        if self._waiting:
            self._send(self._prepared.copy(), last, now)
        else:  # nothing is forwarded again: the last branch may keep what all were made of
            prepared = self._prepared
            del self._prepared
            self._send(prepared, last, now)

    def _send(self, prepared: Request, target: Target, now: float) -> None:
        element = self._element
        branch = Branch(self, target, element.layer)
        self.branches.append(branch)
        transaction = branch.start(prepared, element.new_branch(), self._timer_c, now)
        element.branches[transaction] = branch
        self._alive += 1

    def cancel(self, reasons: Sequence[str], now: float) -> None:
        """Cancel what is still unanswered; the branches' 487 will answer the caller (§16.10)."""
        self._waiting.clear()
        for branch in self.branches:
            branch.cancel(reasons, now)

    # Responses upstream

    def receive(self, branch: Branch, response: Response, now: float) -> None:
        """Take a branch's response (§16.7)."""
        branch.note(response, now)
        response.pop_first("Via")
        if self._hides_path and response.status > 100:
            restore_via(response, self.incoming.request)
        if response.status < 200:
            self._receive_provisional(branch, response)
        elif "via" not in response:  # §16.7 step 3: it is for nobody behind us, yet the branch is over
            self.fail(branch, 502, now)
        elif response.status < 300:
            self._receive_success(branch, response, now)
        elif branch.final is not None:
            return  # it was given up before
        elif response.status == 487 and branch.has_rung_out:
            self.fail(branch, 408, now)
        else:
            self._receive_failure(branch, response, now)

    def _receive_provisional(self, branch: Branch, response: Response) -> None:
        # 100 goes one hop only; a non-INVITE has no other provisional response (RFC 4320 §4.1).
        is_wanted = self._is_invite and not self._is_decided and branch.final is None
        if response.status > 100 and "via" in response and is_wanted:
            self._element.events.append(Returning(self, branch, response))

    def _receive_success(self, branch: Branch, response: Response, now: float) -> None:
        to = response.first("to")
        if to in branch.accepted:
            self._repeat(branch.accepted[to], now)
        elif len(branch.accepted) < MAX_ACCEPTED and (self._is_invite or not self._is_decided):
            branch.accepted[to] = None
            branch.final = response
            self.cancel(ELSEWHERE, now)
            self._decide(branch, response)

    def _repeat(self, forwarded: Response | None, now: float) -> None:
        """Answer a retransmitted 2xx with what the first one became; one still at the daemon's goes later."""
        if forwarded is not None:
            self.transaction.respond(forwarded, now)

    def _receive_failure(self, branch: Branch, response: Response, now: float) -> None:
        branch.final = response
        if response.status >= 600 or response.status in self._stops:
            self.cancel((), now)
        self._conclude_branch(branch, response.status, now)

    def fail(self, branch: Branch, status: int, now: float) -> None:
        """Count a branch without a usable answer as answered with 408, 502 or 503 (§16.8, §16.9)."""
        branch.settle()
        if branch.final is not None:
            return
        if status in (408, 503) and self.incoming.is_cancelled:
            status = 487
        branch.final = self._element.answer(self.incoming.request, status)
        self._conclude_branch(branch, status, now)

    def _conclude_branch(self, branch: Branch, status: int, now: float) -> None:
        """Let a spare take the place of a branch that nobody served; else see what all branches came to."""
        is_open = not (self._is_decided or self.incoming.is_cancelled)
        if status == 503 and branch.target.spares and is_open:
            self._element.events.append(Forsaken(self, branch.target.flow, not branch.is_heard))
            self._send(*branch.succession(), now)
        else:
            self._conclude(now)

    def _conclude(self, now: float) -> None:
        """Once every branch failed, try the next targets or choose the best answer (§16.7 step 6)."""
        finals = [branch.final for branch in self.branches if branch.final is not None]
        if self._is_decided or len(finals) < len(self.branches):
            return
        if self._waiting and now < self.deadline:
            self._fork(now)
            return
        index = best(finals)
        if finals[index].status == 408 and not self._is_invite:
            self._is_decided = True
            self.transaction.abandon(now)  # RFC 4320 §4.2: it could only come too late
            return
        add_challenges(finals[index], finals)
        self._decide(self.branches[index], finals[index])

    def _decide(self, branch: Branch | None, response: Response) -> None:
        self._is_decided = True
        self._element.events.append(Returning(self, branch, response, response.get("to") or ""))

    def forward(self, returning: Returning, now: float) -> None:
        """Send a response upstream (§16.7 step 9)."""
        response, branch = returning.response, returning.branch
        if branch is not None and 200 <= response.status < 300:
            branch.accepted[returning.to] = response
            if branch.round < self.round:  # one that was given up, while others are asked
                self.cancel(ELSEWHERE, now)
        self.transaction.respond(response, now)

    def note_end(self) -> None:
        """Learn that the server transaction or a branch's client transaction is gone."""
        self._alive -= 1
        if self._alive == 0:
            self.branches.clear()  # they and the request know this context: without that, memory would
            self.incoming.context = None  # come back only when the garbage collector looks, which is rarely
            self._element.events.append(Ended(self))


def _by_preference(targets: Sequence[Target]) -> list[list[Target]]:
    """Group targets of equal q, highest q first, otherwise in their order (§16.6)."""
    if len(targets) == 1:
        return [list(targets)]
    ordered = sorted(targets, key=lambda target: -target.q)
    return [list(group) for _, group in groupby(ordered, key=lambda target: target.q)]
