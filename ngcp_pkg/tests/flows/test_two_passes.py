"""A call passes the proxy twice, with the B2BUA between: what each pass does, and what if nobody is there."""

from collections.abc import Callable

import pytest

from flows.attempts import ANSWERS, IS_BUSY, IS_DEAD, RINGS, SDP, Script
from flows.phones import Call, Phone
from flows.whole import B2BUA, EDGE, INSIDE, PROXY, Node
from ngcp.b2bua.profile import Profile
from ngcp.provisioning.runtime import Destination, Forward
from ngcp.proxy.passes import NET
from ngcp.sip.syntax import NameAddr, Request, parse
from ngcp.sip.transport.flow import Address
from proxy.stores import DB


@pytest.fixture
def node() -> Node:
    return Node()


def call_bob(node: Node, script: Script = ANSWERS) -> tuple[Call, Phone]:
    bob = node.registered("bob", "192.0.2.20", script=script)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)
    return call, bob


def invites_to(node: Node, address: Address) -> list[Request]:
    packets = [packet for packet in node.wire.sent_to(address) if packet.start.startswith("INVITE ")]
    return [message for packet in packets if isinstance(message := parse(packet.data), Request)]


def told(node: Node) -> list[Request]:
    """Return the INVITEs of the first pass."""
    return [request for request in invites_to(node, B2BUA) if "P-App-Name" in request]


def test_first_pass_tells_the_b2bua_what_it_must_know(node: Node) -> None:
    call_bob(node)
    (invite,) = told(node)
    assert invite.uri == "sip:bob@example.org"
    assert invite.get("P-App-Name") == "sbc"
    assert invite.get("P-App-Param") == ";calltimer=21600;aleg_sst_enable=no;sst_enable=no"
    assert invite.get("P-Proxy-Uri") == "<sip:127.0.0.1:5062;lr>"
    assert (invite.get("P-Caller-UUID"), invite.get("P-Callee-UUID")) == ("uuid-alice", "uuid-bob")
    assert len(invite.first("P-NGCP-Attempt")) > 0


def test_second_pass_records_a_route_of_its_own(node: Node) -> None:
    call, bob = call_bob(node)
    leg_b = bob.calls[0]
    assert leg_b.call_id == f"{call.call_id}_b2b-1"
    requests = invites_to(node, INSIDE)
    route = NameAddr.parse(requests[-1].first("Record-Route"), "Record-Route").uri
    assert list(route.params) == ["lr", "ftag", "leg_b", "did"]


def test_all_but_the_way_belongs_to_the_first_pass(node: Node) -> None:
    call, bob = call_bob(node)
    assert [live.call_id for live in node.proxy.ledger] == [call.call_id]
    assert node.proxy.ledger.counts["total"] == 1
    assert node.proxy.counters["requests.INVITE"] == 2, "one of them was challenged"
    renewed = bob.calls[0].request("INVITE", b"v=0\r\n")
    node.wire.run(1.0)
    bob.calls[0].hang_up()
    node.wire.run(1.0)
    assert renewed.status == 200 and call.is_ended
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]
    assert [command for command, *_ in node.relay.log] == ["offer", "answer"] * 2 + ["delete"]
    assert {command["call-id"] for command in node.relay.commands} == {call.call_id}
    assert node.proxy.counters["requests.BYE"] == 1
    assert not any(node.redis.hashes(DB.own).values())


def test_neither_side_sees_the_leg_of_the_other(node: Node) -> None:
    call, bob = call_bob(node)
    call.request("INVITE", SDP)
    node.wire.run(1.0)
    bob.calls[0].request("INVITE", SDP)
    node.wire.run(1.0)
    call.hang_up()
    node.wire.run(1.0)
    to_alice, to_bob = (_texts(node, host) for host in ("192.0.2.10", "192.0.2.20"))
    assert len(to_alice) > 5 and len(to_bob) > 3
    assert [text for text in to_alice if "_b2b-1" in text or bob.calls[0].local in text] == []
    tag = NameAddr.parse(call.local).tag
    told = [text.replace(bob.calls[0].call_id, "") for text in to_bob]
    assert [text for text in told if f"tag={tag}" in text or "@192.0.2.10" in text] == []


def _texts(node: Node, host: str) -> list[str]:
    return [packet.text for packet in node.wire.sent_to((host, 5060)) if "REGISTER" not in packet.text]


def hang_up(node: Node, call: Call, bob: Phone) -> None:
    call.hang_up()


def bob_hangs_up(node: Node, call: Call, bob: Phone) -> None:
    bob.calls[0].hang_up()


def operator_hangs_up(node: Node, call: Call, bob: Phone) -> None:
    (live,) = node.proxy.ledger
    node.proxy.ledger.terminate(live)


