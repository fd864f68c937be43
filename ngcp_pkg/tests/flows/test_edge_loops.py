"""Requests that leave us and come back (RFC 3261 §16.3 step 4): a spiral passes, a loop does not."""

from collections.abc import Callable

import pytest

from flows.edge import PUBLIC, StubProxy
from flows.phones import Phone
from flows.wire import Wire
from ngcp.lb.core import LoadBalancer
from ngcp.sip.syntax import Request, parse
from ngcp.sip.transport import Flow, response_flow

MIRROR = ("203.0.113.7", 5060)
ONE = "sip:one@example.org"
ALICE, BOB = ("198.51.100.1", 5060), ("198.51.100.2", 5060)


class Mirror:
    """A foreign proxy that sends each request back to us, for the next of its targets."""

    def __init__(self, wire: Wire, targets: list[str]) -> None:
        self.targets = targets
        self.hide: Callable[[Request], None] = lambda request: None
        self._outbox: list[tuple[bytes, Flow]] = []
        self._count = 0
        wire.attach(self, "udp", MIRROR)

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        message = parse(data)
        if isinstance(message, Request):
            message.uri = self.targets[self._count % len(self.targets)]
            self._count += 1
            self.hide(message)
            message.prepend("Via", f"SIP/2.0/UDP {MIRROR[0]}:5060;branch=z9hG4bKmirror{self._count}")
        else:
            message.pop_first("Via")
            flow = response_flow(message.via, MIRROR)
        self._outbox.append((bytes(message), flow))

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        outbox, self._outbox = self._outbox, []
        return outbox

    def next_timer(self) -> float | None:
        return None

    def handle_timer(self, now: float) -> None:
        raise NotImplementedError

    def transport_failed(self, flow: Flow, now: float) -> None:
        raise NotImplementedError


@pytest.fixture
def alice(wire: Wire, stub: StubProxy) -> Phone:
    """Return a caller; `one` to `three` of our subscribers are forwarded to the mirror."""
    for user in ("one", "two", "three"):
        stub.bindings[user] = f"sip:{user}@{MIRROR[0]}", "<sip:127.0.0.1:5060;lr>"
    return Phone(wire, "alice", ALICE, PUBLIC)


def answer(wire: Wire, alice: Phone, method: str, uri: str, *extra: str) -> int | None:
    """Return the status that a request of Alice's draws in the end."""
    attempt = alice.send_request(method, uri, extra=list(extra))
    assert wire.run_until(lambda: attempt.is_over)
    return attempt.status


@pytest.mark.parametrize("method", ["MESSAGE", "INVITE"])
@pytest.mark.parametrize("others", [[], ["two"], ["two", "three"]])
def test_a_loop_ends_where_it_closes(
    wire: Wire, alice: Phone, stub: StubProxy, method: str, others: list[str]
) -> None:
    """However many stations it has: the request that is here already is not relayed again."""
    Mirror(wire, [f"sip:{user}@example.org" for user in [*others, "one"]])

    assert answer(wire, alice, method, ONE) == 482
    assert len(stub.requests) == 1 + len(others)


@pytest.mark.parametrize("stations", [["bob"], ["two", "bob"]])
def test_a_spiral_passes(wire: Wire, alice: Phone, stub: StubProxy, stations: list[str]) -> None:
    """A call that others forward to somebody else of ours."""
    bob = Phone(wire, "bob", BOB, PUBLIC)
    registration = bob.register()
    assert wire.run_until(lambda: registration.status == 200)
    Mirror(wire, [f"sip:{user}@example.org" for user in stations])

    assert answer(wire, alice, "MESSAGE", ONE) == 200
    assert [request.method for request in bob.seen] == ["MESSAGE"]


def test_a_loop_is_seen_where_inner_vias_are_not(wire: Wire, alice: Phone, stub: StubProxy) -> None:
    """The request that left under our public Via knows what is below it."""
    mirror = Mirror(wire, [ONE])

    def hide(request: Request) -> None:
        request.set("Via", request.first("Via"))

    mirror.hide = hide
    alice.send_request("MESSAGE", ONE)
    wire.run(1.0)

    assert [packet.start for packet in wire.sent_to(MIRROR)][1] == "SIP/2.0 482 Loop Detected"
    assert len(stub.requests) == 1


def test_the_same_request_anew_is_no_loop(wire: Wire, alice: Phone, stub: StubProxy) -> None:
    """A branch that is over, or was never ours, says nothing."""
    for extra in ("Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKgone", "Subject: again"):
        assert answer(wire, alice, "MESSAGE", "sip:nobody@example.org", extra) == 404


def test_a_loop_nobody_remembers_ends_after_three_rounds(wire: Wire, alice: Phone) -> None:
    """Rounds that another process carried: then their number tells."""
    spiral = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK"
    for count, status in ((2, 404), (3, 482)):
        extra = [f"{spiral}{number}" for number in range(count)]
        assert answer(wire, alice, "MESSAGE", "sip:x@example.org", *extra) == status


def test_a_loop_costs_nothing_afterwards(wire: Wire, alice: Phone, edge: LoadBalancer) -> None:
    Mirror(wire, [ONE])
    answer(wire, alice, "INVITE", ONE)
    wire.run(300.0)

    assert edge.transactions == 0
