"""Calls between two registered phones, through load-balancer, proxy and (in memory) media relay."""

from collections.abc import Callable

import pytest

from flows.attempts import ANSWERS, IS_BUSY, IS_DEAD, RINGS, SDP, Script
from flows.phones import Call, Phone
from flows.whole import EDGE, INSIDE, PROXY, Node
from flows.wire import Packet, Wire
from ngcp.sip.syntax import NameAddr


@pytest.fixture(params=[(1, False), (3, False), (1, True)], ids=["one worker", "three workers", "bypass"])
def node(request: pytest.FixtureRequest) -> Node:
    workers, bypass = request.param
    return Node(workers=workers, bypass=bypass)


def call_bob(node: Node, *, script: Script = ANSWERS, transport: str = "udp") -> tuple[Call, Phone]:
    """Let alice call bob, and three seconds pass."""
    bob = node.registered("bob", "192.0.2.20", script=script)
    alice = node.registered("alice", "192.0.2.10", transport=transport)
    call = alice.call("bob")
    node.wire.run(3.0)
    return call, bob


def assert_nothing_is_left(node: Node) -> None:
    node.wire.run(200.0)
    assert (node.proxy.transactions, node.edge_transactions) == (0, 0)


@pytest.mark.parametrize("hangs_up", ["caller", "callee"])
def test_call_answered_and_ended(node: Node, hangs_up: str) -> None:
    call, bob = call_bob(node)
    assert call.is_up and bob.calls[0].is_up

    bye = (call if hangs_up == "caller" else bob.calls[0]).hang_up()
    node.wire.run(1.0)
    assert bye.status == 200
    assert [command[0] for command in node.relay.log] == ["offer", "answer", "delete"]
    assert_nothing_is_left(node)


def test_both_sides_talk_to_the_media_relay(node: Node) -> None:
    call, bob = call_bob(node)
    assert call.attempt is not None and call.attempt.final is not None
    assert bob.calls[0].invite.body == call.attempt.final.body == SDP + b"a=relayed\r\n"


def test_callee_by_number(node: Node) -> None:
    bob, alice = node.registered("bob", "192.0.2.20"), node.registered("alice", "192.0.2.10")
    calls = [alice.call(number) for number in ("4311002", "+4311002")]
    node.wire.run(3.0)
    assert [call.is_up for call in calls] == [True, True]
    assert len(bob.calls) == 2


def test_callee_busy(node: Node) -> None:
    call, bob = call_bob(node, script=IS_BUSY)
    assert (call.status, bob.calls[0].is_ended) == (486, True)
    assert [command[0] for command in node.relay.log] == ["offer", "delete"]
    assert_nothing_is_left(node)


def test_caller_cancels(node: Node) -> None:
    call, bob = call_bob(node, script=RINGS)
    assert call.status == 180
    cancel = call.cancel()
    node.wire.run(1.0)
    assert (cancel.status, call.status, bob.calls[0].status) == (200, 487, 487)
    assert [command[0] for command in node.relay.log] == ["offer", "delete"]
    assert_nothing_is_left(node)


def test_no_answer(node: Node) -> None:
    """§16.6 step 11: timer C ends what rings too long."""
    call, bob = call_bob(node, script=RINGS)
    node.wire.run(node.ring_timeout)
    assert call.status in (408, 487)
    assert bob.calls[0].status == 487
    assert_nothing_is_left(node)


def test_callee_does_not_react(node: Node) -> None:
    call, _ = call_bob(node, script=IS_DEAD)
    node.wire.run(60.0)
    assert call.status == 408
    assert_nothing_is_left(node)


def test_callee_offline(node: Node) -> None:
    alice = node.registered("alice", "192.0.2.10")
    call = alice.call("bob")
    node.wire.run(1.0)
    assert call.attempt is not None and call.attempt.final is not None
    assert (call.status, call.attempt.final.reason) == (480, "Offline")


@pytest.mark.parametrize(
    ("callee", "status", "reason"),
    [
        ("nobody", 404, "Not Found"),
        ("sip:bob@example.net", 403, "Relaying denied"),
    ],
)
def test_callee_that_is_not_ours(node: Node, callee: str, status: int, reason: str) -> None:
    call = node.registered("alice", "192.0.2.10").call(callee)
    node.wire.run(1.0)
    assert call.attempt is not None and call.attempt.final is not None
    assert (call.status, call.attempt.final.reason) == (status, reason)


def test_wrong_password(node: Node) -> None:
    alice = node.registered("alice", "192.0.2.10")
    alice.password = "guessed"
    call = alice.call("bob")
    node.wire.run(1.0)
    assert call.attempt is not None
    assert call.attempt.status == 407
    assert_nothing_is_left(node)


@pytest.mark.parametrize("asks", ["caller", "callee"])
def test_reinvite(node: Node, asks: str) -> None:
    """§14: the session is offered again, from either side, and anchored again."""
    call, bob = call_bob(node)
    asker, other = (call, bob.calls[0]) if asks == "caller" else (bob.calls[0], call)
    attempt = asker.request("INVITE", SDP)
    node.wire.run(1.0)
    assert attempt.status == 200
    assert [request.method for request in other.received] == ["INVITE"]
    assert [command[0] for command in node.relay.log] == ["offer", "answer", "offer", "answer"]


