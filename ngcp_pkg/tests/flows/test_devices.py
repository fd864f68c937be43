"""Devices of one subscriber: instances, flows, GRUUs, device aliases (RFC 5626, RFC 5627, RFC 3327)."""

from dataclasses import replace

import pytest

from flows.attempts import Attempt
from flows.phones import Phone
from flows.whole import Node
from ngcp.sip.syntax import NameAddr, Response

DESK = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
MOBILE = "urn:uuid:00000000-0000-1000-8000-000a95a0e128"
EXTENSIONS = ("Supported: path, outbound, gruu",)


@pytest.fixture
def node() -> Node:
    return Node()


def register(node: Node, phone: Phone, instance: str, *, reg_id: int = 0) -> Response:
    """Register a device that knows the extensions; return the answer."""
    suffix = f";reg-id={reg_id}" if reg_id else ""
    contact = f'<{phone.contact}>;expires=3600;+sip.instance="<{instance}>"{suffix}'
    return answer(node, phone.register(contact=contact, extra=EXTENSIONS))


def answer(node: Node, attempt: Attempt) -> Response:
    assert node.wire.run_until(lambda: attempt.is_over)
    assert attempt.final is not None
    return attempt.final


def gruu_of(response: Response, phone: Phone, kind: str) -> str:
    """Return the GRUU that an answer gives for one phone."""
    (contact,) = [one for one in response.all("Contact") if f"<{phone.contact}>" in one]
    return (NameAddr.parse(contact).params[f"{kind}-gruu"] or "").strip('"')


def test_second_device_of_same_instance_replaces_the_first(node: Node) -> None:
    """RFC 5626 §6: a device that comes back from elsewhere by the same flow has not become two."""
    first = node.phone("alice", "192.0.2.10")
    register(node, first, DESK, reg_id=1)
    moved = node.phone("alice", "192.0.2.11")
    confirmed = register(node, moved, DESK, reg_id=1)
    assert [row.contact for row in node.table.rows.values()] == [moved.contact]
    assert confirmed.all("Require") == ["outbound"]

    call = node.registered("bob", "192.0.2.20").call("alice")
    node.wire.run(3.0)
    assert (call.is_up, len(moved.calls), len(first.calls)) == (True, 1, 0)


def test_device_with_two_flows_rings_once(node: Node) -> None:
    """RFC 5626 §7."""
    flows = [node.phone("alice", f"192.0.2.{number}") for number in (10, 11)]
    for reg_id, flow in enumerate(flows, 1):
        register(node, flow, DESK, reg_id=reg_id)
        node.wire.run(1.0)
    assert len(node.table.rows) == 2
    node.registered("bob", "192.0.2.20").call("alice")
    node.wire.run(3.0)
    assert [len(flow.calls) for flow in flows] == [0, 1]


@pytest.mark.parametrize("kind", ["pub", "temp"])
def test_gruu_rings_one_device(node: Node, kind: str) -> None:
    desk, mobile = node.phone("alice", "192.0.2.10"), node.phone("alice", "192.0.2.11")
    uri = gruu_of(register(node, desk, DESK), desk, kind)
    register(node, mobile, MOBILE)
    assert ("alice" in uri) is (kind == "pub")

    bob = node.registered("bob", "192.0.2.20")
    call = bob.call(uri)
    node.wire.run(3.0)
    assert (call.is_up, len(desk.calls), len(mobile.calls)) == (True, 1, 0)


def test_gruu_as_contact_is_reached_in_the_dialog(node: Node) -> None:
    """RFC 5627 §6.1: what is sent to the GRUU in the dialog goes to the device."""
    desk, mobile = node.phone("alice", "192.0.2.10"), node.phone("alice", "192.0.2.11")
    uri = gruu_of(register(node, desk, DESK), desk, "temp")
    register(node, mobile, MOBILE)
    bob = node.registered("bob", "192.0.2.20")
    desk.goes_by = uri
    call = desk.call("bob")
    node.wire.run(3.0)
    assert call.is_up
    bob.calls[0].hang_up()
    node.wire.run(3.0)
    assert (call.is_ended, [request.method for request in mobile.seen]) == (True, [])


def test_gruu_of_a_device_that_left(node: Node) -> None:
    desk = node.phone("alice", "192.0.2.10")
    accepted = register(node, desk, DESK)
    public, temporary = (gruu_of(accepted, desk, kind) for kind in ("pub", "temp"))
    answer(node, desk.register(0, contact="*"))
    bob = node.registered("bob", "192.0.2.20")
    calls = [bob.call(public), bob.call(temporary)]
    node.wire.run(3.0)
    assert [call.status for call in calls] == [480, 404]


