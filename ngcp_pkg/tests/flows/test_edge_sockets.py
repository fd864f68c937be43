"""Several public sockets: IPv6 beside IPv4, and extra ones; each phone is reached by the one it came to."""

from itertools import product

import pytest

from flows.edge import (
    EXTRA,
    INTERNAL,
    PROXY,
    PUBLIC,
    PUBLIC6,
    PUBLIC6_TLS,
    PUBLIC_TLS,
    PUBLIC_WS,
    PUBLIC_WSS,
    StubProxy,
)
from flows.phones import Call, Phone
from flows.wire import Wire
from ngcp.lb.core import LoadBalancer
from ngcp.sip.syntax import Request, parse
from ngcp.sip.transport.flow import Address, Flow

pytestmark = pytest.mark.usefixtures("stub")

#: Where a phone is, and the socket of ours that it knows, of each transport.
PLACES: dict[str, tuple[str, Address, Address]] = {
    "udp": ("udp", ("198.51.100.1", 40001), PUBLIC),
    "tls": ("tls", ("198.51.100.2", 40002), PUBLIC_TLS),
    "udp6": ("udp", ("2001:db8:7::1", 40003), PUBLIC6),
    "tcp6": ("tcp", ("2001:db8:7::2", 40004), PUBLIC6),
    "tls6": ("tls", ("2001:db8:7::3", 40005), PUBLIC6_TLS),
    "ws": ("ws", ("198.51.100.5", 40008), PUBLIC_WS),
    "wss6": ("wss", ("2001:db8:7::4", 40009), (PUBLIC6[0], PUBLIC_WSS[1])),
    "extra": ("udp", ("198.51.100.3", 40006), EXTRA),
    "extra-tcp": ("tcp", ("198.51.100.4", 40007), EXTRA),
}


def make_phone(wire: Wire, user: str, place: str, **options: Address) -> Phone:
    transport, address, edge = PLACES[place]
    host, port = address
    apart = (f"{host}9", port) if user == "bob" else address
    phone = Phone(wire, user, apart, edge, transport=transport, believes=options.get("believes"))
    attempt = phone.register()
    assert wire.run_until(lambda: attempt.is_over)
    assert attempt.status == 200
    return phone


def set_up(wire: Wire, caller: Phone, callee: str) -> Call:
    call = caller.call(callee)
    assert wire.run_until(lambda: call.is_up), call.status
    wire.run(1.0)
    return call


def sockets_towards(wire: Wire, phone: Phone) -> set[tuple[str, Address]]:
    return {(packet.transport, packet.source) for packet in wire.sent_to(phone.flow.local)}


@pytest.mark.parametrize(("from_", "to"), product(PLACES, PLACES))
def test_a_phone_hears_from_the_socket_it_knows(wire: Wire, from_: str, to: str) -> None:
    """Requests in both directions, in and out of the dialog; behind a NAT nothing else would reach it."""
    alice = make_phone(wire, "alice", from_)
    bob = make_phone(wire, "bob", to)
    call = set_up(wire, alice, "bob")
    for side in (call, bob.calls[0]):
        attempt = side.request("INVITE", b"v=0\r\n")
        assert wire.run_until(lambda attempt=attempt: attempt.is_over)  # type: ignore[misc] # a bound loop variable
        assert attempt.status == 200
        wire.run(1.0)
    bye = bob.calls[0].hang_up()
    assert wire.run_until(lambda: bye.is_over and call.is_ended)

    for phone, place in ((alice, from_), (bob, to)):
        assert sockets_towards(wire, phone) == {(PLACES[place][0], PLACES[place][2])}


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("udp6", "socket=udp:[2001:db8::1]:5060;received=sip:[2001:db8:7::1]:40003>"),
        ("tls6", "socket=tls:[2001:db8::1]:5061;received=sip:[2001:db8:7::3]:40005%3Btransport%3Dtls>"),
        ("ws", "socket=ws:192.0.2.1:8080;received=sip:198.51.100.5:40008%3Btransport%3Dws>"),
        ("extra", "socket=udp:192.0.2.1:5070;received=sip:198.51.100.3:40006>"),
    ],
)
def test_path_and_record_route_name_the_socket(wire: Wire, stub: StubProxy, place: str, path: str) -> None:
    alice = make_phone(wire, "alice", place)
    call = alice.call("nobody")
    assert wire.run_until(lambda: call.is_ended)

    assert stub.requests[0].first("Path") == f"<sip:lb@127.0.0.1:5060;lr;ob;{path}"
    inner, outer = stub.requests[-1].all("Record-Route")
    socket = path.partition(";")[0]
    assert inner.startswith("<sip:127.0.0.1:5060;")
    assert outer.endswith(f"{socket}>")
    assert outer.startswith(f"<sip:{socket.split(':', 1)[1]}")
    assert stub.requests[-1].get("P-NGCP-Src-Af") == ("6" if "[" in path else "4")


