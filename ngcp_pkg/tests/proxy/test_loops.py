"""Forwards that go in a circle through other networks."""

from ngcp.proxy.loops import SIZE, Loops
from ngcp.sip.syntax import Uri
from proxy.stage import Stage


def test_the_sixth_time_within_five_seconds_is_a_circle() -> None:
    loops, call = Loops(), Stage().call()
    assert [loops.closes(call, now / 10) for now in range(7)] == [False] * 5 + [True, True]


def test_who_calls_again_later_makes_none() -> None:
    loops, call = Loops(), Stage().call()
    assert not any(loops.closes(call, 1.1 * now) for now in range(20))


def test_another_destination_is_another_forward() -> None:
    loops, call = Loops(), Stage().call()
    for number in range(20):
        call.uri = Uri("sip", str(number), "example.org")
        assert not loops.closes(call, 0.0)


def test_old_ones_are_forgotten() -> None:
    loops, call = Loops(), Stage().call()
    first = call.uri
    for _ in range(5):
        assert not loops.closes(call, 0.0)
    for number in range(SIZE):
        call.uri = Uri("sip", str(number), "example.net")
        loops.closes(call, 0.0)
    call.uri = first
    assert not loops.closes(call, 0.0)
