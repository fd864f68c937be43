"""Ten thousand damaged messages at the edge, from outside and from inside."""

import logging
import random
from pathlib import Path

import pytest

from flows.edge import INTERNAL, PROXY, PUBLIC, PUBLIC_TLS, StubProxy
from flows.mutation import mutate
from flows.phones import Phone
from flows.wire import Wire
from ngcp.lb.core import LoadBalancer
from ngcp.sip.transport.flow import Flow

CORPUS = sorted((Path(__file__).parents[1] / "corpus/sip").glob("*.sip"))
ALICE, BOB = ("198.51.100.1", 5060), ("198.51.100.2", 5060)
FLOWS = (
    Flow("udp", PUBLIC, ALICE),
    Flow("udp", PUBLIC, BOB),
    Flow("tcp", PUBLIC, ("198.51.100.3", 40000)),
    Flow("tls", PUBLIC_TLS, ("198.51.100.4", 40000)),
    Flow("udp", INTERNAL, PROXY),
)
MESSAGES = 10_000


@pytest.fixture
def phones(wire: Wire, stub: StubProxy) -> tuple[Phone, Phone]:
    return Phone(wire, "alice", ALICE, PUBLIC), Phone(wire, "bob", BOB, PUBLIC)


def carry_a_call(wire: Wire, phones: tuple[Phone, Phone]) -> None:
    """Register, call, hang up."""
    alice, bob = phones
    attempts = [alice.register(), bob.register()]
    assert wire.run_until(lambda: all(attempt.status == 200 for attempt in attempts))
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_up and bob.calls[-1].is_up)
    bye = call.hang_up()
    assert wire.run_until(lambda: bye.status == 200)


def test_damaged_messages_are_answered_or_dropped_and_calls_go_on(
    wire: Wire, edge: LoadBalancer, phones: tuple[Phone, Phone], caplog: pytest.LogCaptureFixture
) -> None:
    """No exception, at most one line each, nothing kept; and the next call is carried."""
    caplog.set_level(logging.DEBUG)
    wire.inspectors.clear()  # a stranger who repeats what elements say gets his own words back
    luck = random.Random(3261)
    carry_a_call(wire, phones)
    originals = [packet.data for packet in wire.packets] + [path.read_bytes() for path in CORPUS]
    for flow in FLOWS:
        if flow.is_reliable:
            edge.connected(flow)

    for number in range(MESSAGES):
        caplog.clear()
        edge.receive(mutate(luck.choice(originals), luck), luck.choice(FLOWS), wire.now)
        assert len(caplog.records) <= 1
        if number % 100 == 0:
            wire.run(1.0)
            wire.packets.clear()

    wire.run(300.0)
    assert edge.transactions == 0
    carry_a_call(wire, phones)
    for fate in ("dropped", "refused", "sent"):
        assert edge.counters[fate] > MESSAGES // 10, "the damage is neither too coarse nor too fine"
