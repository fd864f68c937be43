"""Call forwards, redirections and phones in turn, through load-balancer and proxy, on the virtual clock."""

import math

import pytest

from flows.attempts import ANSWERS, IS_BUSY, IS_DEAD, RINGS, Script
from flows.phones import Call, Phone
from flows.whole import Node
from ngcp.provisioning.runtime import Destination, Forward

VOICEBOX = ("127.0.0.1", 5070)


@pytest.fixture
def node() -> Node:
    return Node()


def forward(kind: str, *uris: str, timeout: float = 30.0) -> Forward:
    return Forward(kind, tuple(Destination(uri, timeout) for uri in uris))


def voicebox(node: Node) -> Phone:
    return Phone(node.wire, "voicebox", VOICEBOX, ("127.0.0.1", 5062), script=((0.0, 200),))


def call_bob(node: Node, seconds: float = 5.0) -> Call:
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(seconds)
    return call


def statuses(call: Call) -> list[int]:
    assert call.attempt is not None
    return [response.status for response in call.attempt.responses if response.status > 100]


def assert_nothing_is_left(node: Node) -> None:
    node.wire.run(200.0)
    assert (node.proxy.transactions, node.edge_transactions) == (0, 0)


def test_callee_busy_goes_to_voicebox(node: Node) -> None:
    box = voicebox(node)
    node.registered("bob", "192.0.2.20", script=IS_BUSY)
    node.change("bob", forwards=(forward("cfb", "sip:vmu4311002@voicebox.local"),))
    call = call_bob(node)

    assert call.is_up and statuses(call) == [181, 200]
    invite = box.calls[0].invite
    assert invite.uri == "sip:vmb4311002@voicebox.local"
    told = {name: invite.get(name) for name in ("P-Callee-UUID", "P-Caller-UUID", "P-CF-Depth")}
    assert told == {"P-Callee-UUID": "uuid-bob", "P-Caller-UUID": "uuid-alice", "P-CF-Depth": "1"}
    call.hang_up()
    node.wire.run(1.0)
    assert box.calls[0].is_ended
    assert_nothing_is_left(node)


def test_the_voicebox_hangs_up(node: Node) -> None:
    box = voicebox(node)
    node.change("bob", forwards=(forward("cfna", "sip:vmu4311002@voicebox.local"),))
    call = call_bob(node)
    bye = box.calls[0].hang_up()
    node.wire.run(1.0)

    assert (bye.status, call.is_ended) == (200, True)
    assert_nothing_is_left(node)


def test_messages_are_heard_by_the_service_number(node: Node) -> None:
    box, alice = voicebox(node), node.registered("alice", "192.0.2.10")
    call = alice.call("2000")
    node.wire.run(3.0)

    assert call.is_up
    assert box.calls[0].invite.get("P-Caller-UUID") == "uuid-alice"


@pytest.mark.parametrize("uri", ["sip:vmu4311002@voicebox.local", "sip:conf=1@conference.local"])
def test_nobody_calls_an_application_by_its_name(node: Node, uri: str) -> None:
    box, alice = voicebox(node), node.registered("alice", "192.0.2.10")
    call = alice.call(uri)
    node.wire.run(3.0)

    assert (call.status, box.calls) == (403, [])


def test_no_answer_forwards_after_ringtimeout(node: Node) -> None:
    bob = node.registered("bob", "192.0.2.20", script=RINGS)
    carol = node.registered("carol", "192.0.2.30")
    node.prefer("bob", ringtimeout="10")
    node.change("bob", forwards=(forward("cft", "sip:4311003@example.org"),))
    call = call_bob(node, 9.5)
    assert (call.status, carol.calls) == (180, [])

    node.wire.run(3.0)
    assert call.is_up and statuses(call) == [180, 181, 180, 200]
    assert bob.calls[0].status == 487
    assert_nothing_is_left(node)


@pytest.mark.parametrize(
    ("kind", "script", "within"),
    [("cfu", RINGS, 3.0), ("cfb", IS_BUSY, 3.0), ("cft", RINGS, 13.0), ("cft", IS_DEAD, 15.0)],
    ids=["cfu", "cfb", "cft", "cft of a dead phone"],
)
def test_forward_of_each_kind(node: Node, kind: str, script: Script, within: float) -> None:
    bob = node.registered("bob", "192.0.2.20", script=script)
    node.registered("carol", "192.0.2.30")
    node.prefer("bob", ringtimeout="10")
    node.change("bob", forwards=(forward(kind, "sip:carol@example.org"),))
    call = call_bob(node, within)

    assert call.is_up
    assert len(bob.calls) == (0 if kind == "cfu" else 1)
    assert_nothing_is_left(node)


