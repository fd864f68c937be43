"""What strangers try at the public side: it is refused there, or goes to the proxy like anything else."""

import pytest

from flows.attempts import Attempt
from flows.edge import INTERNAL, PROXY, PUBLIC, SECRET, StubProxy
from flows.phones import Phone
from flows.wire import Packet, Wire
from ngcp.lb.core import LoadBalancer
from ngcp.lb.edge import Tokens
from ngcp.sip.syntax import parse
from ngcp.sip.transport.flow import Flow

MALLORY = ("203.0.113.66", 5060)
VICTIM = ("203.0.113.7", 5060)


@pytest.fixture
def mallory(wire: Wire, stub: StubProxy) -> Phone:
    return Phone(wire, "mallory", MALLORY, PUBLIC)


def answer_to(wire: Wire, attempt: Attempt) -> int | None:
    assert wire.run_until(lambda: attempt.is_over)
    return attempt.status


def refusal_of(wire: Wire, attempt: Attempt) -> str:
    assert wire.run_until(lambda: attempt.is_over)
    assert attempt.final is not None
    return f"{attempt.final.status} {attempt.final.reason}"


def relayed(wire: Wire) -> list[Packet]:
    """Return requests that went anywhere but to us, the proxy or back to Mallory."""
    return [packet for packet in wire.packets if packet.destination not in (PUBLIC, INTERNAL, PROXY, MALLORY)]


@pytest.mark.parametrize(
    "routes",
    [
        ["<sip:203.0.113.7;lr>"],
        ["<sip:192.0.2.1;lr>", "<sip:203.0.113.7;lr>"],
        ["<sip:192.0.2.1;lr>, <sip:127.0.0.1;lr>", "<sip:203.0.113.7;lr>"],
        ["<sip:sip.example.org;lr>", "<sip:203.0.113.7;lr>"],
        ["<sip:127.0.0.1:22;lr>"],
        ["<sip:lb@127.0.0.1:5060;lr;received=sip:203.0.113.7:5060>", "<sip:203.0.113.7;lr>"],
    ],
)
def test_no_open_relay_by_route(wire: Wire, mallory: Phone, routes: list[str]) -> None:
    """§16.4: a route that is not ours is refused."""
    extra = [f"Route: {route}" for route in routes]
    attempt = mallory.send_request("INVITE", "sip:x@203.0.113.7", extra=extra)

    assert answer_to(wire, attempt) == 403
    assert relayed(wire) == []


@pytest.mark.parametrize(
    "route",
    [
        "<sip:192.0.2.1;lr>",
        "<sip:sip.example.org;lr>",
        "<sip:lb@127.0.0.1:5060;lr;received=sip:203.0.113.7:5060>",
    ],
)
def test_own_routes_lead_to_the_proxy_and_nowhere_else(
    wire: Wire, mallory: Phone, stub: StubProxy, route: str
) -> None:
    """An outbound proxy set in a phone, by address or by name; a Path value is worth nothing outside."""
    attempt = mallory.send_request("MESSAGE", "sip:x@example.com", extra=[f"Route: {route}"])

    assert answer_to(wire, attempt) == 404
    assert "Route" not in stub.requests[0]
    assert relayed(wire) == []


def test_a_masked_contact_opens_nothing(wire: Wire, mallory: Phone, stub: StubProxy) -> None:
    """A token seen in one call does not let anybody past the proxy."""
    bob = Phone(wire, "bob", VICTIM, PUBLIC)
    answer_to(wire, bob.register())
    call = mallory.call("bob")
    assert wire.run_until(lambda: call.is_up)
    assert "ngcpct=" in call.target

    attempt = mallory.send_request("MESSAGE", call.target)

    assert answer_to(wire, attempt) == 404
    assert stub.requests[-1].uri == call.target
    assert [request.method for request in bob.seen] == ["INVITE"]


@pytest.mark.parametrize("forged", ["{token}AAAA", "AAAA{token}", "AAAA", "A", "", "é", "{token[0]}"])
def test_a_forged_masked_contact_is_not_found(
    wire: Wire, mallory: Phone, stub: StubProxy, forged: str
) -> None:
    seal = Tokens(SECRET).seal("sip:x@10.0.0.1", "udp", VICTIM)
    token = forged.format(token=seal)
    stub.bindings["forged"] = f"sip:ngcp-lb@192.0.2.1:5060;ngcpct={token}", "<sip:127.0.0.1:5060;lr>"

    attempt = mallory.send_request("MESSAGE", "sip:forged@example.org")

    assert refusal_of(wire, attempt) == "404 Not Found"


@pytest.mark.parametrize(
    ("contact", "answer"),
    [
        ("sip:x@192.0.2.1:5060", "482 Loop Detected"),
        ("sip:x@192.0.2.1:5061;transport=tls", "482 Loop Detected"),
        ("sip:x@127.0.0.1:5060", "482 Loop Detected"),
        ("sip:x@127.0.0.1:5062", "403 Relaying denied"),
        ("sip:x@127.0.0.1:22;transport=tcp", "403 Relaying denied"),
        ("sip:x@host.example.com", "478 Unresolvable Destination"),
        ("sip:x@203.0.113.7;transport=sctp", "478 Unresolvable Destination"),
        ("sips:x@203.0.113.7", "430 Flow Failed"),
        ("tel:+431", "478 Unresolvable Destination"),
    ],
)
def test_where_the_inside_cannot_be_sent(
    wire: Wire, mallory: Phone, stub: StubProxy, contact: str, answer: str
) -> None:
    """A proxy that were talked into it could not make us call ourselves, the inside, or nobody."""
    stub.bindings["odd"] = contact, "<sip:127.0.0.1:5060;lr>"

    assert refusal_of(wire, mallory.send_request("MESSAGE", "sip:odd@example.org")) == answer
    assert relayed(wire) == []