@pytest.mark.parametrize("end", [hang_up, bob_hangs_up, operator_hangs_up])
def test_whoever_ends_a_call_ends_both_legs(node: Node, end: Callable[[Node, Call, Phone], None]) -> None:
    call, bob = call_bob(node)
    end(node, call, bob)
    node.wire.run(2.0)
    assert call.is_ended and bob.calls[0].is_ended
    assert len(node.proxy.ledger) == 0
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]


@pytest.mark.parametrize("script", [ANSWERS, IS_BUSY, IS_DEAD, RINGS])
def test_an_attempt_is_forgotten_once_it_is_answered(node: Node, script: Script) -> None:
    node.ring_timeout = 10.0
    node.restart_proxy()
    node.change("bob", forwards=(Forward("cfb", (Destination("sip:carol@example.org", 5.0),)),))
    node.registered("carol", "192.0.2.30", script=RINGS)
    call, _ = call_bob(node, script)
    assert len(node.proxy.passes) == (0 if call.is_up else 1)
    node.wire.run(100.0)
    assert len(node.proxy.passes) == 0
    assert node.proxy.transactions == 0


def test_a_b2bua_that_is_silent(node: Node) -> None:
    node.wire.detach(node.b2bua)
    call, bob = call_bob(node)
    assert call.attempt is not None and call.attempt.final is not None
    assert (call.status, call.attempt.final.reason) == (503, "B2BUA Unavailable")
    assert bob.calls == []
    assert node.acc.log == [("INVITE", "503")]
    assert [command for command, *_ in node.relay.log] == ["offer", "delete"]
    assert (len(node.proxy.passes), len(node.proxy.ledger)) == (0, 0)


@pytest.mark.parametrize("end", [hang_up, bob_hangs_up])
@pytest.mark.parametrize("is_back", [True, False])
def test_a_b2bua_that_dies_within_a_call(
    node: Node, end: Callable[[Node, Call, Phone], None], is_back: bool
) -> None:
    """Whoever hangs up next ends the call in the book; the caller hears of it if that was the callee."""
    call, bob = call_bob(node)
    node.wire.detach(node.b2bua)
    if is_back:
        node.start_b2bua()
    end(node, call, bob)
    node.wire.run(0.1)
    if not is_back:
        node.proxy.target_unreachable(B2BUA, node.wire.now)
    node.wire.run(5.0)
    assert call.is_ended and bob.calls[0].is_ended is (end is bob_hangs_up)
    assert len(node.proxy.ledger) == 0
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]


def test_a_b2bua_that_is_not_running(node: Node) -> None:
    """The system says at once that nobody listens at its port; a call that rings is left alone."""
    bob = node.registered("bob", "192.0.2.20", script=RINGS)
    alice = node.registered("alice", "192.0.2.10")
    ringing = alice.call("bob")
    node.wire.run(1.0)
    node.wire.detach(node.b2bua)
    call, began = alice.call("bob"), node.wire.now
    node.wire.run_until(lambda: len(told(node)) == 2)
    node.proxy.target_unreachable(B2BUA, node.wire.now)
    assert node.wire.run_until(lambda: call.is_ended)
    assert (call.status, node.wire.now - began < 0.5) == (503, True)
    assert (ringing.status, len(bob.calls)) == (180, 1)


def test_nobody_else_is_unreachable_by_that(node: Node) -> None:
    call, _ = call_bob(node, RINGS)
    node.proxy.target_unreachable(INSIDE, node.wire.now)
    node.wire.run(1.0)
    assert call.status == 180


def test_without_a_b2bua_calls_of_the_node_itself_go_on(node: Node) -> None:
    node.wire.detach(node.b2bua)
    box = Phone(node.wire, "box", ("127.0.0.1", 5070), PROXY)
    call = node.registered("alice", "192.0.2.10").call("2000")
    node.wire.run(3.0)
    assert call.is_up and len(box.calls) == 1


def test_a_message_passes_once(node: Node) -> None:
    bob = node.registered("bob", "192.0.2.20")
    alice = node.registered("alice", "192.0.2.10")
    sent = alice.send_request("MESSAGE", "sip:bob@example.org")
    node.wire.run(1.0)
    assert sent.status == 200 and [request.method for request in bob.seen] == ["MESSAGE"]
    assert node.wire.sent_to(B2BUA) == []


def test_bypass() -> None:
    node = Node(bypass=True)
    call, bob = call_bob(node)
    assert call.is_up and bob.calls[0].call_id == call.call_id
    assert node.wire.sent_to(B2BUA) == []


# What the B2BUA is told


def test_the_b2bua_ends_a_call_that_lasts_too_long_and_the_proxy_need_not(node: Node) -> None:
    node.prefer("alice", max_call_duration="60")
    call, bob = call_bob(node)
    node.wire.run(60.0)
    assert call.is_ended and bob.calls[0].is_ended
    assert node.proxy.ledger.statistics["expired"] == 0
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]


