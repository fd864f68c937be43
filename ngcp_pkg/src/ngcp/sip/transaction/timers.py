"""The timers of RFC 3261 (§17, table 4) and RFC 6026, and the one queue that all of them wait in.

Seconds throughout. Time comes from outside: nothing here asks a clock.
"""

from collections.abc import Mapping
from enum import Enum
from heapq import heapify, heappop, heappush
from typing import Any, Final, Protocol

#: An estimate of the round-trip time.
T1: Final = 0.5
#: The longest retransmission interval of a non-INVITE request and of an INVITE response.
T2: Final = 4.0
#: How long a message may live in the network.
T4: Final = 5.0


class Timer(Enum):
    """The timers, by the RFC's names."""

    A = "A"
    """INVITE is sent again."""
    B = "B"
    """INVITE got no answer."""
    C = "C"
    """INVITE rang too long: the proxy's own, as long as the `Relay` says (§16.6 step 11)."""
    D = "D"
    """Retransmitted failures of an INVITE are over."""
    E = "E"
    """A non-INVITE request is sent again."""
    F = "F"
    """A non-INVITE request got no final answer."""
    G = "G"
    """A failure of an INVITE is sent again."""
    H = "H"
    """The ACK did not come."""
    I = "I"  # noqa: E741 - the RFC's name
    """Retransmitted ACKs are over."""
    J = "J"
    """Retransmitted non-INVITE requests are over."""
    K = "K"
    """Retransmitted non-INVITE responses are over."""
    L = "L"
    """Retransmitted INVITEs that were accepted are over (RFC 6026 §7.1)."""
    M = "M"
    """Retransmitted 2xx are over (RFC 6026 §7.2)."""
    TRYING = "100"
    """The TU took its 200 ms and the client must be quenched (§17.2.1)."""
    TU = "TU"
    """What a transaction user waits for: no timer of transactions."""

    # Members are singletons; Enum's own hash is Python code and would be run for each message.
    __hash__ = object.__hash__


#: Seconds on an unreliable and on a reliable transport; None: not started there. 0: due at once.
DURATIONS: Final[Mapping[Timer, tuple[float, float | None]]] = {
    Timer.A: (T1, None),
    Timer.B: (64 * T1, 64 * T1),
    Timer.D: (64 * T1, 0),
    Timer.E: (T1, None),
    Timer.F: (64 * T1, 64 * T1),
    Timer.G: (T1, None),
    Timer.H: (64 * T1, 64 * T1),
    Timer.I: (T4, 0),
    Timer.J: (64 * T1, 0),
    Timer.K: (T4, 0),
    Timer.L: (64 * T1, 64 * T1),
    Timer.M: (64 * T1, 64 * T1),
    Timer.TRYING: (0.2, 0.2),
}

#: Retransmission intervals double each time, up to this.
LIMITS: Final[Mapping[Timer, float]] = {Timer.A: 64 * T1, Timer.E: T2, Timer.G: T2}


class Sleeper(Protocol):
    """Whoever sets alarms."""

    def wake(self, timer: Timer, now: float) -> None:
        """Be told that the alarm set for `timer` is due."""


#: One waiting timer as it lies in the heap: when it is due, how many were set before, who sleeps, the timer.
#: Nobody sleeps once the alarm is cancelled, so that a waiting entry keeps nothing alive.
Alarm = list[Any]


class AlarmQueue:
    """All alarms in one heap; a cancelled one stays in it until due, or until most of them are cancelled."""

    def __init__(self) -> None:
        self._heap: list[Alarm] = []
        self._count = 0
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled

    def set(self, sleeper: Sleeper, timer: Timer, when: float) -> Alarm:
        """Wake `sleeper` for `timer` at `when`."""
        self._count += 1  # breaks ties: first set, first woken
        alarm = [when, self._count, sleeper, timer]
        heappush(self._heap, alarm)
        return alarm

    def cancel(self, alarm: Alarm) -> None:
        """Forget `alarm`; no harm if it is due or forgotten already."""
        if alarm[2] is not None:
            alarm[2] = None
            self._cancelled += 1
            if self._cancelled > 1000 and 2 * self._cancelled > len(self._heap):
                self._sweep()

    def _sweep(self) -> None:
        self._heap = [alarm for alarm in self._heap if alarm[2] is not None]
        heapify(self._heap)
        self._cancelled = 0

    def next(self) -> float | None:
        """Return when the first alarm is due."""
        heap = self._heap
        while heap:
            when, _, sleeper, _ = heap[0]
            if sleeper is not None:
                return float(when)
            heappop(heap)
            self._cancelled -= 1
        return None

    def wake(self, now: float) -> None:
        """Wake everybody who is due."""
        while (when := self.next()) is not None and when <= now:
            alarm = heappop(self._heap)
            sleeper, alarm[2] = alarm[2], None
            sleeper.wake(alarm[3], now)
