"""Each message of a call lost, or doubled, or both at once: the call still comes up and ends."""

import random

import pytest

from flows.edge import PUBLIC, StubProxy, add_load_balancer
from flows.phones import Phone
from flows.wire import Wire

#: Messages of a call over UDP between two phones, each crossing counted: what the tables below go through.
STEPS = 35


def call_through(wire: Wire) -> tuple[Phone, Phone]:
    """Register two phones, let one call the other and hang up."""
    add_load_balancer(wire)
    StubProxy(wire)
    alice = Phone(wire, "alice", ("198.51.100.1", 5060), PUBLIC)
    bob = Phone(wire, "bob", ("198.51.100.2", 5060), PUBLIC)
    attempts = alice.register(), bob.register()
    assert wire.run_until(lambda: all(attempt.status == 200 for attempt in attempts))
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_up), call.status
    assert wire.run_until(lambda: bob.calls[0].is_up)
    bye = call.hang_up()
    assert wire.run_until(lambda: bye.is_over)
    assert bye.status == 200
    return alice, bob


def test_the_call_has_as_many_steps_as_these_tables() -> None:
    wire = Wire()
    call_through(wire)

    assert len(wire.packets) == STEPS


@pytest.mark.parametrize("step", range(STEPS))
def test_lost(step: int) -> None:
    """§17: what is lost is sent again, and nobody gets a request twice."""
    wire = Wire()
    wire.meddler = lambda packet: 0 if packet.number == step else 1
    _, bob = call_through(wire)

    assert [request.method for request in bob.seen] == ["INVITE", "BYE"]


@pytest.mark.parametrize("step", range(STEPS))
def test_doubled(step: int) -> None:
    """§17.2: a retransmission is absorbed or answered as the first one was."""
    wire = Wire()
    wire.meddler = lambda packet: 2 if packet.number == step else 1
    _, bob = call_through(wire)

    assert [request.method for request in bob.seen] == ["INVITE", "BYE"]


@pytest.mark.parametrize("seed", range(20))
def test_a_bad_network(seed: int) -> None:
    """One message in ten is lost, one in ten doubled."""
    luck = random.Random(seed)
    wire = Wire()
    wire.meddler = lambda packet: luck.choices((0, 1, 2), (1, 8, 1))[0]
    _, bob = call_through(wire)

    assert [request.method for request in bob.seen] == ["INVITE", "BYE"]