def test_offline_callee_forwards(node: Node) -> None:
    node.registered("carol", "192.0.2.30")
    node.change("bob", forwards=(forward("cfna", "sip:carol@example.org"),))

    assert call_bob(node).is_up


def test_who_is_over_his_limit_forwards(node: Node) -> None:
    bob, carol = node.registered("bob", "192.0.2.20"), node.registered("carol", "192.0.2.30")
    node.prefer("bob", concurrent_max="1")
    node.change("bob", forwards=(forward("cfo", "sip:carol@example.org"),))
    alice = node.registered("alice", "192.0.2.10")
    first, second = alice.call("bob"), alice.call("bob")
    node.wire.run(3.0)

    assert first.is_up and second.is_up
    assert (len(bob.calls), len(carol.calls)) == (1, 1)


def test_destinations_one_after_the_other(node: Node) -> None:
    """Each has its own time to ring; the last failure is the caller's."""
    node.registered("bob", "192.0.2.20", script=RINGS)
    carol, box = node.registered("carol", "192.0.2.30", script=RINGS), voicebox(node)
    uris = "sip:carol@example.org", "sip:nobody@example.org", "sip:vmu4311002@voicebox.local"
    node.change("bob", forwards=(forward("cfu", *uris, timeout=5.0),))
    call = call_bob(node, 4.5)
    assert (carol.calls[0].status, box.calls) == (180, [])

    node.wire.run(2.0)
    assert call.is_up and carol.calls[0].status == 487
    assert box.calls[0].invite.uri == "sip:vmu4311002@voicebox.local"
    assert_nothing_is_left(node)


def test_forwards_in_a_chain(node: Node) -> None:
    """Alice to bob, who forwards to carol, whose phone is busy and who forwards to dave."""
    node.directory.add("dave", "4311004")
    carol, dave = (
        node.registered("carol", "192.0.2.30", script=IS_BUSY),
        node.registered("dave", "192.0.2.40"),
    )
    node.change("bob", forwards=(forward("cfu", "sip:carol@example.org"),))
    node.change("carol", forwards=(forward("cfb", "sip:dave@example.org"),))
    call = call_bob(node)

    assert call.is_up and statuses(call) == [181, 181, 180, 200]
    assert (len(carol.calls), len(dave.calls)) == (1, 1)


def test_forward_loop_is_refused(node: Node) -> None:
    node.change("bob", forwards=(forward("cfu", "sip:carol@example.org"),))
    node.change("carol", forwards=(forward("cfu", "sip:bob@example.org"),))
    call = call_bob(node)

    assert call.attempt is not None and call.attempt.final is not None
    assert (call.status, call.attempt.final.reason) == (480, "Unable to resolve destination")
    assert_nothing_is_left(node)


def test_a_circle_through_another_network_is_refused(node: Node) -> None:
    """Each time round it is a new call, from the same caller to the same destination."""
    node.registered("carol", "192.0.2.30")
    node.change("bob", forwards=(forward("cfu", "sip:carol@example.org"),))
    alice = node.registered("alice", "192.0.2.10")
    calls = [alice.call("bob") for _ in range(6)]
    node.wire.run(3.0)

    assert [call.status for call in calls] == [200] * 5 + [480]


def test_caller_gives_up_while_the_destination_rings(node: Node) -> None:
    box = voicebox(node)
    carol = node.registered("carol", "192.0.2.30", script=RINGS)
    uris = "sip:carol@example.org", "sip:vmu4311002@voicebox.local"
    node.change("bob", forwards=(forward("cfu", *uris),))
    call = call_bob(node, 2.0)
    call.cancel()
    node.wire.run(2.0)

    assert (call.status, carol.calls[0].status, box.calls) == (487, 487, [])
    assert_nothing_is_left(node)


def test_media_stay_anchored_from_one_place_to_the_next(node: Node) -> None:
    """A new offer for the next one: the caller's side keeps its ports, and is let go of at the end only."""
    voicebox(node)
    node.registered("bob", "192.0.2.20", script=IS_BUSY)
    node.change("bob", forwards=(forward("cfb", "sip:vmu4311002@voicebox.local"),))
    call = call_bob(node)
    call.hang_up()
    node.wire.run(1.0)

    assert [command[0] for command in node.relay.log] == ["offer", "offer", "answer", "delete"]
    assert len({command["from-tag"] for command in node.relay.commands}) == 1


def test_phone_redirects(node: Node) -> None:
    """RFC 3261 §16.7: who is named is called, once each, the best first."""
    bob = node.registered("bob", "192.0.2.20", script=((0.1, 302),))
    carol = node.registered("carol", "192.0.2.30")
    bob.moved = ("<sip:nobody@example.org>;q=0.5", "<tel:+4311003>;q=0.7", "<sip:bob@example.org>")
    call = call_bob(node)

    assert call.is_up and len(carol.calls) == len(bob.calls) == 1


