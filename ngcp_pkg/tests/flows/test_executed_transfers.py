"""Transfers that the node executes itself, by all daemons: who talks to whom, and what is written down."""

import pytest

from flows.attempts import ANSWERS, IS_BUSY, Attempt, Script
from flows.phones import Call, Phone
from flows.test_peering import answering, peer, provision
from flows.whole import Node
from ngcp.b2bua.profile import Profile


@pytest.fixture
def node() -> Node:
    return Node(profile=Profile(refer="execute"))


def refer(call: Call, to: str) -> Attempt:
    """Ask whoever is on the other side to call somebody else (RFC 3515 §2.4)."""
    call.cseq += 1
    return call.phone.send_request("REFER", call.target, call, [f"Refer-To: <{to}>"])


def notices(call: Call) -> list[bytes]:
    """Return what somebody who asked was told, each time the first line."""
    return [one.body.partition(b"\r\n")[0] for one in call.received if one.method == "NOTIFY"]


def connected(node: Node) -> tuple[Call, Call]:
    """Let alice call bob; return both sides of the call."""
    bob = node.registered("bob", "192.0.2.20")
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)
    assert call.is_up
    return call, bob.calls[0]


def carol(node: Node, script: Script = ANSWERS) -> Phone:
    return node.registered("carol", "192.0.2.30", script=script)


def records(node: Node) -> list[tuple[str, str, str]]:
    """Return method, status and the end of the Call-ID of each call record."""
    return [(row.method, row.sip_code, row.callid.partition("_")[2]) for row in node.acc.rows.values()]


def assert_nothing_is_left(node: Node) -> None:
    node.wire.run(200.0)
    assert (node.proxy.transactions, node.edge_transactions) == (0, 0)
    assert not node.b2bua.calls
    assert len(node.proxy.ledger) == 0


@pytest.mark.parametrize("asks", ["caller", "callee"])
def test_a_call_is_transferred_to_another_subscriber(node: Node, asks: str) -> None:
    third = carol(node)
    alice, bob = connected(node)
    gone, stays = (alice, bob) if asks == "caller" else (bob, alice)

    asked = refer(gone, "sip:carol@example.org")
    node.wire.run(10.0)
    assert asked.status == 202
    assert notices(gone) == [b"SIP/2.0 100 Trying", b"SIP/2.0 180 Ringing", b"SIP/2.0 200 OK"]
    assert gone.is_ended
    assert (stays.is_up, third.calls[0].is_up) == (True, True)

    third.calls[0].hang_up()
    node.wire.run(2.0)
    assert stays.is_ended
    assert sorted(method for method, _, _ in records(node)) == ["BYE", "BYE", "INVITE", "INVITE"]
    assert_nothing_is_left(node)


def test_a_call_is_transferred_to_a_peer(node: Node) -> None:
    """By the rules of whoever transfers: it is his call."""
    far = answering(node, 1)
    provision(node, peer(1))
    alice, bob = connected(node)

    refer(alice, "sip:43720555@example.org")
    node.wire.run(10.0)
    assert (bob.is_up, far.calls[0].is_up, alice.is_ended) == (True, True, True)
    assert far.calls[0].invite.uri == "sip:43720555@203.0.113.1:5060"

    bob.hang_up()
    node.wire.run(2.0)
    assert far.calls[0].is_ended
    assert_nothing_is_left(node)


def test_a_transfer_to_somebody_busy_leaves_the_call_as_it_was(node: Node) -> None:
    carol(node, IS_BUSY)
    alice, bob = connected(node)

    refer(bob, "sip:carol@example.org")
    node.wire.run(10.0)
    assert notices(bob)[-1] == b"SIP/2.0 486 Busy Here"
    assert (alice.is_up, bob.is_up) == (True, True)
    assert sorted(status for _, status, _ in records(node)) == ["200", "486"]

    alice.hang_up()
    node.wire.run(2.0)
    assert bob.is_ended
    assert_nothing_is_left(node)


def test_a_transfer_to_nobody_here_is_told(node: Node) -> None:
    alice, bob = connected(node)

    refer(bob, "sip:nobody@example.org")
    node.wire.run(10.0)
    assert notices(bob)[-1].startswith(b"SIP/2.0 404")
    assert (alice.is_up, bob.is_up) == (True, True)


def test_two_calls_are_joined(node: Node) -> None:
    """RFC 5589 §7: bob has alice in one call and carol in another, and lets them talk."""
    third = carol(node)
    alice, bob = connected(node)
    asked = bob.phone.call("carol")
    node.wire.run(3.0)
    assert asked.is_up
    to_tag, from_tag = (side.partition(";tag=")[2] for side in (asked.remote, asked.local))
    named = f"{asked.call_id.replace('@', '%40')}%3Bto-tag%3D{to_tag}%3Bfrom-tag%3D{from_tag}"

    refer(bob, f"sip:carol@example.org?Replaces={named}")
    node.wire.run(10.0)
    assert (bob.is_ended, asked.is_ended) == (True, True)
    assert (alice.is_up, third.calls[0].is_up) == (True, True)

    third.calls[0].hang_up()
    node.wire.run(2.0)
    assert alice.is_ended
    assert_nothing_is_left(node)
