"""A subscriber's account at a peer on the whole node: registered by the load-balancer, and called by it."""

from dataclasses import replace

import pytest

from flows.hands import Hand
from flows.registrars import KEY, account
from flows.test_peering import FIRST, peer, prefers, provision
from flows.whole import B2BUA, EDGE, INSIDE, Node
from ngcp.b2bua.accounts import Status
from ngcp.b2bua.registrations import Registrations
from ngcp.sip.syntax import NameAddr
from ngcp.sip.transport.flow import Flow, format_address


def enrolled(node: Node) -> tuple[Registrations, Hand]:
    """Register bob's account at the first peer, by hand."""
    way = f"<sip:{format_address(INSIDE)};lr>", Flow("udp", B2BUA, INSIDE)
    registrations = Registrations(node.b2bua.agent, way, format_address(EDGE), node.wire.clock)
    far = Hand(node.wire, "peer1", FIRST, EDGE)
    registrations.want([replace(account(), uuid="uuid-bob", next_hop=format_address(FIRST))], node.wire.now)
    node.wire.run(0.5)
    return registrations, far


def test_registers_by_the_load_balancer() -> None:
    node = Node()
    registrations, far = enrolled(node)
    (request,) = far.requests("REGISTER")
    contact = request.first("Contact")
    assert NameAddr.parse(contact).uri.host == EDGE[0]
    assert [name for name in request.shape if name.startswith("p-")] == []
    other = "<sip:trunk@203.0.113.4>;expires=17"
    far.answer(request, 200, f"Contact: {other}", f"Contact: {contact.partition(';expires')[0]};expires=90")
    node.wire.run(0.5)

    standing = registrations.standings[KEY]
    assert standing.status is Status.ACTIVE
    assert standing.expiry == pytest.approx(node.wire.now + 90, abs=2)


@pytest.mark.parametrize(
    ("his", "peers", "is_found"),
    [
        ({"peer_auth_register": "1"}, {}, True),
        ({"find_subscriber_by_uuid": "1"}, {}, True),
        ({}, {"find_subscriber_by_uuid": "1"}, True),
        ({}, {}, False),
    ],
    ids=["registered", "subscriber's", "peer's", "neither"],
)
def test_a_call_to_the_contact_comes_to_who_registered(
    his: dict[str, str], peers: dict[str, str], is_found: bool
) -> None:
    node = Node()
    phone = node.registered("bob", "192.0.2.11")
    node.prefer("bob", **his)
    provision(node, peer(1, preferences=prefers(**peers)))
    _, far = enrolled(node)
    far.target = NameAddr.parse(far.requests("REGISTER")[0].first("Contact")).address
    far.invite()
    node.wire.run(2.0)

    assert len(phone.calls) == is_found
    assert (404 in far.statuses()) is not is_found