def test_a_callee_cannot_answer_in_the_place_of_the_proxy(wire: Wire, mallory: Phone) -> None:
    """Even one who learned the branch of our leg to the proxy: responses come back where requests left."""
    mallory.script = ()
    answer_to(wire, mallory.register())
    victim = Phone(wire, "victim", VICTIM, PUBLIC)
    call = victim.call("mallory")
    assert wire.run_until(lambda: bool(mallory.seen))
    (inner,) = [parse(packet.data) for packet in wire.sent_to(PROXY) if packet.start.startswith("INVITE")]
    forged = mallory.seen[0].reply(200, to_tag="forged")
    forged.set("Via", ", ".join(inner.all("Via")))
    forged.append("Contact", "<sip:mallory@203.0.113.66>")
    mallory.send_raw(bytes(forged))
    wire.run(1.0)

    assert not call.is_up
    assert [packet.start for packet in wire.sent_to(VICTIM)] == ["SIP/2.0 100 Trying"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_inside_reaches_foreign_addresses(
    wire: Wire, mallory: Phone, stub: StubProxy, transport: str
) -> None:
    """By UDP, and by a new TCP connection."""
    peer = Phone(wire, "peer", VICTIM, PUBLIC, transport=transport)
    wire.attach(peer, transport, VICTIM)
    stub.bindings["peer"] = f"sip:peer@203.0.113.7;transport={transport}", "<sip:127.0.0.1:5060;lr>"

    call = mallory.call("peer")

    assert wire.run_until(lambda: call.is_up)
    assert len(peer.calls) == 1


def test_a_refusal_is_one_line_that_names_the_call(
    wire: Wire, mallory: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    """Before the transaction (sanity) and behind it (corridor) alike."""
    caplog.set_level("INFO")
    for extra in (["Max-Forwards: 1"], ["Route: <sip:203.0.113.7;lr>"]):
        caplog.clear()
        attempt = mallory.send_request("MESSAGE", "sip:x@example.org", extra=extra)
        wire.run(10.0)

        (record,) = caplog.records
        assert attempt.request.call_id in record.getMessage()


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02",
        b"GET / HTTP/1.1\r\n\r\n",
        b"OPTIONS sip:x SIP/2.0\r\n\r\n",
        b"OPTIONS sip:x SIP/2.0\r\nVia: nonsense\r\n\r\n",
        b"OPTIONS sip:x SIP/2.0\nVia: SIP/2.0/UDP h\n\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKguess\r\n\r\n",
    ],
)
def test_what_cannot_be_answered_is_dropped_with_one_line(
    wire: Wire, mallory: Phone, edge: LoadBalancer, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    caplog.set_level("INFO")
    mallory.send_raw(data)
    wire.run(0.1)

    assert len(wire.packets) == 1
    assert edge.counters["dropped"] == 1
    (record,) = caplog.records
    assert record.getMessage().startswith("dropped ")


def test_a_response_nobody_waits_for_is_dropped(wire: Wire, mallory: Phone) -> None:
    """RFC 6026 §7.3: a guessed branch opens nothing."""
    vias = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKguess, SIP/2.0/UDP 203.0.113.7;branch=z9hG4bK2\r\n"
    parties = "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
    mallory.send_raw(f"SIP/2.0 200 OK\r\n{vias}{parties}Content-Length: 0\r\n\r\n".encode())
    wire.run(1.0)

    assert len(wire.packets) == 1


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"\0\0\0\0", b"", b"\r\n"])
def test_keep_alives_cost_nothing(
    wire: Wire, mallory: Phone, edge: LoadBalancer, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    caplog.set_level("INFO")
    mallory.send_raw(data)
    wire.run(0.1)

    assert (len(wire.packets), edge.counters["keepalives"], caplog.records) == (1, 1, [])


def test_a_ping_is_answered_and_forgotten(
    wire: Wire, mallory: Phone, edge: LoadBalancer, stub: StubProxy
) -> None:
    """§11: OPTIONS to ourselves; one to somebody behind us goes to the proxy."""
    for uri in ("sip:192.0.2.1", "sip:192.0.2.1:5060", "sips:192.0.2.1"):
        attempt = mallory.send_request("OPTIONS", uri)
        assert answer_to(wire, attempt) == 200
    assert (edge.transactions, stub.requests) == (0, [])

    assert answer_to(wire, mallory.send_request("OPTIONS", "sip:x@192.0.2.1")) == 404


def test_responses_with_an_odd_contact_lose_it(wire: Wire, mallory: Phone, edge: LoadBalancer) -> None:
    """There is nobody to refuse a response to; inside, only masked contacts are seen."""
    mallory.script = ()
    answer_to(wire, mallory.register())
    Phone(wire, "alice", VICTIM, PUBLIC).call("mallory")
    assert wire.run_until(lambda: bool(mallory.seen))
    response = mallory.seen[0].reply(180, to_tag="1")
    response.append("Contact", "<sip:a@h>, <sip:b@h>")
    mallory.send_raw(bytes(response))
    wire.run(0.1)

    ringing = [parse(packet.data) for packet in wire.sent_to(PROXY) if packet.start.startswith("SIP/2.0 180")]
    assert [response.all("Contact") for response in ringing] == [[]]


def test_only_the_internal_socket_is_the_inside(wire: Wire, edge: LoadBalancer, mallory: Phone) -> None:
    """Whoever comes to a public one goes inwards, whatever its address."""
    request = mallory.send_request("MESSAGE", "sip:x@203.0.113.7").request
    edge.receive(bytes(request), Flow("tcp", PUBLIC, ("127.0.0.1", 5062)), wire.now)

    assert [flow.remote for _, flow in edge.messages_to_send()] == [PROXY]