def ask(wire: Wire, edge: LoadBalancer, route: str, uri: str = "sip:x@203.0.113.7:5080") -> Flow | int:
    """Let the proxy send a request out; return the way it takes, or the status that refuses it."""
    lines = (
        f"OPTIONS {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
        f"Route: {route}\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"
    )
    edge.receive(lines.encode(), Flow("udp", INTERNAL, PROXY), wire.now)
    ((data, flow),) = edge.messages_to_send()
    message = parse(data)
    return flow if isinstance(message, Request) else message.status


@pytest.mark.parametrize(
    ("route", "way"),
    [
        ("<sip:127.0.0.1:5060;lr>", ("udp", PUBLIC)),
        ("<sip:lb@127.0.0.1:5060;lr;socket=udp:192.0.2.1:5070>", ("udp", EXTRA)),
        ("<sip:lb@127.0.0.1;lr;socket=tcp:192.0.2.1:5070>", ("tcp", EXTRA)),
        ("<sip:lb@127.0.0.1:5060;lr;socket=udp:192.0.2.9:5060>", 478),
    ],
)
def test_the_proxy_chooses_the_socket(
    wire: Wire, edge: LoadBalancer, route: str, way: tuple[str, Address] | int
) -> None:
    """`outbound_socket` of a peer: the Route that the proxy puts on top names one of ours."""
    taken = ask(wire, edge, route)

    assert (taken if isinstance(taken, int) else taken[:2]) == way


def test_a_path_of_a_socket_that_is_no_more_uses_another(wire: Wire, edge: LoadBalancer) -> None:
    """The registration outlives a change of the configuration."""
    route = "<sip:lb@127.0.0.1:5060;lr;socket=udp:192.0.2.9:5060;received=sip:198.51.100.7:40000>"

    assert ask(wire, edge, route) == Flow("udp", PUBLIC, ("198.51.100.7", 40000))


@pytest.mark.parametrize("own", [PUBLIC, EXTRA, PUBLIC6], ids=str)
def test_none_of_our_sockets_is_a_target(wire: Wire, edge: LoadBalancer, own: Address) -> None:
    host = f"[{own[0]}]" if ":" in own[0] else own[0]

    assert ask(wire, edge, "<sip:127.0.0.1:5060;lr>", f"sip:x@{host}:{own[1]}") == 482


@pytest.mark.parametrize("place", PLACES)
def test_an_element_may_speak_tcp_inside(wire: Wire, stub: StubProxy, place: str) -> None:
    """As over UDP: out to the phone, and the answer by the connection that the request came by."""
    bob = make_phone(wire, "bob", place)
    element = Phone(wire, "element", ("127.0.0.1", 33333), INTERNAL, transport="tcp")
    route = f"Route: {stub.bindings['bob'][1]}"
    attempt = element.send_request("MESSAGE", bob.contact, extra=[route])
    assert wire.run_until(lambda: attempt.is_over)

    assert attempt.status == 200
    assert [request.method for request in bob.seen] == ["MESSAGE"]
    assert sockets_towards(wire, element) == {("tcp", INTERNAL)}
