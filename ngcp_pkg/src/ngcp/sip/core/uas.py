"""What a user agent server does with one request (RFC 3261 §8.2, §13.3): answers, 2xx until the ACK comes."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from ..dialog.reliability import RAck
from ..errors import SipError
from ..syntax.memory import remembered_shape
from ..syntax.message import Request, Response
from ..transaction import ServerTransaction
from ..transaction.timers import T1, T2, Alarm
from .promises import Promises

if TYPE_CHECKING:
    from .agent import UserAgent
    from .leg import Caller, Leg

#: Headers beside To that an answer repeats (§8.2.6.2); one that makes a dialog repeats more (§12.1.1).
_COPIED: Final = frozenset({"via", "from", "call-id", "cseq"})
_ROUTED: Final = _COPIED | {"record-route"}
#: Seconds within which an ACK comes, or never (§13.3.1.4).
PATIENCE: Final = 64 * T1


@remembered_shape
def _copied(shape: tuple[str, ...]) -> list[int]:
    return [index for index, name in enumerate(shape) if name in _COPIED]


@remembered_shape
def _routed(shape: tuple[str, ...]) -> list[int]:
    return [index for index, name in enumerate(shape) if name in _ROUTED]


def _has_tag(request: Request) -> bool:
    """Whether To has a tag already; one that cannot be read goes back as it came."""
    try:
        return request.to.tag is not None
    except SipError:
        return True


class Answer(NamedTuple):
    """What is answered to a request."""

    status: int
    reason: str | None = None
    """None: the usual one."""
    lines: Sequence[str] = ()
    """Headers, the type of the body among them."""
    body: bytes = b""
    to: str | None = None
    """To with the tag of a dialog; without it, the answer carries a tag that belongs to nothing."""


class Incoming:
    """A request of a peer until its final answer; an INVITE until the ACK of its 2xx."""

    __slots__ = (
        "_agent",
        "_alarm",
        "_interval",
        "_ok",
        "_promises",
        "_until",
        "leg",
        "request",
        "status",
        "transaction",
        "user",
    )

    def __init__(self, agent: "UserAgent", transaction: ServerTransaction, request: Request) -> None:
        self._agent = agent
        self._alarm: Alarm | None = None
        self._interval = T1
        self._until = 0.0
        self._ok: Response | None = None
        self._promises: Promises | None = None
        self.transaction = transaction
        self.request = request
        self.leg: Leg | None = None
        """The dialog that it came in; of an INVITE that makes one, the one that accepted it."""
        self.user: Caller | None = None
        """Who hears of CANCEL and of a missing ACK."""
        self.status = 0
        """Of the last answer."""

    @property
    def is_answered(self) -> bool:
        """Whether its final answer is given."""
        return self.status >= 200

    @property
    def is_unacknowledged(self) -> bool:
        """Whether its 2xx waits for the ACK."""
        return self._ok is not None

    def respond(self, answer: Answer, now: float) -> None:
        """Send an answer; after a final one nothing happens. A 2xx waits for the PRACK that is missing."""
        if self.status >= 200:
            return
        response = self._build(answer)
        if answer.status < 200:
            self.status = answer.status
            self.transaction.respond(response, now)
        elif answer.status < 300 and self._promises is not None and self._promises.is_open:
            self._promises.wait(partial(self._finish, response))
        else:
            self._finish(response, now)

    def promise(self, answer: Answer, now: float, origin: RAck | None = None) -> None:
        """Send a provisional answer until its PRACK comes, which `promises` takes (RFC 3262)."""
        if self.status < 200:
            self.status = answer.status
            if self._promises is None:
                self._promises = Promises(self._agent, self)
            self._promises.make(self._build(answer), origin, now)

    def refuse(self, status: int, now: float, reason: str | None = None, lines: Sequence[str] = ()) -> None:
        """Answer with a failure of our own."""
        self.respond(Answer(status, reason, lines), now)

    @property
    def promises(self) -> Promises | None:
        """What was answered reliably."""
        return self._promises

    def _build(self, answer: Answer) -> Response:
        request, status, to = self.request, answer.status, answer.to
        makes_dialog = to is not None and 100 < status < 300
        head = request.lines
        places = (_routed if makes_dialog else _copied)(request.shape)
        if to is None:
            to = request.first("to")
            if status > 100 and not _has_tag(request):
                to = f"{to};tag={self._agent.ids()}"
        lines = [head[place] for place in places]
        lines += (f"To: {to}", *answer.lines, f"Content-Length: {len(answer.body)}")
        return Response(status, answer.reason, lines, answer.body)

    def _finish(self, response: Response, now: float) -> None:
        if self.status >= 200:
            return
        self.status = response.status
        self.transaction.respond(response, now)
        if self._promises is not None:
            self._promises.drop()
            self._promises = None
        if self.request.method == "INVITE":
            self._conclude(response, now)

    def acknowledge(self) -> None:
        """Learn that the ACK of the 2xx came (§13.3.1.4)."""
        self._ok = None
        if self._alarm is not None:
            self._agent.forget(self._alarm)
            self._alarm = None

    def _conclude(self, response: Response, now: float) -> None:
        if response.status < 300:
            self._ok, self._until = response, now + PATIENCE
            self._alarm = self._agent.at(now + T1, self._repeat)
        elif self.leg is not None:
            self.leg.invited = None

    def _repeat(self, now: float) -> None:
        """Send the 2xx again, whatever the transport: it goes end to end (§13.3.1.4)."""
        self._alarm = None
        if self._ok is None:
            return
        if now >= self._until:
            self._ok = None
            leg = self.leg
            if leg is not None:
                leg.invited = None
            if leg is not None and leg.farewell is not None:
                leg.hang_up(now, leg.farewell)
            elif self.user is not None:
                self.user.unacknowledged(self, now)
            return
        self.transaction.respond(self._ok, now)
        self._interval = min(2 * self._interval, T2)
        self._alarm = self._agent.at(min(now + self._interval, self._until), self._repeat)
