"""Calls across the load-balancer, with a proxy inside that believes everybody."""

import re

import pytest

from flows.attempts import IS_BUSY, IS_DEAD, RINGS, Attempt, Script
from flows.edge import INTERNAL, PROXY, PUBLIC, PUBLIC_TLS, StubProxy
from flows.phones import Call, Phone
from flows.wire import Packet, Wire
from ngcp.lb.core import LoadBalancer
from ngcp.sip.syntax import NameAddr
from ngcp.sip.transport.flow import Address

pytestmark = pytest.mark.usefixtures("stub")

EDGES = {"udp": PUBLIC, "tcp": PUBLIC, "tls": PUBLIC_TLS}
TRANSPORTS = ("udp", "tcp", "tls")
ALICE, BOB = ("198.51.100.1", 40001), ("198.51.100.2", 40002)


def make_phone(
    wire: Wire, user: str, address: Address, transport: str = "udp", *, script: Script | None = None
) -> Phone:
    phone = Phone(wire, user, address, EDGES[transport], transport=transport)
    phone.script = phone.script if script is None else script
    complete(wire, phone.register())
    return phone


def complete(wire: Wire, attempt: Attempt) -> None:
    """Wait for an answer, which must be 200."""
    assert wire.run_until(lambda: attempt.is_over)
    assert attempt.status == 200


@pytest.fixture
def alice(wire: Wire) -> Phone:
    return make_phone(wire, "alice", ALICE)


@pytest.fixture
def bob(wire: Wire) -> Phone:
    return make_phone(wire, "bob", BOB)


def set_up(wire: Wire, caller: Phone, callee: str = "bob") -> Call:
    call = caller.call(callee)
    assert wire.run_until(lambda: call.is_up), call.status
    wire.run(1.0)
    return call


def outside(packets: list[Packet]) -> list[Packet]:
    """Return what phones saw."""
    return [packet for packet in packets if packet.destination not in (PUBLIC, PUBLIC_TLS, INTERNAL, PROXY)]


def test_register_tells_the_way_back_and_the_source(wire: Wire, stub: StubProxy) -> None:
    """RFC 3327, RFC 3581: behind a NAT the phone's own address is not where it is."""
    alice = Phone(wire, "alice", ALICE, PUBLIC, transport="tcp", believes=("10.0.0.5", 5060))
    attempt = alice.register()
    assert wire.run_until(lambda: attempt.is_over)

    request = stub.requests[0]
    assert request.all("Path") == [
        "<sip:lb@127.0.0.1:5060;lr;ob;socket=tcp:192.0.2.1:5060;"
        "received=sip:198.51.100.1:40001%3Btransport%3Dtcp>"
    ]
    assert request.first("Contact") == "<sip:alice@10.0.0.5:5060;transport=tcp>;expires=3600"
    source = [request.get(f"P-NGCP-Src-{name}") for name in ("Ip", "Port", "Proto", "Af")]
    assert source == ["198.51.100.1", "40001", "tcp", "4"]
    assert attempt.final is not None
    assert alice.registered == ["<sip:alice@10.0.0.5:5060;transport=tcp>;expires=3600"]
    assert attempt.final.all("Path") == [], "the inside does not show"


@pytest.mark.parametrize("callee_transport", TRANSPORTS)
@pytest.mark.parametrize("caller_transport", TRANSPORTS)
def test_call_between_all_transports(wire: Wire, caller_transport: str, callee_transport: str) -> None:
    alice = make_phone(wire, "alice", ALICE, caller_transport)
    bob = make_phone(wire, "bob", BOB, callee_transport)

    call = set_up(wire, alice)
    assert bob.calls[0].is_up
    complete(wire, call.hang_up())

    assert bob.calls[0].is_ended
    assert [request.method for request in bob.seen] == ["INVITE", "BYE"]


def test_callee_hangs_up(wire: Wire, alice: Phone, bob: Phone) -> None:
    """§12.2: the callee's requests follow the route set back, and reach the caller's real Contact."""
    call = set_up(wire, alice)
    complete(wire, bob.calls[0].hang_up())

    assert call.is_ended
    assert alice.seen[-1].uri == alice.contact


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_phones_behind_nat_are_reached_where_they_are(wire: Wire, transport: str) -> None:
    """The addresses that both write are private and the same; only their flows tell them apart."""
    phones = {}
    for user, address in (("alice", ALICE), ("bob", BOB)):
        inside = ("10.0.0.5", 5060)
        phones[user] = Phone(wire, user, address, EDGES[transport], transport=transport, believes=inside)
        complete(wire, phones[user].register())

    call = set_up(wire, phones["alice"])
    complete(wire, phones["bob"].calls[0].request("INVITE", b"v=0\r\n"))
    complete(wire, call.hang_up())

    assert (phones["alice"].calls[0].is_ended, phones["bob"].calls[0].is_ended) == (True, True)


def test_both_sides_change_the_session(wire: Wire, alice: Phone, bob: Phone) -> None:
    """§14: re-INVITE in both directions."""
    call = set_up(wire, alice)
    for side in (call, bob.calls[0]):
        complete(wire, side.request("INVITE", b"v=0\r\n"))
        wire.run(1.0)

    assert [request.body for request in (*bob.calls[0].received, *call.received)] == [b"v=0\r\n"] * 2
    assert alice.calls[0].is_up


