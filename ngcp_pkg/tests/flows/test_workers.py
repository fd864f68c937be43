"""Several workers of the load-balancer: a phone stays with one, what goes astray is handed over."""

import pytest

from flows.attempts import RINGS, Attempt
from flows.phones import Call, Phone
from flows.whole import B2BUA, EDGE, INSIDE, PROXY, Node
from flows.wire import Packet
from ngcp.lb.channel import TRANSPORT
from ngcp.sip.syntax import NameAddr
from ngcp.sip.transport.flow import Address

#: Where the second and the third worker are reached from inside.
SECOND, THIRD = ("127.0.0.1", 5101), ("127.0.0.1", 5102)
#: Phones of the first, second and third of three workers.
FIRSTS, SECONDS, THIRDS = "192.0.2.30", "192.0.2.10", "192.0.2.20"
PEER = ("127.0.0.1", 5090)


@pytest.fixture
def node() -> Node:
    return Node(workers=3)


@pytest.fixture
def direct() -> Node:
    """Return one where the callee sees the caller's own Contact, masked."""
    return Node(workers=3, bypass=True)


def set_up(node: Node, caller: Phone, callee: str = "bob") -> Call:
    call = caller.call(callee)
    assert node.wire.run_until(lambda: call.is_up), call.status
    node.wire.run(1.0)
    return call


def complete(node: Node, attempt: Attempt) -> None:
    assert node.wire.run_until(lambda: attempt.is_over)
    assert attempt.status == 200


def between_workers(node: Node) -> list[Packet]:
    return [packet for packet in node.wire.packets if packet.transport == TRANSPORT]


def inside(node: Node) -> set[Address]:
    """Return the load-balancer's sockets that the proxy spoke to."""
    return {packet.destination for packet in node.wire.packets if packet.source == PROXY} - {B2BUA}


def test_a_call_needs_no_word_between_the_workers(node: Node) -> None:
    bob, alice = node.registered("bob", THIRDS), node.registered("alice", SECONDS)
    node.wire.packets.clear()
    call = set_up(node, alice)
    complete(node, call.request("INVITE", b"v=0\r\n"))
    complete(node, bob.calls[0].request("INVITE", b"v=0\r\n"))
    complete(node, bob.calls[0].hang_up())
    cancelled = alice.call("bob")
    node.wire.run(0.5)
    cancelled.cancel()
    node.wire.run(5.0)

    assert cancelled.status == 487
    assert inside(node) == {SECOND, THIRD}, "the first worker has no part in it"
    assert between_workers(node) == []


def test_a_phone_is_registered_with_the_worker_it_has(node: Node) -> None:
    for user, host in (("alice", FIRSTS), ("bob", SECONDS), ("carol", THIRDS)):
        node.registered(user, host)

    assert inside(node) == {INSIDE, SECOND, THIRD}


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_what_names_no_worker_goes_by_the_first_to_a_phone_of_any(direct: Node, transport: str) -> None:
    """A peer inside calls a masked Contact: it knows one address of ours, and the phone is another's."""
    bob = direct.registered("bob", THIRDS, script=RINGS)
    alice = direct.registered("alice", SECONDS, transport=transport)
    alice.call("bob")
    assert direct.wire.run_until(lambda: bob.calls != [])
    masked = NameAddr.parse(bob.calls[0].invite.first("Contact")).address

    peer = Phone(direct.wire, "peer", PEER, INSIDE)
    call = peer.call(masked)
    assert direct.wire.run_until(lambda: call.is_up)
    direct.wire.run(1.0)
    assert alice.calls[-1].is_up
    complete(direct, call.hang_up())
    assert alice.calls[-1].is_ended
    cancelled = peer.call(masked)
    direct.wire.run(0.5)
    cancelled.cancel()
    direct.wire.run(1.0)
    assert cancelled.status == 487
    assert direct.edges[1].counters["handed_over"] > 0


def test_a_connection_that_another_worker_loses_fails_what_waits_for_it(direct: Node) -> None:
    """RFC 3261 §16.9, as with one's own: 503, not 32 seconds of silence."""
    bob = direct.registered("bob", THIRDS, script=RINGS)
    alice = direct.registered("alice", SECONDS, transport="tcp", script=())
    alice.call("bob")
    assert direct.wire.run_until(lambda: bob.calls != [])
    masked = NameAddr.parse(bob.calls[0].invite.first("Contact")).address
    peer = Phone(direct.wire, "peer", PEER, INSIDE)

    waiting = peer.call(masked)
    direct.wire.run(0.5)
    direct.wire.hang_up("tcp", alice.flow.local)
    direct.wire.run(1.0)
    late = peer.call(masked)
    direct.wire.run(1.0)

    assert (waiting.status, late.status) == (503, 430)


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (3, 2), (2, 3)])
@pytest.mark.parametrize("hangs_up", ["caller", "callee"])
def test_calls_outlive_a_restart_with_another_number_of_workers(
    before: int, after: int, hangs_up: str
) -> None:
    """What was handed out (Path, Record-Route, masked Contact) names workers that may be no more."""
    node = Node(workers=before)
    bob, alice = node.registered("bob", THIRDS), node.registered("alice", SECONDS)
    call = set_up(node, alice)

    node.restart_edge(after)
    complete(node, call.request("INVITE", b"v=0\r\n"))
    complete(node, bob.calls[0].request("INVITE", b"v=0\r\n"))
    complete(node, (call if hangs_up == "caller" else bob.calls[0]).hang_up())
    set_up(node, alice)
    set_up(node, bob, "alice")

    node.wire.run(200.0)
    assert (node.proxy.transactions, node.edge_transactions) == (0, 0)


def test_a_phone_moves_to_its_worker_when_it_registers_again() -> None:
    node = Node(workers=1)
    bob, alice = node.registered("bob", THIRDS), node.registered("alice", SECONDS)
    node.restart_edge(3)
    for phone in (bob, alice):
        complete(node, phone.register())
    node.wire.packets.clear()

    set_up(node, alice)

    assert inside(node) == {SECOND, THIRD}
    assert between_workers(node) == []


def test_a_branch_that_a_stranger_made_up_costs_nobody_anything(node: Node) -> None:
    """A response with the branch of a worker is handed over, one of none is dropped where it came."""
    phone = Phone(node.wire, "mallory", (SECONDS, 5060), EDGE)
    for branch in ("2.0123", "1.0123", "7.0123", "99999.1", "-1.1", "\u0662.1", ".", "x", ""):
        phone.send_raw(
            f"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK{branch}\r\n"
            "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
            "Content-Length: 0\r\n\r\n".encode()
        )
    node.wire.run(1.0)

    assert [edge.counters["handed_over"] for edge in node.edges] == [0, 1, 0]
    assert [packet.destination for packet in between_workers(node)] == [(TRANSPORT, 2)]
    assert node.wire.sent_to(phone.flow.local) == []


def test_a_ban_holds_with_every_worker_and_its_end_too(node: Node) -> None:
    attacker = Phone(node.wire, "mallory", (SECONDS, 5060), EDGE)
    for _ in range(80):
        attacker.send_request("OPTIONS", f"sip:{EDGE[0]}")
    node.wire.run(1.0)

    def bans() -> list[list[str]]:
        return [list(edge.protection.tables["ipban"].entries) for edge in node.edges]

    assert bans() == [[SECONDS]] * 3
    node.edges[0].protection.tables["ipban"].delete(SECONDS)
    node.edges[0].handle_timer(node.wire.now)
    node.wire.run(1.0)
    assert bans() == [[]] * 3
