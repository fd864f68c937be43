"""The four transaction machines as data: figures 5 to 8 of RFC 3261 §17, as amended by RFC 6026.

Each table holds every transition of its machine: (state, event) leads to an `Arrow`. What has no arrow
changes nothing and sends nothing. A timer runs only in states that have an arrow for it, so that
leaving a state stops the others. `docs/transactions.md` is drawn from these tables.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from .timers import Timer


class State(Enum):
    """The circles of the figures."""

    INITIAL = "Initial"
    """Before the request that starts the machine."""
    CALLING = "Calling"
    TRYING = "Trying"
    """Of the INVITE server, beyond figure 7: no response was sent yet, 100 is due in 200 ms."""
    PROCEEDING = "Proceeding"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    ACCEPTED = "Accepted"
    TERMINATED = "Terminated"

    __hash__ = object.__hash__  # as in timers.py


class Trigger(Enum):
    """The labels on the arrows, beside the timers."""

    START = "request from TU"
    REQUEST = "request received"
    ACK = "ACK received"
    PROVISIONAL = "1xx"
    SUCCESS = "2xx"
    FAILURE = "300-699"
    FINAL = "200-699"
    """Where the figure makes no difference between success and failure."""
    TRANSPORT_ERROR = "transport error"
    ABANDON = "abandoned by TU"
    """The TU will not answer (RFC 4320 §4.2), or waits no longer for an answer (§9.1)."""

    __hash__ = object.__hash__


class Do(Enum):
    """What an arrow does on its way."""

    SEND = "send"
    RESEND = "send again"
    QUENCH = "send 100"
    ACK = "send ACK"
    PASS = "pass to TU"
    REPORT = "inform TU"


class Arrow(NamedTuple):
    """One transition: where it leads, what it does and which timers it starts, in this order."""

    state: State
    does: tuple[Do, ...] = ()
    starts: tuple[Timer, ...] = ()
    stops: tuple[Timer, ...] = ()
    """Timers that may run where it comes from and not where it leads: worked out, not written."""


Event = Trigger | Timer
Table = Mapping[tuple[State, Event], Arrow]

S, T = State, Trigger


def _machine(arrows: Table) -> Table:
    """Return a table whose arrows say which timers they stop."""

    def running(state: State) -> set[Timer]:
        return {event for origin, event in arrows if origin is state and isinstance(event, Timer)}

    def stopped(origin: State, arrow: Arrow) -> tuple[Timer, ...]:
        return tuple(sorted(running(origin) - running(arrow.state), key=lambda timer: timer.value))

    return {key: arrow._replace(stops=stopped(key[0], arrow)) for key, arrow in arrows.items()}


#: Figure 5 with RFC 6026 §7.2.
INVITE_CLIENT: Final = _machine(
    {
        (S.INITIAL, T.START): Arrow(S.CALLING, (Do.SEND,), (Timer.A, Timer.B)),
        (S.CALLING, Timer.A): Arrow(S.CALLING, (Do.RESEND,), (Timer.A,)),
        (S.CALLING, Timer.B): Arrow(S.TERMINATED, (Do.REPORT,)),
        (S.CALLING, T.TRANSPORT_ERROR): Arrow(S.TERMINATED, (Do.REPORT,)),
        (S.CALLING, T.PROVISIONAL): Arrow(S.PROCEEDING, (Do.PASS,)),
        (S.CALLING, T.SUCCESS): Arrow(S.ACCEPTED, (Do.PASS,), (Timer.M,)),
        (S.CALLING, T.FAILURE): Arrow(S.COMPLETED, (Do.ACK, Do.PASS), (Timer.D,)),
        (S.PROCEEDING, T.PROVISIONAL): Arrow(S.PROCEEDING, (Do.PASS,)),
        (S.PROCEEDING, T.SUCCESS): Arrow(S.ACCEPTED, (Do.PASS,), (Timer.M,)),
        (S.PROCEEDING, T.FAILURE): Arrow(S.COMPLETED, (Do.ACK, Do.PASS), (Timer.D,)),
        (S.PROCEEDING, T.ABANDON): Arrow(S.TERMINATED),
        (S.COMPLETED, T.FAILURE): Arrow(S.COMPLETED, (Do.ACK,)),
        (S.COMPLETED, T.TRANSPORT_ERROR): Arrow(S.TERMINATED, (Do.REPORT,)),
        (S.COMPLETED, Timer.D): Arrow(S.TERMINATED),
        (S.ACCEPTED, T.SUCCESS): Arrow(S.ACCEPTED, (Do.PASS,)),
        (S.ACCEPTED, Timer.M): Arrow(S.TERMINATED),
    }
)

#: Figure 6.
NON_INVITE_CLIENT: Final = _machine(
    {
        (S.INITIAL, T.START): Arrow(S.TRYING, (Do.SEND,), (Timer.E, Timer.F)),
        (S.TRYING, Timer.E): Arrow(S.TRYING, (Do.RESEND,), (Timer.E,)),
        (S.TRYING, Timer.F): Arrow(S.TERMINATED, (Do.REPORT,)),
        (S.TRYING, T.TRANSPORT_ERROR): Arrow(S.TERMINATED, (Do.REPORT,)),
        (S.TRYING, T.PROVISIONAL): Arrow(S.PROCEEDING, (Do.PASS,)),
        (S.TRYING, T.FINAL): Arrow(S.COMPLETED, (Do.PASS,), (Timer.K,)),
        (S.PROCEEDING, Timer.E): Arrow(S.PROCEEDING, (Do.RESEND,), (Timer.E,)),
        (S.PROCEEDING, Timer.F): Arrow(S.TERMINATED, (Do.REPORT,)),
        (S.PROCEEDING, T.TRANSPORT_ERROR): Arrow(S.TERMINATED, (Do.REPORT,)),
        (S.PROCEEDING, T.PROVISIONAL): Arrow(S.PROCEEDING, (Do.PASS,)),
        (S.PROCEEDING, T.FINAL): Arrow(S.COMPLETED, (Do.PASS,), (Timer.K,)),
        (S.COMPLETED, Timer.K): Arrow(S.TERMINATED),
    }
)

#: Figure 7 with RFC 6026 §7.1.
INVITE_SERVER: Final = _machine(
    {
        (S.INITIAL, T.REQUEST): Arrow(S.TRYING, (Do.PASS,), (Timer.TRYING,)),
        (S.TRYING, Timer.TRYING): Arrow(S.PROCEEDING, (Do.QUENCH,)),
        (S.TRYING, T.PROVISIONAL): Arrow(S.PROCEEDING, (Do.SEND,)),
        (S.TRYING, T.SUCCESS): Arrow(S.ACCEPTED, (Do.SEND,), (Timer.L,)),
        (S.TRYING, T.FAILURE): Arrow(S.COMPLETED, (Do.SEND,), (Timer.G, Timer.H)),
        (S.TRYING, T.ABANDON): Arrow(S.TERMINATED),
        (S.PROCEEDING, T.REQUEST): Arrow(S.PROCEEDING, (Do.RESEND,)),
        (S.PROCEEDING, T.PROVISIONAL): Arrow(S.PROCEEDING, (Do.SEND,)),
        (S.PROCEEDING, T.TRANSPORT_ERROR): Arrow(S.PROCEEDING, (Do.REPORT,)),
        (S.PROCEEDING, T.SUCCESS): Arrow(S.ACCEPTED, (Do.SEND,), (Timer.L,)),
        (S.PROCEEDING, T.FAILURE): Arrow(S.COMPLETED, (Do.SEND,), (Timer.G, Timer.H)),
        (S.PROCEEDING, T.ABANDON): Arrow(S.TERMINATED),
        (S.COMPLETED, T.REQUEST): Arrow(S.COMPLETED, (Do.RESEND,)),
        (S.COMPLETED, Timer.G): Arrow(S.COMPLETED, (Do.RESEND,), (Timer.G,)),
        (S.COMPLETED, T.TRANSPORT_ERROR): Arrow(S.COMPLETED, (Do.REPORT,)),
        (S.COMPLETED, T.ACK): Arrow(S.CONFIRMED, (), (Timer.I,)),
        (S.COMPLETED, Timer.H): Arrow(S.TERMINATED),
        (S.CONFIRMED, Timer.I): Arrow(S.TERMINATED),
        (S.ACCEPTED, T.SUCCESS): Arrow(S.ACCEPTED, (Do.SEND,)),
        (S.ACCEPTED, T.ACK): Arrow(S.ACCEPTED, (Do.PASS,)),
        (S.ACCEPTED, T.TRANSPORT_ERROR): Arrow(S.ACCEPTED, (Do.REPORT,)),
        (S.ACCEPTED, Timer.L): Arrow(S.TERMINATED),
    }
)

#: Figure 8.
NON_INVITE_SERVER: Final = _machine(
    {
        (S.INITIAL, T.REQUEST): Arrow(S.TRYING, (Do.PASS,)),
        (S.TRYING, T.PROVISIONAL): Arrow(S.PROCEEDING, (Do.SEND,)),
        (S.TRYING, T.FINAL): Arrow(S.COMPLETED, (Do.SEND,), (Timer.J,)),
        (S.TRYING, T.ABANDON): Arrow(S.TERMINATED),
        (S.PROCEEDING, T.REQUEST): Arrow(S.PROCEEDING, (Do.RESEND,)),
        (S.PROCEEDING, T.PROVISIONAL): Arrow(S.PROCEEDING, (Do.SEND,)),
        (S.PROCEEDING, T.FINAL): Arrow(S.COMPLETED, (Do.SEND,), (Timer.J,)),
        (S.PROCEEDING, T.TRANSPORT_ERROR): Arrow(S.TERMINATED, (Do.REPORT,)),
        (S.PROCEEDING, T.ABANDON): Arrow(S.TERMINATED),
        (S.COMPLETED, T.REQUEST): Arrow(S.COMPLETED, (Do.RESEND,)),
        (S.COMPLETED, T.TRANSPORT_ERROR): Arrow(S.TERMINATED, (Do.REPORT,)),
        (S.COMPLETED, Timer.J): Arrow(S.TERMINATED),
    }
)
