"""A back-to-back user agent that crashes and starts again: no record is lost, no counter stays."""

import pytest

from flows.attempts import ANSWERS, RINGS, Script
from flows.phones import Call, Phone
from flows.whole import Node


@pytest.fixture
def node() -> Node:
    return Node(max_call_duration=120.0)


def call_bob(node: Node, script: Script = ANSWERS) -> tuple[Call, Phone]:
    bob, alice = node.registered("bob", "192.0.2.20", script=script), node.registered("alice", "192.0.2.10")
    call = alice.call("bob")
    assert node.wire.run_until(lambda: bool(bob.calls) and bob.calls[-1].status >= 180 and call.status >= 180)
    if script is ANSWERS:
        assert node.wire.run_until(lambda: call.is_up and bob.calls[-1].is_up)
    node.wire.run(1.0)
    return call, bob


def crash(node: Node) -> None:
    node.wire.detach(node.b2bua)
    node.start_b2bua()


def methods(node: Node) -> list[str]:
    return sorted(row.method for row in node.acc.rows.values())


@pytest.mark.parametrize("by_caller", [True, False])
def test_whoever_hangs_up_then_is_answered(node: Node, by_caller: bool) -> None:
    """The new one knows no dialog and says 481, by which a phone knows that it is over (RFC 3261 §15.1.1)."""
    call, bob = call_bob(node)
    crash(node)

    bye = (call if by_caller else bob.calls[0]).hang_up()
    node.wire.run(1.0)

    assert bye.status == 481


def test_a_call_that_its_caller_ends_is_recorded_and_counted_no_more(node: Node) -> None:
    call, _ = call_bob(node)
    crash(node)

    call.hang_up()
    node.wire.run(60.0)

    assert methods(node) == ["BYE", "INVITE"]
    assert len(node.proxy.ledger) == 0
    assert node.redis.counters == {}
    assert node.relay.log[-1][0] == "delete"


def test_a_call_that_nobody_ends_is_ended_by_the_proxy(node: Node) -> None:
    """Its longest time, and ten seconds more, in which the B2BUA would have ended it."""
    call, _ = call_bob(node)
    crash(node)

    node.wire.run(200.0)

    assert call.received[-1].method == "BYE"
    assert methods(node) == ["BYE", "INVITE"]
    assert len(node.proxy.ledger) == 0


def test_a_call_that_rings_fails_and_leaves_nothing(node: Node) -> None:
    call, _ = call_bob(node, RINGS)
    crash(node)

    call.cancel()
    node.wire.run(120.0)

    assert call.status >= 400
    assert len(node.proxy.ledger) == 0
    assert node.redis.counters == {}


def test_new_calls_are_made_at_once(node: Node) -> None:
    call_bob(node)
    crash(node)

    alice = node.phone("carol", "192.0.2.30")
    again = alice.call("bob")
    assert node.wire.run_until(lambda: again.is_up)