def test_without_the_b2bua_the_proxy_ends_it(node: Node) -> None:
    node.prefer("alice", max_call_duration="60")
    call, _ = call_bob(node)
    node.wire.detach(node.b2bua)
    node.wire.run(60.0 + NET)
    assert call.is_ended
    assert node.proxy.ledger.statistics["expired"] == 1


def test_a_session_timer_on_the_callees_side_is_none_of_the_callers(node: Node) -> None:
    """RFC 4028: the B2BUA refreshes at half the interval."""
    node.prefer("bob", sst_enable="yes", sst_expires="90")
    call, bob = call_bob(node)
    node.wire.run(300.0)
    refreshes = [request.method for request in bob.calls[0].received]
    assert call.is_up and len(refreshes) >= 5 and set(refreshes) <= {"UPDATE", "INVITE"}
    assert call.received == []


def test_a_callee_who_is_gone_is_found_out(node: Node) -> None:
    node.prefer("bob", sst_enable="yes", sst_expires="90")
    call, bob = call_bob(node)
    node.wire.detach(bob)
    node.wire.run(200.0)
    assert call.is_ended
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]


@pytest.mark.parametrize("asks", ["alice", "bob"])
def test_a_transfer_is_a_call_of_who_asks(asks: str) -> None:
    """The B2BUA calls for him: under his preferences, in the book, through both passes again."""
    node = Node(profile=Profile(refer="execute"))
    node.prefer(asks, cli="4399")
    carol = node.registered("carol", "192.0.2.30")
    call, bob = call_bob(node)
    asking = call if asks == "alice" else bob.calls[0]
    asking.cseq += 1
    refer = ["Refer-To: <sip:carol@example.org>"]
    asked = asking.phone.send_request("REFER", asking.target, asking, refer)
    node.wire.run(5.0)
    assert asked.status == 202
    assert carol.calls[0].is_up
    assert carol.calls[0].invite.from_.uri.name == "4399"
    assert len(told(node)) == 2
    carol.calls[0].hang_up()
    node.wire.run(5.0)
    assert call.is_ended and bob.calls[0].is_ended
    assert (len(node.proxy.ledger), len(node.b2bua.calls)) == (0, 0)


def test_who_hides_hides_from_whom_he_transfers_to() -> None:
    node = Node(profile=Profile(refer="execute"))
    node.prefer("bob", clir="1")
    carol = node.registered("carol", "192.0.2.30")
    _, bob = call_bob(node)
    bob.calls[0].cseq += 1
    bob.send_request("REFER", bob.calls[0].target, bob.calls[0], ["Refer-To: <sip:carol@example.org>"])
    node.wire.run(5.0)
    assert carol.calls[0].is_up
    assert [text for text in _texts(node, "192.0.2.30") if "sip:bob" in text or "uuid-bob" in text] == []


# Strangers


@pytest.mark.parametrize(
    ("source", "edge", "status"), [(B2BUA, PROXY, 481), (("192.0.2.66", 5060), EDGE, 407)]
)
def test_a_token_that_was_not_given(node: Node, source: Address, edge: Address, status: int) -> None:
    bob = node.registered("bob", "192.0.2.20")
    stranger = Phone(node.wire, "alice", source, edge)
    call = stranger.call("bob", extra=("P-NGCP-Attempt: px000001",))
    node.wire.run(1.0)
    assert (call.status, bob.calls) == (status, [])


def test_a_token_is_the_b2buas_alone(node: Node) -> None:
    """Another element inside learnt one: its call is one like any other."""
    call_bob(node, RINGS)
    token = told(node)[0].first("P-NGCP-Attempt")
    other = Phone(node.wire, "other", ("127.0.0.1", 5070), PROXY)
    call = other.call("nobody", extra=(f"P-NGCP-Attempt: {token}",))
    node.wire.run(1.0)
    assert call.status == 404


def test_nobody_makes_leg_b_of_his_leg(node: Node) -> None:
    """A BYE along such a route would end no call in the book."""
    call, _ = call_bob(node)
    (invite,) = told(node)
    (route,) = [value for value in invite.all("Record-Route") if value.startswith("<sip:127.0.0.1:5062")]
    forged = Phone(node.wire, "forged", ("127.0.0.1", 5070), PROXY)
    lines = [f"Route: {route.replace(';did=', ';leg_b=1;did=')}", "Max-Forwards: 70", f"From: {call.local}"]
    lines += ["Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKf", f"To: {call.remote}", "CSeq: 9 BYE"]
    lines += [f"Call-ID: {call.call_id}", "Content-Length: 0"]
    attempt = forged._start(Request("BYE", "sip:127.0.0.1:5080", lines))
    node.wire.run(1.0)
    assert attempt.status == 481 and len(node.proxy.ledger) == 1
