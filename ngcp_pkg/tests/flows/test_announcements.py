"""A call that fails after the caller heard why: one refusal and one record, whatever becomes of the sound."""

import pytest

from flows.attempts import IS_BUSY, RINGS, SDP, Script
from flows.phones import Call, Phone
from flows.whole import B2BUA, PROXY, Node
from ngcp.provisioning.runtime import Destination, Forward

#: Early media, then the code that the order says.
SPEAKS: Script = ((0.0, 183), (3.0, 480))


@pytest.fixture
def node() -> Node:
    node = Node()
    node.share(announcements={3: frozenset({"callee_offline", "callee_busy", "max_calls_out"})})
    node.prefer("alice", sound_set="3")
    return node


def speaker(node: Node, script: Script = SPEAKS) -> Phone:
    """Let a scripted element stand where the B2BUA is."""
    node.wire.detach(node.b2bua)
    return Phone(node.wire, "b2bua", B2BUA, PROXY, script=script)


def outcome(call: Call) -> tuple[int, str]:
    assert call.attempt is not None and call.attempt.final is not None
    return call.attempt.final.status, call.attempt.final.reason


def assert_nothing_is_left(node: Node) -> None:
    assert (dict(node.proxy.ledger.counts), len(node.proxy.ledger), len(node.proxy.passes)) == ({}, 0, 0)


def test_callee_offline(node: Node) -> None:
    b2bua = speaker(node)
    alice = node.registered("alice", "192.0.2.10")
    call = alice.call("bob")
    node.wire.run(1.0)
    assert call.status == 183
    assert node.acc.log == [("INVITE", "480")], "in the books it has failed"
    assert b2bua.calls[0].invite.first("P-App-Name") == "early_announce"
    node.wire.run(3.0)
    assert outcome(call) == (480, "Offline")
    assert node.acc.log == [("INVITE", "480")]
    assert [command for command, *_ in node.relay.log] == ["offer", "delete"]
    assert_nothing_is_left(node)


@pytest.mark.parametrize("script", [(), ((0.0, 404),), ((0.0, 603),)], ids=["silent", "unknown", "declines"])
def test_whatever_becomes_of_the_sound_the_refusal_stays(node: Node, script: Script) -> None:
    speaker(node, script)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)
    assert outcome(call) == (480, "Offline")
    assert_nothing_is_left(node)


def test_caller_does_not_listen_to_the_end(node: Node) -> None:
    b2bua = speaker(node, RINGS)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(1.0)
    call.cancel()
    node.wire.run(2.0)
    assert (call.status, b2bua.calls[0].status) == (487, 487)
    assert node.acc.log == [("INVITE", "480")]
    assert_nothing_is_left(node)


def test_a_caller_who_has_as_many_calls_as_he_may_hears_so(node: Node) -> None:
    node.prefer("alice", sound_set="3", concurrent_max="0")
    node.registered("bob", "192.0.2.20")
    b2bua = speaker(node)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(5.0)
    assert outcome(call) == (403, "Maximum parallel calls exceeded")
    assert ";audio_id=max_calls_out;" in b2bua.calls[0].invite.first("P-App-Param")
    assert node.acc.log == [("INVITE", "403")]
    assert_nothing_is_left(node)


@pytest.mark.parametrize("is_wanted", [True, False])
def test_callee_busy(node: Node, is_wanted: bool) -> None:
    """The real B2BUA between the legs does not know the application: the failure stays the callee's."""
    wish = {"announce_error_codes_enable": "1", "announce_error_codes_list": "486"} if is_wanted else {}
    node.prefer("alice", sound_set="3", **wish)
    node.registered("bob", "192.0.2.20", script=IS_BUSY)
    call = node.registered("alice", "192.0.2.10").call("bob", body=SDP)
    node.wire.run(3.0)
    asked = [packet for packet in node.wire.sent_to(B2BUA) if "early_announce" in packet.text]
    assert (len(asked), call.status) == (int(is_wanted), 486)
    assert node.acc.log == [("INVITE", "486")]
    assert_nothing_is_left(node)


# Before somebody is called


def both(node: Node, script: Script = SPEAKS) -> Phone:
    """Let calls go past the B2BUA, and a scripted element speak in its place."""
    node.bypass = True
    node.restart_proxy()
    return speaker(node, script)


@pytest.mark.parametrize("script", [SPEAKS, ()], ids=["is heard", "cannot be heard"])
def test_a_callee_who_wants_something_said_first(node: Node, script: Script) -> None:
    node.share(announcements={4: frozenset({"announce_before_call_setup"})})
    node.prefer("bob", play_announce_before_call_setup="1", sound_set="4")
    bob = node.registered("bob", "192.0.2.20")
    b2bua = both(node, script)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(1.0)
    assert bob.calls == []
    assert ";audio_id=announce_before_call_setup;sound_set_id=4;" in b2bua.calls[0].invite.first(
        "P-App-Param"
    )
    node.wire.run(5.0)
    assert call.is_up and bob.calls[0].is_up and len(b2bua.calls) == 1
    call.hang_up()
    node.wire.run(1.0)
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]
    assert_nothing_is_left(node)


def test_a_forwarder_who_wants_something_said_first(node: Node) -> None:
    """Once, before the first of the places where he is forwarded to."""
    node.share(announcements={4: frozenset({"announce_before_cf"})})
    places = tuple(Destination(f"sip:{user}@example.org", 5.0) for user in ("dave", "carol"))
    node.change("bob", forwards=(Forward("cfu", places),))
    node.prefer("bob", play_announce_before_cf="1", sound_set="4")
    carol = node.registered("carol", "192.0.2.30")
    b2bua = both(node)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(8.0)
    assert call.is_up and len(carol.calls) == len(b2bua.calls) == 1


def test_caller_gives_up_while_he_listens(node: Node) -> None:
    node.share(announcements={4: frozenset({"announce_before_call_setup"})})
    node.prefer("bob", play_announce_before_call_setup="1", sound_set="4")
    bob = node.registered("bob", "192.0.2.20")
    both(node, RINGS)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(1.0)
    call.cancel()
    node.wire.run(2.0)
    assert (call.status, bob.calls, node.acc.log) == (487, [], [("INVITE", "487")])
    assert_nothing_is_left(node)
