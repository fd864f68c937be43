"""Topology hiding: what phones see of a call, what the inside keeps, and that calls work all the same."""

import dataclasses
import itertools
from collections.abc import Callable

import pytest

from flows.attempts import Attempt
from flows.edge import CONFIGURATION, PROXY, PUBLIC, StubProxy, add_load_balancer
from flows.outside import find_leak
from flows.phones import Call, Phone
from flows.wire import Packet, Wire
from ngcp.lb.core import LoadBalancer
from ngcp.sip.core.decision import Reply
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport.flow import Flow

ALICE, BOB, PEER = ("198.51.100.1", 5060), ("198.51.100.2", 5060), ("203.0.113.5", 5060)
OPEN = dataclasses.replace(CONFIGURATION, topology_hiding=False)


class Scene:
    """Alice calls Bob through an edge and a proxy."""

    def __init__(self, wire: Wire, stub: StubProxy) -> None:
        self.wire, self.stub = wire, stub
        self.alice, self.bob = Phone(wire, "alice", ALICE, PUBLIC), Phone(wire, "bob", BOB, PUBLIC)
        self.complete(self.bob.register())

    def complete(self, attempt: Attempt) -> None:
        assert self.wire.run_until(lambda: attempt.is_over)
        assert attempt.status == 200

    def call(self, *extra: str) -> Call:
        call = self.alice.call("bob", extra=extra)
        assert self.wire.run_until(lambda: call.is_up)
        self.wire.run(1.0)
        return call

    def inner(self, start: str) -> Packet:
        """Return the last packet from edge to proxy that starts so."""
        return next(
            packet
            for packet in reversed(self.wire.packets)
            if packet.destination == PROXY and packet.start.startswith(start)
        )


@pytest.fixture
def scene(wire: Wire, stub: StubProxy) -> Scene:
    return Scene(wire, stub)


def scene_without_hiding() -> Scene:
    wire = Wire()
    add_load_balancer(wire, OPEN)
    return Scene(wire, StubProxy(wire))


def response_to(attempt: Attempt | None) -> Response:
    assert attempt is not None
    assert attempt.final is not None
    return attempt.final


# What phones see


def test_without_hiding_the_watch_finds_it() -> None:
    """The assertion that all flows run through is one that can fail."""
    scene = scene_without_hiding()
    scene.complete(scene.call().hang_up())

    found = {find_leak(packet, {"127.0.0.1"}) for packet in scene.wire.packets if packet.source == PUBLIC}
    assert found == {None, "the inner host 127.0.0.1"}
    assert {find_leak(packet, set()) for packet in scene.wire.sent_to(BOB)} == {
        None,
        "the Via of another hop",
    }


def test_one_via_and_one_record_route(scene: Scene) -> None:
    call = scene.call()

    invite, answer = scene.bob.seen[0], response_to(call.attempt)
    for routes in (invite.all("Record-Route"), answer.all("Record-Route")):
        assert len(routes) == 1
        assert routes[0].startswith("<sip:192.0.2.1:5060;lr=on;ftag=")
        assert ";ngcplb=yes;socket=udp:192.0.2.1:5060;ngcprr=" in routes[0]
    assert [via.split(";")[0] for via in invite.all("Via")] == ["SIP/2.0/UDP 192.0.2.1:5060"]
    assert len(answer.all("Via")) == 1


def test_messages_become_smaller(scene: Scene) -> None:
    """Decision 16 quotes these."""
    shown = scene_without_hiding()
    sizes = []
    for each in (shown, scene):
        call = each.call()
        sizes.append((len(bytes(each.bob.seen[0])), len(bytes(response_to(call.attempt)))))

    (open_invite, open_ok), (hidden_invite, hidden_ok) = sizes
    assert hidden_invite < open_invite - 300
    assert hidden_ok < open_ok - 100


@pytest.mark.parametrize(("status", "server"), [(404, "Sipwise NGCP LB"), (407, "Sipwise NGCP Proxy")])
def test_the_proxy_signs_challenges_only(scene: Scene, status: int, server: str) -> None:
    """The platform's fingerprint on 401 and 407; all else looks like ours."""
    scene.stub.answer = Reply(status, headers=(("Server", "Sipwise NGCP Proxy"),))
    call = scene.alice.call("nobody")
    assert scene.wire.run_until(lambda: call.is_ended)

    assert response_to(call.attempt).all("Server") == [server]


def test_headers_between_elements_end_here(scene: Scene) -> None:
    """RFC 3608, RFC 3327; §20.43: a warning is signed by who gives it."""
    outer = '399 phone.example.org "mine"'
    headers = (
        ("Service-Route", "<sip:127.0.0.1:5062;lr>"),
        ("Path", "<sip:127.0.0.1:5060;lr>"),
        ("Warning", '392 127.0.0.1:5062 "inner"'),
        ("Warning", outer),
        ("Warning", '392 127.0.0.1 "inner"'),
        ("Record-Route", "<sip:127.0.0.1:5062;lr>"),
    )
    scene.stub.answer = Reply(488, headers=headers)
    call = scene.alice.call("nobody")
    assert scene.wire.run_until(lambda: call.is_ended)

    answer = response_to(call.attempt)
    assert answer.all("Warning") == [outer]
    assert not {"service-route", "path", "record-route"} & set(answer.shape)


def test_the_contact_of_an_element_inside_is_masked_and_reached(scene: Scene) -> None:
    """A voicebox is called like any phone: nothing but the Contact leads there."""
    scene.stub.answer = Reply(200, headers=(("Contact", "<sip:box@127.0.0.1:5070>"),))
    call = scene.alice.call("box")
    assert scene.wire.run_until(lambda: call.is_up)
    assert call.target.startswith("sip:ngcp-lb@192.0.2.1:5060;ngcpct=")
    scene.complete(call.hang_up())

    asked = [(request.method, request.uri) for request in scene.stub.requests[-2:]]
    assert asked == [("ACK", "sip:box@127.0.0.1:5070"), ("BYE", "sip:box@127.0.0.1:5070")]