def test_every_phone_of_the_callee_rings_and_the_others_stop(node: Node) -> None:
    desk = node.registered("bob", "192.0.2.20")
    soft = node.registered("bob", "192.0.2.21", script=RINGS)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)
    assert call.is_up and desk.calls[0].is_up
    assert soft.calls[0].status == 487
    call.hang_up()
    assert_nothing_is_left(node)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_caller_and_callee_on_different_transports(node: Node, transport: str) -> None:
    call, bob = call_bob(node, transport=transport)
    assert call.is_up and bob.calls[0].is_up
    bob.calls[0].hang_up()
    node.wire.run(1.0)
    assert call.is_ended
    assert_nothing_is_left(node)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_callee_is_reached_over_the_connection_it_made(node: Node, transport: str) -> None:
    bob = node.registered("bob", "192.0.2.20", transport=transport)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)
    assert call.is_up and bob.calls[0].is_up
    call.hang_up()
    node.wire.run(1.0)
    assert bob.calls[0].is_ended


def test_callee_whose_connection_is_gone_is_offline(node: Node) -> None:
    """RFC 5626 §5.3.1: nobody else can reach a phone behind a broken flow."""
    bob = node.registered("bob", "192.0.2.20", transport="tls")
    alice = node.registered("alice", "192.0.2.10")
    node.wire.hang_up("tls", bob.flow.local)
    call = alice.call("bob")
    node.wire.run(1.0)
    assert call.attempt is not None and call.attempt.final is not None
    assert (call.status, call.attempt.final.reason) == (480, "Offline")


def test_dead_media_relay_refuses_the_call(node: Node) -> None:
    node.relay.dead = True
    call, bob = call_bob(node)
    assert call.attempt is not None and call.attempt.final is not None
    assert (call.status, call.attempt.final.reason) == (503, "Media Relay Unavailable")
    assert bob.calls == []


def test_dead_database_does_not_stop_calls_between_those_we_know(node: Node) -> None:
    node.registered("bob", "192.0.2.20")
    alice = node.registered("alice", "192.0.2.10")
    node.directory.dead = node.table.dead = True
    node.wire.run(600.0)
    call = alice.call("bob")
    node.wire.run(3.0)
    assert call.is_up


def test_dead_database_refuses_the_call_of_somebody_we_forgot_and_recovers(node: Node) -> None:
    node.registered("bob", "192.0.2.20")
    alice = node.registered("alice", "192.0.2.10")
    node.restart_proxy()
    node.directory.dead = True
    refused = alice.call("bob")
    node.wire.run(3.0)
    node.directory.dead = False
    accepted = alice.call("bob")
    node.wire.run(3.0)
    assert (refused.status, accepted.is_up) == (503, True)


def test_running_call_outlives_the_proxy(node: Node) -> None:
    call, bob = call_bob(node)
    node.restart_proxy()
    assert call.hang_up()
    node.wire.run(1.0)
    assert bob.calls[0].is_ended


@pytest.mark.parametrize("method", ["INVITE", "BYE", "MESSAGE"])
def test_forged_route_leads_nowhere(node: Node, method: str) -> None:
    """A To tag and a Route that we never handed out do not get a stranger around authentication."""
    bob = node.registered("bob", "192.0.2.20")
    stranger = node.phone("mallory", "192.0.2.66")
    routes = [f"Route: <sip:{host}:{port};lr>" for host, port in (EDGE, INSIDE, PROXY, INSIDE)]
    attempt = stranger.send_request(method, "sip:bob@192.0.2.20:5060", None, routes)
    attempt.request.set("To", "<sip:bob@example.org>;tag=1")
    stranger.messages_to_send()
    stranger.send_raw(bytes(attempt.request))
    node.wire.run_until(lambda: attempt.is_over)
    assert attempt.status in (403, 404, 481)
    assert bob.seen == []


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_party_to_a_call_cannot_aim_its_route_at_others(node: Node, method: str) -> None:
    """The route is signed, and so is the only target it leads to."""
    call, _ = call_bob(node)
    call.target = "sip:victim@203.0.113.7"
    attempt = call.request(method, SDP)
    node.wire.run_until(lambda: attempt.is_over)
    assert attempt.status == 403
    assert node.wire.sent_to(("203.0.113.7", 5060)) == []


def test_callee_sees_neither_credentials_nor_internal_headers(node: Node) -> None:
    _, bob = call_bob(node)
    invite = bob.calls[0].invite
    internal = [name for name in invite.shape if name.startswith("p-") or "authorization" in name]
    assert internal == ["p-asserted-identity"]
    assert NameAddr.parse(invite.first("Contact")).uri.user == "ngcp-lb"


def play(meddler: Callable[[Packet], int]) -> tuple[Wire, list[Packet]]:
    """A call from its INVITE to its end, with `meddler` on the wire."""
    node = Node()
    bob, alice = node.registered("bob", "192.0.2.20"), node.registered("alice", "192.0.2.10")
    first = len(node.wire.packets)
    node.wire.meddler = meddler
    call = alice.call("bob")
    node.wire.run_until(lambda: call.is_up and bob.calls[0].is_up, 60.0)
    assert call.is_up and bob.calls[0].is_up
    bye = call.hang_up()
    node.wire.run_until(lambda: bye.is_over, 60.0)
    assert bye.status == 200
    assert len(bob.calls) == 1
    assert node.wire.run_until(lambda: bob.calls[0].is_ended)
    packets = node.wire.packets[first:]
    assert_nothing_is_left(node)
    return node.wire, packets


STEPS = len(play(lambda packet: 1)[1])


@pytest.mark.parametrize("copies", [0, 2], ids=["lost", "doubled"])
@pytest.mark.parametrize("step", range(STEPS))
def test_message_is_lost_or_doubled_at_each_step(step: int, copies: int) -> None:
    """§17: whatever one datagram suffers, the call comes up once and goes down once."""
    start = play(lambda packet: 1)[1][0].number
    play(lambda packet: copies if packet.number == start + step else 1)