@pytest.mark.parametrize(("path", "status"), [((), 439), (("Path: <sip:10.0.0.1;lr;ob>",), 200)])
def test_flow_to_a_proxy_that_does_not_keep_it(node: Node, path: tuple[str, ...], status: int) -> None:
    """RFC 5626 §11.6."""
    alice = node.phone("alice", "192.0.2.10")
    contact = f'<{alice.contact}>;+sip.instance="<{DESK}>";reg-id=1'
    via = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKphone"
    refused = answer(node, alice.register(contact=contact, extra=(via, *path, *EXTENSIONS)))
    assert refused.status == status


def test_unknown_extension_is_named(node: Node) -> None:
    refused = answer(node, node.phone("alice", "192.0.2.10").register(extra=("Require: x-magic",)))
    assert (refused.status, refused.all("Unsupported")) == (420, ["x-magic"])
    assert node.table.rows == {}


def test_too_many_contacts(node: Node) -> None:
    """The phones that are there stay: a sixth one cannot push a working one out."""
    phones = [node.registered("alice", f"192.0.2.{number}") for number in range(10, 15)]
    refused = answer(node, node.phone("alice", "192.0.2.15").register())
    assert (refused.status, refused.reason) == (403, "Too Many Registered Contacts")
    assert answer(node, phones[0].register()).status == 200
    answer(node, phones[0].register(0))
    assert answer(node, node.phone("alice", "192.0.2.16").register()).status == 200


def test_several_contacts_in_one_registration(node: Node) -> None:
    alice = node.phone("alice", "192.0.2.10")
    contacts = "<sip:alice@192.0.2.10>;q=0.5, <sip:desk@192.0.2.10>;expires=60"
    accepted = answer(node, alice.register(600, contact=contacts))
    assert accepted.all("Contact") == [
        "<sip:desk@192.0.2.10>;expires=60",
        "<sip:alice@192.0.2.10>;q=0.5;expires=600",
    ]


def test_registrations_are_asked_for_without_a_contact(node: Node) -> None:
    """RFC 3261 §10.2.3."""
    alice = node.registered("alice", "192.0.2.10")
    asked = answer(node, alice.send_request("REGISTER", "sip:example.org"))
    assert asked.all("Contact") == ["<sip:alice@192.0.2.10:5060>;expires=3600"]


def test_way_through_a_proxy_of_the_customer(node: Node) -> None:
    """RFC 3327: what a proxy before the edge adds to the Path comes back as Route."""
    outer = "<sip:outer@192.0.2.10:5060;lr;ob>"
    alice = node.phone("alice", "192.0.2.10")
    accepted = answer(node, alice.register(extra=("Supported: path", f"Path: {outer}")))
    assert (accepted.status, "Path" in accepted) == (200, False)
    node.registered("bob", "192.0.2.20").call("alice")
    node.wire.run(1.0)
    (invite,) = [request for request in alice.seen if request.method == "INVITE"]
    assert invite.all("Route") == [outer]


def with_device(node: Node, **preferences: tuple[str, ...]) -> tuple[Phone, Phone]:
    """Give alice a device with an alias of its own; register it and her other phone."""
    node.directory.aliases["desk1"] = "alice"
    account = node.directory.accounts["alice"]
    node.directory.accounts["alice"] = replace(
        account, device_aliases=frozenset({"desk1"}), preferences=preferences
    )
    phone, desk = node.registered("alice", "192.0.2.10"), node.phone("desk1", "192.0.2.11")
    desk.login = "alice"
    assert answer(node, desk.register()).status == 200
    return phone, desk


@pytest.mark.parametrize(
    ("dialled", "rings_all", "rung"),
    [
        ("alice", False, [1, 0]),
        ("4311001", False, [1, 0]),
        ("desk1", False, [0, 1]),
        ("alice", True, [1, 1]),
        ("desk1", True, [0, 1]),
    ],
)
def test_device_alias_registers_and_rings_apart(
    node: Node, dialled: str, rings_all: bool, rung: list[int]
) -> None:
    phones = with_device(node, **({"lookup_all_registrations": ("1",)} if rings_all else {}))
    assert sorted(row.username for row in node.table.rows.values()) == ["alice", "desk1"]
    node.registered("bob", "192.0.2.20").call(dialled)
    node.wire.run(1.0)
    assert [len(phone.calls) for phone in phones] == rung


def test_registration_from_a_network_that_is_not_allowed(node: Node) -> None:
    account = node.directory.accounts["alice"]
    node.directory.accounts["alice"] = replace(account, preferences={"allowed_ips": ("192.0.2.0/28",)})
    assert answer(node, node.phone("alice", "192.0.2.10").register()).status == 200
    refused = answer(node, node.phone("alice", "192.0.2.99").register())
    assert (refused.status, refused.reason) == (403, "Unauthorized IP detected")
    stranger = node.phone("alice", "192.0.2.98")
    call = stranger.call("bob")
    node.wire.run(1.0)
    assert call.status == 403
