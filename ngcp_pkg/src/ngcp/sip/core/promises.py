"""Provisional responses that are sent until their PRACK comes, one after the other (RFC 3262 §3)."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..dialog.reliability import OPTION, RAck
from ..syntax.message import Response
from ..transaction.timers import T1, Alarm

if TYPE_CHECKING:
    from .agent import UserAgent
    from .uas import Incoming

#: Seconds after which a PRACK comes no more (§3).
PATIENCE: Final = 64 * T1
#: Answers that wait for a PRACK: a peer that sends none must not fill the memory.
MAX_WAITING: Final = 16


class Promises:
    """What one INVITE was promised."""

    __slots__ = (
        "_agent",
        "_alarm",
        "_current",
        "_incoming",
        "_interval",
        "_origin",
        "_rseq",
        "_until",
        "_waiting",
    )

    def __init__(self, agent: "UserAgent", incoming: "Incoming") -> None:
        self._agent = agent
        self._incoming = incoming
        self._rseq = 0
        self._current: Response | None = None
        self._origin: RAck | None = None
        self._interval = T1
        self._until = 0.0
        self._alarm: Alarm | None = None
        self._waiting: deque[Callable[[float], None]] = deque()

    @property
    def is_open(self) -> bool:
        """Whether a PRACK is missing."""
        return self._current is not None

    def wait(self, do: Callable[[float], None]) -> None:
        """Do something once the PRACK is there."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(do)

    def make(self, response: Response, origin: RAck | None, now: float) -> None:
        """Send a response reliably; `origin` is what its PRACK says on the other leg, if on any."""
        if self.is_open:
            self.wait(lambda later: self.make(response, origin, later))
            return
        self._rseq += 1
        response.append("Require", OPTION)
        response.append("RSeq", str(self._rseq))
        self._current, self._origin = response, origin
        self._interval, self._until = T1, now + PATIENCE
        self._incoming.transaction.respond(response, now)
        self._alarm = self._agent.at(now + T1, self._repeat)

    def keep(self, rack: RAck) -> tuple[RAck | None] | None:
        """Take a PRACK and return its origin in a tuple, or None if it acknowledges nothing (§3)."""
        if self._current is None or rack.rseq != self._rseq or rack.method != "INVITE":
            return None
        if rack.number != self._incoming.request.cseq.number:
            return None
        self._close()
        return (self._origin,)

    def go_on(self, now: float) -> None:
        """Do what waited, now that the PRACK is answered."""
        while self._waiting and not self.is_open:
            self._waiting.popleft()(now)

    def drop(self) -> None:
        """Forget everything: the INVITE has its final answer."""
        self._close()
        self._waiting.clear()

    def _close(self) -> None:
        self._current = None
        if self._alarm is not None:
            self._agent.forget(self._alarm)
            self._alarm = None

    def _repeat(self, now: float) -> None:
        self._alarm = None
        if self._current is None:
            return
        if now >= self._until:
            self.drop()
            if self._incoming.user is not None:
                self._incoming.user.unacknowledged(self._incoming, now)
            return
        self._incoming.transaction.respond(self._current, now)
        self._interval *= 2
        self._alarm = self._agent.at(min(now + self._interval, self._until), self._repeat)