@pytest.mark.parametrize(
    ("script", "status"), [(IS_BUSY, 486), (((0.0, 180), (1.0, 603)), 603), (((0.0, 302),), 302)]
)
def test_refusals_come_back(wire: Wire, alice: Phone, bob: Phone, script: Script, status: int) -> None:
    bob.script = script
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_ended)

    assert call.status == status


def test_callee_without_registration(wire: Wire, alice: Phone) -> None:
    call = alice.call("nobody")
    assert wire.run_until(lambda: call.is_ended)

    assert call.status == 404


def test_cancel(wire: Wire, alice: Phone, bob: Phone) -> None:
    """§9: the caller gives up while it rings."""
    bob.script = RINGS
    call = alice.call("bob")
    assert wire.run_until(lambda: call.status == 180)
    cancel = call.cancel()
    assert wire.run_until(lambda: call.is_ended)

    assert (cancel.status, call.status, bob.calls[0].status) == (200, 487, 487)


def test_callee_is_gone(wire: Wire, alice: Phone, bob: Phone) -> None:
    """§17.1.1.2: timer B."""
    bob.script = IS_DEAD
    wire.detach(bob)
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_ended)

    assert call.status == 408


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_connection_of_the_callee_is_gone(wire: Wire, alice: Phone, transport: str) -> None:
    """RFC 5626 §5.3.1: told at once, not after timer B."""
    make_phone(wire, "bob", BOB, transport)
    wire.hang_up(transport, BOB)
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_ended, within=1.0)

    assert call.status == 430


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_connection_of_the_callee_breaks_before_an_answer(wire: Wire, alice: Phone, transport: str) -> None:
    bob = make_phone(wire, "bob", BOB, transport, script=IS_DEAD)
    call = alice.call("bob")
    assert wire.run_until(lambda: bool(bob.seen))
    wire.hang_up(transport, BOB)
    assert wire.run_until(lambda: call.is_ended, within=1.0)

    assert call.status == 503


def test_phones_see_nothing_of_the_inside(wire: Wire, alice: Phone, bob: Phone) -> None:
    """P- headers, and where a phone really is, stay inside."""
    call = set_up(wire, alice)
    call.hang_up()
    alice.call("nobody")
    wire.run(5.0)

    seen = outside(wire.packets)
    assert len(seen) > 8
    assert not [packet.text for packet in seen if re.search("^P-(?!Asserted)", packet.text, re.MULTILINE)]
    assert alice.name not in NameAddr.parse(bob.seen[0].first("Contact")).address
    assert bob.name not in call.target
    assert "P-Asserted-Identity" in bob.seen[0]


def test_phones_cannot_pretend_to_be_an_element(wire: Wire, alice: Phone, stub: StubProxy) -> None:
    alice.call("nobody", extra=("P-NGCP-Src-Ip: 127.0.0.1", "P-Caller-UUID: 1"))
    wire.run(1.0)

    request = stub.requests[-1]
    assert request.all("P-NGCP-Src-Ip") == ["198.51.100.1"]
    assert "P-Caller-UUID" not in request


def test_what_nobody_edits_leaves_as_it_came(wire: Wire, alice: Phone, bob: Phone) -> None:
    """Spelling, folding, order and foreign headers survive, the body byte for byte."""
    odd = ("s:  folded\r\n  subject", "X-Foreign:\tÄ ; x", "Allow: INVITE,ACK ,BYE")
    body = bytes(range(256))
    alice.call("bob", extra=odd, body=body)
    assert wire.run_until(lambda: bool(bob.seen))

    lines = bytes(bob.seen[0]).decode("utf-8", "surrogateescape")
    assert "\r\n".join(odd) in lines
    assert bob.seen[0].body == body


def test_answers_of_our_own_carry_our_name(wire: Wire, alice: Phone, bob: Phone) -> None:
    """Operators tell the elements apart by their Server header."""
    call = set_up(wire, alice)
    assert call.attempt is not None
    refused = alice.send_request("OPTIONS", "sip:bob@example.org", extra=["Route: <sip:192.0.2.99;lr>"])
    broken = alice.send_request("OPTIONS", "sip:bob@example.org", extra=["Max-Forwards: 1"])
    assert wire.run_until(lambda: refused.is_over and broken.is_over)

    ours = (call.attempt.responses[0], refused.responses[0], broken.responses[0])
    assert [response.status for response in ours] == [100, 403, 400]
    assert [response.get("Server") for response in ours] == ["Sipwise NGCP LB"] * 3
    assert call.attempt.responses[-1].get("Server") is None, "the phone's answer stays the phone's"


def test_transactions_are_forgotten(wire: Wire, alice: Phone, bob: Phone, edge: LoadBalancer) -> None:
    """§17: 32 s after the last message nothing is left."""
    call = set_up(wire, alice)
    call.hang_up()
    wire.run(40.0)

    assert edge.transactions == 0
    assert edge.next_timer() is None
