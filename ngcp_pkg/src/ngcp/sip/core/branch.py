"""One branch of a forked request: client transaction, CANCEL, timer C, spares (RFC 3261 §16.8, §16.10)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..syntax.message import Request, Response
from ..transaction.derived import cancel_for
from ..transaction.layer import TransactionLayer
from ..transaction.machine import ClientTransaction
from ..transaction.timers import T1, Alarm, Timer
from .decision import Target
from .forwarding import branch_request

if TYPE_CHECKING:
    from .context import Context

#: §9.1: how long a cancelled INVITE may stay without a final response.
CANCEL_WAIT: Final = 64 * T1
#: How long one that rang too long may take to heed its CANCEL until others are asked.
GRACE: Final = 4 * T1


class Branch:
    """Where one target stands; its context decides what its answers mean."""

    def __init__(self, context: "Context", target: Target, layer: TransactionLayer) -> None:
        self.context = context
        self.target = target
        self.round = context.round
        """The context's, when it began."""
        self.final: Response | None = None
        """The final response, received or made here (408, 503); its topmost Via is the upstream one."""
        self.has_rung_out = False
        """Whether timer C, not the caller, cancelled this branch: its 487 then means 408."""
        self.is_heard = False
        """Whether any response came."""
        self.accepted: dict[str, Response | None] = {}
        """2xx of an INVITE by their To: None until forwarded, then what was forwarded."""
        self._layer = layer
        self._transaction: ClientTransaction
        self._cancel: Sequence[str] | None = None
        self._is_cancel_sent = False
        self._timer_c = 0.0
        self._alarm: Alarm | None = None
        self._due = 0.0

    def start(self, prepared: Request, name: str, timer_c: float, now: float) -> ClientTransaction:
        """Send the request, `name` in its Via; an INVITE may ring for `timer_c` seconds."""
        request = branch_request(prepared, self.target, name)
        self._transaction = self._layer.request(request, self.target.flow, name, now)
        if request.method == "INVITE":
            self._timer_c = timer_c
        if self.target.patience or self._timer_c:
            self._wait_until(min(now + (self.target.patience or timer_c), self.context.deadline))
        return self._transaction

    def succession(self) -> tuple[Request, Target]:
        """Hand over, once, what another branch is to send and where: to the first of the spares."""
        spare, *others = self.target.spares
        successor = replace(self.target, flow=spare, route=(), spares=tuple(others))
        self.target = replace(self.target, spares=())
        request = self._transaction.request.copy()  # the route is in it
        request.pop_first("Via")
        return request, successor

    def note(self, response: Response, now: float) -> None:
        """Let timer C and a waiting CANCEL know of a response (§16.7 step 2, §9.1)."""
        is_first, self.is_heard = not self.is_heard, True
        if response.status >= 200:
            self.settle()
            return
        if self._cancel is not None:
            self._send_cancel(now)
        elif self._timer_c:
            if is_first or response.status > 100:
                self._due = min(now + self._timer_c, self.context.deadline)
        else:
            self.settle()  # it lives: how long it takes is the transaction's matter

    def settle(self) -> None:
        """Stop waiting: a final response is there."""
        if self._alarm is not None:
            self._layer.alarms.cancel(self._alarm)
            self._alarm = None

    def cancel(self, reasons: Sequence[str], now: float) -> None:
        """Cancel an unanswered INVITE, as soon as it had a provisional response; `reasons` as in RFC 3326."""
        if self.final is None and self._cancel is None and self._transaction.request.method == "INVITE":
            self._cancel = reasons
            if self.is_heard:
                self._send_cancel(now)

    def _send_cancel(self, now: float) -> None:
        if self._is_cancel_sent:
            return
        self._is_cancel_sent = True
        cancel = cancel_for(self._transaction.request)
        for reason in self._cancel or ():
            cancel.append("Reason", reason)
        self._layer.request(cancel, self.target.flow, self._transaction.branch, now)
        self._wait_until(now + (GRACE if self.has_rung_out else CANCEL_WAIT))

    def _wait_until(self, due: float) -> None:
        self._due = due
        self.settle()
        self._alarm = self._layer.alarms.set(self, Timer.C, due)

    def wake(self, timer: Timer, now: float) -> None:
        """Act when the target is silent, rang too long, or heeds no CANCEL (§16.8, §9.1)."""
        if now < self._due:  # a provisional response moved it; setting it anew for each would cost more
            self._alarm = self._layer.alarms.set(self, timer, self._due)
        elif self.target.patience and not self.is_heard:
            self.cancel((), now)  # should it live after all
            self._transaction.hush()
            self.context.fail(self, 503, now)
        elif self.has_rung_out and self.final is None:
            self.context.fail(self, 408, now)  # a 2xx that still comes is passed on
            if self._is_cancel_sent:
                self._wait_until(now + CANCEL_WAIT)
        elif self._is_cancel_sent:
            self._transaction.abandon(now)
            self.context.fail(self, 408, now)
        else:
            self.has_rung_out = True
            self._wait_until(now + GRACE)
            self.cancel((), now)
