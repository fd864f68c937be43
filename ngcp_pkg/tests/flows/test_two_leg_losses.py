"""Calls through the back-to-back user agent, by who ends them: each message lost, or doubled, on either leg.

Whatever gets lost, both sides come to the same end, and nothing is left of the call (RFC 3261 §17).
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from flows.attempts import ANSWERS, IS_BUSY, IS_DEAD, RINGS, Script
from flows.backtoback import BackToBack
from flows.phones import Call
from flows.wire import Meddler

#: Seconds within which everything has come to its end, retransmissions and their memory included.
LONG = 180.0


@dataclass(frozen=True)
class Ending:
    """How a call ends: who does what, and what each side has of it."""

    act: Callable[[BackToBack, Call], None]
    """What somebody does once the call is where it should be."""
    status: int
    """The caller's final answer."""
    script: Script = ANSWERS
    parameters: str = ""
    is_up: bool = True
    """Whether that is when both have the call; else it is after a second."""
    bye: tuple[str, ...] = ()
    """Who gets a BYE."""


def _nothing(here: BackToBack, call: Call) -> None:
    """Let time pass."""


def _caller_hangs_up(here: BackToBack, call: Call) -> None:
    call.hang_up()


def _callee_hangs_up(here: BackToBack, call: Call) -> None:
    here.bob.calls[0].hang_up()


def _caller_cancels(here: BackToBack, call: Call) -> None:
    call.cancel()


def _caller_dies(here: BackToBack, call: Call) -> None:
    here.wire.detach(here.alice)


def _callee_dies(here: BackToBack, call: Call) -> None:
    here.wire.detach(here.bob)


def _operator_ends_it(here: BackToBack, call: Call) -> None:
    here.b2bua.end(here.wire.now)


TIMED = ";calltimer=10"
KEPT = ";sst_enable=yes;sst_expires=90;aleg_sst_enable=yes;aleg_sst_expires=90"

ENDINGS = {
    "caller hangs up": Ending(_caller_hangs_up, 200, bye=("bob",)),
    "callee hangs up": Ending(_callee_hangs_up, 200, bye=("alice",)),
    "callee is busy": Ending(_nothing, 486, IS_BUSY, is_up=False),
    "callee is silent": Ending(_nothing, 408, IS_DEAD, is_up=False),
    "caller gives up": Ending(_caller_cancels, 487, RINGS, is_up=False),
    "time is up": Ending(_nothing, 200, parameters=TIMED, bye=("alice", "bob")),
    "operator ends it": Ending(_operator_ends_it, 200, bye=("alice", "bob")),
    "operator ends it as it rings": Ending(_operator_ends_it, 487, RINGS, is_up=False),
    "callee vanishes": Ending(_callee_dies, 200, parameters=KEPT, bye=("alice",)),
    "caller vanishes": Ending(_caller_dies, 200, parameters=KEPT, bye=("bob",)),
}

every_ending = pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)


def play(ending: Ending, meddler: Meddler) -> BackToBack:
    """Run a call to its end, and check what both sides have of it."""
    here = BackToBack(script=ending.script)
    here.wire.meddler = meddler
    call = here.call(ending.parameters)
    if ending.is_up:
        assert here.wire.run_until(lambda: bool(here.bob.calls) and here.bob.calls[0].is_up and call.is_up)
    else:
        here.run(1.0)
    ending.act(here, call)
    here.run(LONG)
    assert call.status == ending.status
    assert here.is_empty
    for user, phone in (("alice", here.alice), ("bob", here.bob)):
        byes = [request for request in phone.seen if request.method == "BYE"]
        assert len(byes) == (user in ending.bye)
    assert len([request for request in here.bob.seen if request.method == "INVITE"]) == 1
    return here


@every_ending
def test_each_message_lost_or_doubled(ending: Ending) -> None:
    steps = len(play(ending, lambda packet: 1).wire.packets)

    for step in range(min(steps, 30)):
        for copies in (0, 2):
            play(ending, lambda packet, step=step, copies=copies: copies if packet.number == step else 1)  # type: ignore[misc]  # a lambda with defaults


@every_ending
def test_a_bad_network(ending: Ending) -> None:
    """One message in ten is lost, one in ten doubled."""
    for seed in range(5):
        luck = random.Random(seed)
        play(ending, lambda packet, luck=luck: luck.choices((0, 1, 2), (1, 8, 1))[0])  # type: ignore[misc]  # as above