# What the inside keeps


def test_the_inside_sees_the_whole_route_set(scene: Scene) -> None:
    """Who is in it, and in which order, is the same whether or not phones see less."""
    shown = scene_without_hiding()
    seen = []
    for each in (shown, scene):
        call = each.call()
        ok = parse(each.inner("SIP/2.0 200").data)
        each.complete(call.request("INVITE", b"v=0\r\n"))
        forth = parse(each.inner("INVITE").data).all("Route")
        each.complete(each.bob.calls[0].hang_up())
        back = parse(each.inner("BYE").data).all("Route")
        seen.append([_stops(routes) for routes in (ok.all("Record-Route"), forth, back)])

    stops = ["edge", "<sip:127.0.0.1:5062", "edge"]
    assert seen == [[stops, stops[1:], stops[1:]]] * 2


def _stops(routes: list[str]) -> list[str]:
    """Return the elements that a route set goes through; the edge has two sides."""
    hosts = [route.partition(";")[0] for route in routes]
    ours = ("<sip:192.0.2.1:5060", "<sip:127.0.0.1:5060")
    return [name for name, _ in itertools.groupby("edge" if host in ours else host for host in hosts)]


def test_what_was_recorded_outside_stays_visible_there(wire: Wire, scene: Scene) -> None:
    """A peer's proxy on Alice's side: her requests go by it, Bob's come back by it, and he never sees it."""
    peer = "<sip:203.0.113.5:5060;lr>"
    call = scene.call(f"Record-Route: {peer}")
    answer = response_to(call.attempt)

    assert len(scene.bob.seen[0].all("Record-Route")) == 1
    assert answer.all("Record-Route")[1:] == [peer]
    call.routes = call.routes[1:]  # the peer takes its own off
    scene.complete(call.request("INVITE", b"v=0\r\n"))
    wire.run(0.5)
    scene.bob.calls[0].hang_up()
    wire.run(0.5)
    bye = next(
        packet for packet in reversed(wire.packets) if packet.source == PUBLIC and packet.start[:3] == "BYE"
    )
    assert parse(bye.data).all("Route") == [peer]


def test_a_restart_of_the_edge_loses_no_dialog(wire: Wire, edge: LoadBalancer, scene: Scene) -> None:
    """What folded routes stand for is in them, not in memory."""
    first, second = scene.call(), scene.call()
    wire.detach(edge)
    add_load_balancer(wire)
    scene.complete(first.hang_up())
    scene.complete(scene.bob.calls[1].hang_up())

    assert (scene.bob.calls[0].is_ended, second.is_ended) == (True, True)


def test_a_proxy_route_put_on_top_by_the_phone_does_no_harm(scene: Scene) -> None:
    """Some phones put their outbound proxy before the route set of every request."""
    call = scene.call()
    call.routes = ["<sip:192.0.2.1:5060;lr>", *call.routes]
    scene.complete(call.hang_up())

    assert scene.bob.calls[0].is_ended


def _alter(token: str) -> str:
    return ("A" if token[0] != "A" else "B") + token[1:]


def _shorten(token: str) -> str:
    return token[:8]


def _empty(token: str) -> str:
    return ""


def _foreign(token: str) -> str:
    return "é" + token[1:]


@pytest.mark.parametrize("spoil", [_alter, _shorten, _empty, _foreign])
def test_a_forged_route_leads_nowhere(scene: Scene, spoil: Callable[[str], str]) -> None:
    call = scene.call()
    head, mark, token = call.routes[0].partition(";ngcprr=")
    call.routes = [f"{head}{mark}{spoil(token.rstrip('>'))}>"]
    asked = len(scene.stub.requests)
    bye = call.hang_up()
    assert scene.wire.run_until(lambda: bye.is_over)

    assert bye.status == 404
    assert len(scene.stub.requests) == asked


# Loops


class Returner:
    """A peer that sends every INVITE straight back to somebody else, like a call forwarded in a circle."""

    def __init__(self, wire: Wire) -> None:
        self.invites: list[Request] = []
        self._outbox: list[tuple[bytes, Flow]] = []
        wire.attach(self, "udp", PEER)

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        message = parse(data)
        if isinstance(message, Request) and message.method == "INVITE":
            self.invites.append(message.copy())
            message.uri = f"sip:loop{len(self.invites)}@example.org"
            message.remove("Route")
            message.prepend("Via", f"SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bK{len(self.invites)}")
        elif isinstance(message, Response):
            message.pop_first("Via")
        self._outbox.append((bytes(message), flow))

    def handle_timer(self, now: float) -> None: ...

    def next_timer(self) -> float | None:
        return None

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        outbox, self._outbox = self._outbox, []
        return outbox

    def transport_failed(self, flow: Flow, now: float) -> None: ...


def test_a_loop_through_a_peer_is_found_though_we_hide_our_vias(wire: Wire, scene: Scene) -> None:
    """§16.3 step 4: our Via tells how many of ours it stands for."""
    peer = Returner(wire)
    path = scene.stub.bindings["bob"][1].replace("198.51.100.2", "203.0.113.5")
    scene.stub.bindings |= {f"loop{number}": ("sip:loop@203.0.113.5", path) for number in range(5)}
    call = scene.alice.call("loop0")
    assert wire.run_until(lambda: call.is_ended)

    assert call.status == 482
    assert [invite.via.params.get("ngcplb") for invite in peer.invites] == [None, "1", "2"]
