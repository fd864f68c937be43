"""Phones behind NAT: found out, told to the proxy, and reached where they are, even after they moved."""

import dataclasses

import pytest

from flows.attempts import Attempt
from flows.edge import CONFIGURATION, PUBLIC, StubProxy, add_load_balancer
from flows.phones import Phone
from flows.wire import Wire
from ngcp.sip.transport.flow import Flow

pytestmark = pytest.mark.usefixtures("stub")

ALICE, BOB, MOVED = ("198.51.100.1", 5060), ("198.51.100.2", 5060), ("198.51.100.1", 41234)
INSIDE = ("10.0.0.5", 5060)
TRUNK = "tgrp=TG-1;trunk-context=example.org"


def complete(wire: Wire, attempt: Attempt) -> None:
    assert wire.run_until(lambda: attempt.is_over)
    assert attempt.status == 200


def test_the_proxy_is_told(wire: Wire, stub: StubProxy) -> None:
    """The platform's header, on REGISTER and on calls, and only of phones behind a NAT."""
    natted = Phone(wire, "alice", ALICE, PUBLIC, believes=INSIDE)
    plain = Phone(wire, "bob", BOB, PUBLIC)
    for phone in (natted, plain):
        complete(wire, phone.register())
    call = natted.call("bob", extra=("P-NGCP-Src-Nat: 0",))
    assert wire.run_until(lambda: call.is_up)
    assert plain.call("nobody", extra=("P-NGCP-Src-Nat: 1",))
    wire.run(1.0)

    told = [(request.method, request.all("P-NGCP-Src-Nat")) for request in stub.requests]
    assert [each for each in told if each[0] != "ACK"] == [
        ("REGISTER", ["1"]),
        ("REGISTER", []),
        ("INVITE", ["1"]),
        ("INVITE", []),
    ]


def test_exceptions() -> None:
    wire = Wire()
    add_load_balancer(wire, dataclasses.replace(CONFIGURATION, nattest_exceptions=("198.51.100.0/24",)))
    stub = StubProxy(wire)
    complete(wire, Phone(wire, "alice", ALICE, PUBLIC, believes=INSIDE).register())

    assert "P-NGCP-Src-Nat" not in stub.requests[0]


@pytest.mark.parametrize(
    ("caller", "callee", "expected"),
    [
        (None, None, [False] * 4),
        (INSIDE, None, [False, False, True, True]),
        (None, INSIDE, [True, True, False, False]),
    ],
)
def test_record_route_says_which_side_is_behind_a_nat(
    caller: tuple[str, int] | None, callee: tuple[str, int] | None, expected: list[bool]
) -> None:
    wire = Wire()
    add_load_balancer(wire, dataclasses.replace(CONFIGURATION, topology_hiding=False))
    StubProxy(wire)
    alice = Phone(wire, "alice", ALICE, PUBLIC, believes=caller)
    bob = Phone(wire, "bob", BOB, PUBLIC, believes=callee)
    complete(wire, bob.register())
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_up)

    ours = [route for route in bob.seen[0].all("Record-Route") if ";ngcplb=yes" in route]
    assert [route.endswith(";nat=yes>") for route in ours] == expected
    complete(wire, bob.calls[0].hang_up())


@pytest.mark.parametrize("mover", ["alice", "bob"])
def test_a_phone_whose_nat_moves_it_is_found_again(wire: Wire, mover: str) -> None:
    """RFC 6314 §4: the binding expired in a call; its re-INVITE comes from another port and leads there."""
    alice = Phone(wire, "alice", ALICE, PUBLIC, believes=INSIDE)
    bob = Phone(wire, "bob", BOB, PUBLIC, believes=INSIDE)
    complete(wire, bob.register())
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_up)
    wire.run(1.0)
    moving, staying = (call, bob.calls[0]) if mover == "alice" else (bob.calls[0], call)
    phone = moving.phone
    wire.attach(phone, "udp", MOVED)
    phone.flow = Flow("udp", MOVED, PUBLIC)

    complete(wire, moving.request("INVITE", b"v=0\r\n"))
    refreshed = staying.received[-1]
    staying.target = refreshed.first("Contact").strip("<>")  # §12.2.2: a target refresh
    bye = staying.hang_up()
    complete(wire, bye)

    arrived = [packet for packet in wire.sent_to(MOVED) if packet.start.startswith("BYE")]
    assert len(arrived) == 1
    assert moving.is_ended


def test_a_trunk_group_survives_the_mask(wire: Wire) -> None:
    """RFC 4904 §4: it stands in the user part, and whoever calls the Contact names it again."""
    bob = Phone(wire, "bob", BOB, PUBLIC)
    complete(wire, bob.register())
    alice = Phone(wire, f"alice;{TRUNK}", ALICE, PUBLIC)
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_up)
    wire.run(1.0)
    masked = f"<sip:ngcp-lb;{TRUNK}@192.0.2.1:5060;ngcpct="
    assert bob.seen[0].first("Contact").startswith(masked)


@pytest.mark.parametrize(
    ("trunk", "arrives"),
    [
        (
            ";tgrp=TG-1;trunk-context=example.org",
            "sip:alice;tgrp=TG-1;trunk-context=example.org@198.51.100.1:5060",
        ),
        (";tgrp=TG-2;trunk-context=+43", "sip:alice;tgrp=TG-2;trunk-context=+43@198.51.100.1:5060"),
        ("", "sip:alice;tgrp=TG-1;trunk-context=example.org@198.51.100.1:5060"),
    ],
)
def test_a_request_to_a_masked_trunk(wire: Wire, trunk: str, arrives: str) -> None:
    alice = Phone(wire, f"alice;{TRUNK}", ALICE, PUBLIC)
    bob = Phone(wire, "bob", BOB, PUBLIC)
    complete(wire, bob.register())
    call = alice.call("bob")
    assert wire.run_until(lambda: call.is_up)
    dialog = bob.calls[0]
    host = dialog.target.partition("@")[2]
    dialog.target = f"sip:ngcp-lb{trunk}@{host}"
    complete(wire, dialog.hang_up())

    assert alice.seen[-1].uri == arrives