@pytest.mark.parametrize(("deflection", "status"), [("disabled", 302), ("enabled", 200)])
def test_redirection_as_the_callee_may(node: Node, deflection: str, status: int) -> None:
    bob = node.registered("bob", "192.0.2.20", script=((0.1, 302),))
    node.registered("carol", "192.0.2.30")
    bob.moved = ("<sip:carol@example.org>",)
    node.prefer("bob", call_deflection=deflection)

    assert call_bob(node).status == status


def test_phones_that_send_to_each_other(node: Node) -> None:
    bob = node.registered("bob", "192.0.2.20", script=((0.1, 302),))
    carol = node.registered("carol", "192.0.2.30", script=((0.1, 302),))
    bob.moved, carol.moved = ("<sip:carol@example.org>",), ("<sip:bob@example.org>",)
    call = call_bob(node)

    assert (call.status, len(bob.calls), len(carol.calls)) == (480, 1, 1)


def ring_desk_and_mobile(node: Node, desk: Script, mobile: Script) -> tuple[Phone, Phone]:
    """Let bob have a desk phone that is his first choice, and a mobile."""
    phones = []
    for host, script, q in (("192.0.2.20", desk, 1.0), ("192.0.2.21", mobile, 0.5)):
        phone = node.phone("bob", host, script=script)
        phone.register(contact=f"<{phone.contact}>;q={q}")
        node.wire.run(0.5)
        phones.append(phone)
    return phones[0], phones[1]


@pytest.mark.parametrize(("forking", "rings_at_once"), [("no", True), ("standard", False)])
def test_phones_ring_by_q(node: Node, forking: str, rings_at_once: bool) -> None:
    desk, mobile = ring_desk_and_mobile(node, RINGS, ANSWERS)
    node.prefer("bob", serial_forking_by_q_value=forking, contact_ringtimeout="5")
    call = call_bob(node, 3.0)
    assert (len(desk.calls), len(mobile.calls)) == (1, 1 if rings_at_once else 0)

    node.wire.run(4.0)
    assert call.is_up and desk.calls[0].status == 487
    assert_nothing_is_left(node)


def test_a_code_that_stops_the_search(node: Node) -> None:
    _, mobile = ring_desk_and_mobile(node, IS_BUSY, ANSWERS)
    node.prefer("bob", serial_forking_by_q_value="standard", stop_forking_code_lists="486")
    call = call_bob(node, 3.0)

    assert (call.status, mobile.calls) == (486, [])


def test_refused_everywhere(node: Node) -> None:
    """§21.6: no other phone and no other destination is asked."""
    _, mobile = ring_desk_and_mobile(node, ((0.1, 603),), ANSWERS)
    box = voicebox(node)
    node.prefer("bob", serial_forking_by_q_value="standard")
    node.change("bob", forwards=(forward("cfb", "sip:vmu4311002@voicebox.local"),))
    call = call_bob(node, 3.0)

    assert (call.status, mobile.calls, box.calls) == (603, [], [])


def test_a_phone_that_is_late(node: Node) -> None:
    """It answers while the next one is asked: the caller gets one call, and nobody rings on."""
    bob = node.registered("bob", "192.0.2.20", script=((0.0, 180), (10.05, 200)))
    carol = node.registered("carol", "192.0.2.30", script=RINGS)
    bob.heeds_cancel = False
    node.prefer("bob", ringtimeout="10")
    node.change("bob", forwards=(forward("cft", "sip:carol@example.org", timeout=math.inf),))
    call = call_bob(node, 20.0)

    assert call.is_up and bob.calls[0].is_up
    assert all(other.status == 487 for other in carol.calls)
    records = [(row.dst_user, row.sip_code) for row in node.acc.rows.values() if row.method == "INVITE"]
    assert records == [("bob", "200")]
    call.hang_up()
    assert_nothing_is_left(node)


def test_a_phone_that_is_too_late(node: Node) -> None:
    """It answers after the next one did: the caller gets both answers, and one call is recorded."""
    bob = node.registered("bob", "192.0.2.20", script=((0.0, 180), (15.0, 200)))
    node.registered("carol", "192.0.2.30")
    bob.heeds_cancel = False
    node.prefer("bob", ringtimeout="10")
    node.change("bob", forwards=(forward("cft", "sip:carol@example.org"),))
    call = call_bob(node, 20.0)

    assert call.is_up and bob.calls[0].status == 200
    call.hang_up()
    node.wire.run(2.0)
    assert [row.dst_user for row in node.acc.rows.values() if row.sip_code == "200"].count("carol") == 1
    assert_nothing_is_left(node)
