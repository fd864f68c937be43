"""Click to dial on a whole node: the proxy wants to know in whose name it is, and treats both calls so."""

from collections.abc import Sequence

from flows.attempts import IS_BUSY
from flows.phones import Phone
from flows.whole import PROXY, Node
from ngcp.b2bua.dial import Order
from ngcp.sip.core.challenge import Secret
from proxy.doors import PASSWORD

CALLER, CALLEE = "sip:alice@example.org", "sip:bob@example.org"


def _order(password: str = PASSWORD, uris: Sequence[str] = (CALLER, CALLEE, CALLER, CALLEE)) -> Order:
    return Order.read(uris, Secret("alice", password, "example.org"))


def _both(node: Node) -> tuple[Phone, Phone]:
    return node.registered("alice", "203.0.113.10"), node.registered("bob", "203.0.113.11")


def test_a_subscriber_is_connected() -> None:
    node = Node()
    alice, bob = _both(node)

    node.b2bua.dial(_order(), node.wire.now)
    node.wire.run(5)

    assert [len(phone.calls) for phone in (alice, bob)] == [1, 1]
    assert alice.calls[0].is_up
    assert bob.calls[0].is_up
    assert "P-App-Name" not in bob.calls[0].invite
    assert CALLER in bob.calls[0].invite.first("From")
    bye = bob.calls[0].hang_up()
    node.wire.run(5)
    assert bye.status == 200
    assert alice.calls[0].is_ended
    assert not node.b2bua.calls


def test_the_proxy_asks_for_the_password() -> None:
    node = Node()
    alice, bob = _both(node)

    node.b2bua.dial(_order("wrong"), node.wire.now)
    node.wire.run(5)

    told = [packet.start for packet in node.wire.packets if packet.source == PROXY]
    assert sum(start.startswith("SIP/2.0 407") for start in told) == 2
    assert alice.calls == bob.calls == []
    assert not node.b2bua.calls


def test_the_domain_is_beside_the_address_of_the_proxy() -> None:
    node = Node()
    alice, bob = _both(node)
    uris = [f"sip:{user}@127.0.0.1:5062;sw_domain=example.org" for user in ("alice", "bob")]

    node.b2bua.dial(_order(uris=(CALLER, CALLEE, *uris)), node.wire.now)
    node.wire.run(5)

    assert alice.calls[0].is_up
    assert bob.calls[0].is_up


def test_the_second_is_busy() -> None:
    node = Node()
    alice, bob = _both(node)
    bob.script = IS_BUSY

    node.b2bua.dial(_order(), node.wire.now)
    node.wire.run(5)

    assert bob.calls[0].status == 486
    assert alice.calls[0].is_ended
    assert not node.b2bua.calls


def test_a_caller_who_may_not_call_is_not_called_for() -> None:
    """The proxy's rules for the subscriber hold for calls that are dialled in its name."""
    node = Node()
    alice, bob = _both(node)
    node.prefer("alice", lock="3")

    node.b2bua.dial(_order(), node.wire.now)
    node.wire.run(5)

    assert bob.calls == []
    assert all(call.is_ended for call in alice.calls)
