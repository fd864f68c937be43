"""Client and server transactions: they walk the arrows of `tables` (RFC 3261 §17.1, §17.2).

Nothing but `_fire` changes a state. Bytes, events and alarms go to the `Home` that the layer is.
"""

from collections import deque
from collections.abc import Hashable
from typing import Final, Protocol

from ..syntax.message import Request, Response
from ..transport.flow import Flow
from .derived import ack_for
from .events import Answered, Failed, Received, TransactionEvent
from .tables import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Do,
    Event,
    State,
    Table,
    Trigger,
)
from .timers import DURATIONS, LIMITS, T2, Alarm, AlarmQueue, Timer

_ENDS: Final = State.TERMINATED


class Home(Protocol):
    """What a transaction needs from its layer."""

    alarms: AlarmQueue
    events: deque[TransactionEvent]

    def answer(self, request: Request, status: int) -> Response:
        """Build an answer of our own."""

    def send(self, data: bytes, flow: Flow) -> None:
        """Give bytes to the transport."""

    def forget(self, transaction: "Transaction") -> None:
        """Take leave of a terminated transaction."""


class Transaction:
    """What the four machines share: a table, a state and running timers."""

    __slots__ = (
        "_alarms",
        "_home",
        "_interval",
        "_is_invite",
        "_is_reliable",
        "_table",
        "_wire",
        "flow",
        "key",
        "request",
        "state",
    )

    def __init__(self, home: Home, key: Hashable, request: Request, flow: Flow) -> None:
        self._home = home
        self._table: Table
        self._is_invite = request.method == "INVITE"
        self._is_reliable = flow.is_reliable
        self._alarms: dict[Timer, Alarm] = {}
        self._interval = 0.0
        self._wire = b""
        self.state = State.INITIAL
        self.key = key
        """What messages are matched by (§17.1.3, §17.2.3)."""
        self.request = request
        """The request that made the transaction."""
        self.flow = flow
        """The way to and from the peer."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.request.method} {self.state.value}>"

    def transport_failed(self, now: float) -> None:
        """Learn that the flow is gone (§17.1.4, §17.2.4)."""
        self._fire(Trigger.TRANSPORT_ERROR, now)

    def abandon(self, now: float) -> None:
        """Forget a transaction that has no final response and will have none."""
        self._fire(Trigger.ABANDON, now)

    def wake(self, timer: Timer, now: float) -> None:
        """Let a timer that is due do its work."""
        self._fire(timer, now)

    def _fire(self, event: Event, now: float, message: Request | Response | None = None) -> None:
        arrow = self._table.get((self.state, event))
        if arrow is None:
            return
        self.state = arrow.state
        if self._alarms:
            for timer in arrow.stops:
                self._stop(timer)
        for do in arrow.does:
            self._perform(do, event, message)
        for timer in arrow.starts:
            self._start(timer, now, timer is event)
        if arrow.state is _ENDS:
            self._home.forget(self)

    def _perform(self, do: Do, event: Event, message: Request | Response | None) -> None:
        raise NotImplementedError

    def _report(self, event: Event) -> None:
        self._home.events.append(Failed(self, 503 if event is Trigger.TRANSPORT_ERROR else 408))

    def _start(self, timer: Timer, now: float, again: bool) -> None:
        duration = DURATIONS[timer][self._is_reliable]
        if not duration:
            if duration is not None:
                self._fire(timer, now)
            return
        if timer in LIMITS:
            self._interval = duration = self._longer(timer) if again else duration
        self._alarms[timer] = self._home.alarms.set(self, timer, now + duration)

    def _longer(self, timer: Timer) -> float:
        if self.state is State.PROCEEDING:  # §17.1.2.2: who sent 1xx is only reminded
            return T2
        return min(2 * self._interval, LIMITS[timer])

    def _stop(self, timer: Timer) -> None:
        alarm = self._alarms.pop(timer, None)
        if alarm is not None:
            self._home.alarms.cancel(alarm)

    def _trigger(self, status: int) -> Trigger:
        if status < 200:
            return Trigger.PROVISIONAL
        if not self._is_invite:
            return Trigger.FINAL
        return Trigger.SUCCESS if status < 300 else Trigger.FAILURE


class ClientTransaction(Transaction):
    """One request of ours (§17.1)."""

    __slots__ = ("branch",)

    def __init__(self, home: Home, branch: str, request: Request, flow: Flow) -> None:
        super().__init__(home, (branch, request.method), request, flow)
        self.branch = branch
        """The branch of the request's topmost Via."""
        self._table = INVITE_CLIENT if self._is_invite else NON_INVITE_CLIENT

    def start(self, now: float) -> None:
        """Send the request."""
        self._fire(Trigger.START, now, self.request)

    def hush(self) -> None:
        """Send the request no more; an answer may still come."""
        for timer in (Timer.A, Timer.E):
            self._stop(timer)

    def receive(self, response: Response, now: float) -> None:
        """Take a response that belongs here."""
        self._fire(self._trigger(response.status), now, response)

    def _perform(self, do: Do, event: Event, message: Request | Response | None) -> None:
        if do is Do.PASS and isinstance(message, Response):
            self._home.events.append(Answered(self, message))
        elif do is Do.ACK and isinstance(message, Response):
            self._home.send(bytes(ack_for(self.request, message)), self.flow)
        elif do is Do.REPORT:
            self._report(event)
        else:
            self._wire = self._wire or bytes(self.request)
            self._home.send(self._wire, self.flow)


class ServerTransaction(Transaction):
    """One request of a peer (§17.2)."""

    __slots__ = ()

    def __init__(self, home: Home, key: Hashable, request: Request, flow: Flow) -> None:
        super().__init__(home, key, request, flow)
        self._table = INVITE_SERVER if self._is_invite else NON_INVITE_SERVER

    def quench(self, now: float) -> None:
        """Send 100 to an INVITE that has no response yet, as timer TRYING would (§17.2.1)."""
        self._fire(Timer.TRYING, now)

    def receive(self, request: Request, now: float) -> None:
        """Take the request itself, its retransmission or, of an INVITE, the ACK."""
        self._fire(Trigger.ACK if request.method == "ACK" else Trigger.REQUEST, now, request)

    def respond(self, response: Response, now: float) -> None:
        """Send the TU's response; after a final one, only further 2xx of an INVITE count."""
        self._fire(self._trigger(response.status), now, response)

    def _perform(self, do: Do, event: Event, message: Request | Response | None) -> None:
        if do is Do.PASS and isinstance(message, Request):
            self._home.events.append(Received(self, message, self.flow))
            return
        if do is Do.REPORT:
            self._report(event)
            return
        if do is Do.QUENCH:
            message = self._home.answer(self.request, 100)
        if do is not Do.RESEND and message is not None:
            self._wire = bytes(message)
        self._home.send(self._wire, self.flow)
