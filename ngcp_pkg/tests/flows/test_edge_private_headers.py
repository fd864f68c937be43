"""What the elements tell each other in P- headers: nobody outside can say it, nobody outside hears it."""

import pytest

from flows.edge import INTERNAL, PROXY, PUBLIC, StubProxy
from flows.phones import Phone
from flows.wire import Packet, Wire
from ngcp.lb.core import LoadBalancer
from ngcp.sip.syntax import Request, parse
from ngcp.sip.transport.flow import Address, Flow

ALICE, BOB = ("198.51.100.1", 5060), ("198.51.100.2", 5060)
#: Every header that the platform's elements use among themselves.
INTERNAL_HEADERS = (
    *("P-NGCP-Src-Ip", "P-NGCP-Src-Port", "P-NGCP-Src-Proto", "P-NGCP-Src-Af", "P-NGCP-Src-Nat"),
    *("P-Sock-Info", "P-LB-Uptime", "P-App-Name", "P-App-Param", "P-Caller-UUID", "P-Callee-UUID"),
    *("P-Called-Party-ID", "P-D-Uri", "P-Proxy-Uri", "P-Out-Socket", "P-NGCP-Caller-Info"),
    *("P-NGCP-Callee-Info", "P-NGCP-Auth-IP", "P-NGCP-Auth-UA", "P-CF-Depth", "P-First-Caller-UPN"),
    *("P-First-Caller-NPN", "P-NGCP-Forward-Info", "P-From-Peer", "P-Early-Media", "P-Acc-State"),
    *("P-HIH-Cause", "P-Whatever-Comes", "p-lower", "P-SPACED "),
)
#: How a header that nobody should see is recognised, whatever happened to its name.
SECRET = "secret-of-the-sender"


def tell(data: bytes) -> bytes:
    """Return a message with every internal header in it, first and last."""
    message = parse(data)
    for name in INTERNAL_HEADERS:
        message.append(name, SECRET)
        message.prepend(name, SECRET)
    return bytes(message)


class TalkativePhone(Phone):
    """Sends internal headers in every request and response."""

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        return [(tell(data), flow) for data, flow in super().messages_to_send()]


class TalkativeProxy(StubProxy):
    """The same, inside."""

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        return [(tell(data), flow) for data, flow in super().messages_to_send()]


def carry_a_call(wire: Wire, alice: Phone, bob: Phone) -> None:
    """Register, call, hang up; call and give up; call nobody."""
    registration = bob.register()
    assert wire.run_until(lambda: registration.status == 200)
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_up and bob.calls[-1].is_acknowledged)
    bye = bob.calls[-1].hang_up()
    assert wire.run_until(lambda: bye.status == 200)
    bob.script = ((0.0, 180),)
    ringing = alice.call("bob")
    wire.run(1.0)
    cancel = ringing.cancel()
    assert wire.run_until(lambda: cancel.status == 200 and ringing.is_ended)
    nobody = alice.call("nobody")
    assert wire.run_until(lambda: nobody.is_ended)


def kinds(packets: list[Packet]) -> set[str]:
    """Return the methods and statuses among packets."""
    return {
        message.method if isinstance(message := parse(packet.data), Request) else str(message.status)
        for packet in packets
    }


def sent(wire: Wire, source: Address, destinations: tuple[Address, ...]) -> list[Packet]:
    ours = [packet for packet in wire.packets if packet.source == source]
    return [packet for packet in ours if packet.destination in destinations]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_nothing_private_crosses_the_edge(wire: Wire, edge: LoadBalancer, transport: str) -> None:
    """Requests and responses, those that make a dialog and those that do not, in both directions."""
    TalkativeProxy(wire)
    alice = TalkativePhone(wire, "alice", ALICE, PUBLIC, transport=transport)
    bob = TalkativePhone(wire, "bob", BOB, PUBLIC, transport=transport)
    carry_a_call(wire, alice, bob)

    outwards, inwards = sent(wire, PUBLIC, (ALICE, BOB)), sent(wire, INTERNAL, (PROXY,))
    assert {"INVITE", "ACK", "BYE", "CANCEL", "180", "200", "404", "487"} <= kinds(outwards)
    assert {"REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "180", "200", "487"} <= kinds(inwards)
    assert [packet.text for packet in (*outwards, *inwards) if SECRET in packet.text] == []


def test_what_the_edge_says_of_a_sender_is_true_and_there_once(
    wire: Wire, edge: LoadBalancer, stub: StubProxy
) -> None:
    alice = TalkativePhone(wire, "alice", ALICE, PUBLIC)
    attempt = alice.send_request("MESSAGE", "sip:nobody@example.org")
    assert wire.run_until(lambda: attempt.is_over)

    request = stub.requests[0]
    assert request.all("P-NGCP-Src-Ip") == [ALICE[0]]
    assert request.all("P-NGCP-Src-Port") == [str(ALICE[1])]
    assert request.all("P-NGCP-Src-Proto") == ["udp"]
    assert request.all("P-NGCP-Src-Af") == ["4"]


def test_identities_cross_only_as_their_rfc_allows(wire: Wire, edge: LoadBalancer, stub: StubProxy) -> None:
    """RFC 3325 §5: what a caller says goes in, for the proxy to judge; what is asserted inside goes out."""
    bob = Phone(wire, "bob", BOB, PUBLIC)
    alice = Phone(wire, "alice", ALICE, PUBLIC)
    registration = bob.register()
    assert wire.run_until(lambda: registration.status == 200)
    identities = ("P-Preferred-Identity: <sip:a@example.org>", "P-Asserted-Identity: <sip:boss@example.org>")
    call = alice.call("bob", extra=identities)
    assert wire.run_until(lambda: call.is_up)

    (invite,) = [request for request in stub.requests if request.method == "INVITE"]
    assert invite.all("P-Preferred-Identity") == ["<sip:a@example.org>"]
    assert invite.all("P-Asserted-Identity") == ["<sip:boss@example.org>"]
    assert bob.seen[0].all("P-Asserted-Identity") == ["<sip:alice@example.org>"]


def test_no_identity_is_asserted_in_the_middle_of_a_call(
    wire: Wire, edge: LoadBalancer, stub: StubProxy
) -> None:
    """Nobody judges it there."""
    bob, alice = Phone(wire, "bob", BOB, PUBLIC), Phone(wire, "alice", ALICE, PUBLIC)
    registration = bob.register()
    assert wire.run_until(lambda: registration.status == 200)
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_up)
    extra = ["P-Asserted-Identity: <sip:boss@example.org>"]
    info = alice.send_request("INFO", call.target, call, extra)
    assert wire.run_until(lambda: info.is_over)

    (seen,) = [request for request in stub.requests if request.method == "INFO"]
    assert seen.all("P-Asserted-Identity") == []
