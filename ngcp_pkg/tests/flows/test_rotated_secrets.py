"""Secrets that change while people talk: what the earlier one signed is good for a while (`ngcp-secrets`)."""

import pytest

from flows.attempts import SDP
from flows.whole import Node
from flows.workers import SECRET

#: What both daemons of these nodes begin with.
FIRST = (SECRET, b"proxy secret")


@pytest.fixture(params=[(1, False), (3, False), (1, True)], ids=["one worker", "three workers", "bypass"])
def node(request: pytest.FixtureRequest) -> Node:
    workers, bypass = request.param
    return Node(workers=workers, bypass=bypass)


@pytest.mark.parametrize("transport", ["udp", "tls"])
@pytest.mark.parametrize("hangs_up", ["caller", "callee"])
def test_a_call_goes_on_and_ends(node: Node, hangs_up: str, transport: str) -> None:
    bob = node.registered("bob", "192.0.2.20", transport=transport)
    call = node.registered("alice", "192.0.2.10", transport=transport).call("bob")
    node.wire.run(3.0)
    assert call.is_up

    node.rotate(b"second", *FIRST)
    again = call.request("INVITE", SDP)
    node.wire.run(1.0)
    bye = (call if hangs_up == "caller" else bob.calls[0]).hang_up()
    node.wire.run(1.0)

    assert (again.status, bye.status) == (200, 200)


def test_a_call_that_rings_is_answered(node: Node) -> None:
    bob = node.registered("bob", "192.0.2.20", script=((0.0, 180), (4.0, 200)))
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(2.0)
    assert not call.is_up

    node.rotate(b"second", *FIRST)
    node.wire.run(4.0)
    assert call.is_up and bob.calls[0].is_up

    bye = bob.calls[0].hang_up()
    node.wire.run(1.0)
    assert bye.status == 200


def test_who_registered_before_is_called_and_calls(node: Node) -> None:
    bob, alice = node.registered("bob", "192.0.2.20", transport="tls"), node.registered("alice", "192.0.2.10")

    node.rotate(b"second", *FIRST)
    calls = [alice.call("bob"), bob.call("alice")]
    node.wire.run(3.0)
    assert [call.is_up for call in calls] == [True, True]

    byes = [call.hang_up() for call in calls]
    node.wire.run(1.0)
    assert [bye.status for bye in byes] == [200, 200]


def test_a_call_lives_through_several_rotations(node: Node) -> None:
    node.registered("bob", "192.0.2.20")
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)

    node.rotate(b"second", *FIRST)
    node.rotate(b"third", b"second", *FIRST)
    bye = call.hang_up()
    node.wire.run(1.0)

    assert bye.status == 200


def test_when_its_time_is_over_the_earlier_secret_opens_nothing(node: Node) -> None:
    """Also not what had been remembered of it."""
    node.registered("bob", "192.0.2.20")
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)
    node.rotate(b"second", *FIRST)
    call.request("INVITE", SDP)
    node.wire.run(1.0)

    node.rotate(b"second")
    bye = call.hang_up()
    node.wire.run(1.0)

    assert bye.status in (404, 481)
