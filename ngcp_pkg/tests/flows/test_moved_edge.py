"""A node whose public address changes: phones that registered at the old one are still reached."""

import pytest

from flows import whole
from flows.whole import Node
from ngcp.sip.transport.flow import Flow

MOVED, MOVED_TLS = ("198.51.100.77", 5060), ("198.51.100.77", 5061)


@pytest.mark.parametrize("hangs_up", ["caller", "callee"])
def test_who_registered_before_is_called_from_the_new_address(
    monkeypatch: pytest.MonkeyPatch, hangs_up: str
) -> None:
    node = Node()
    bob = node.registered("bob", "192.0.2.20")

    monkeypatch.setattr(whole, "EDGE", MOVED)
    monkeypatch.setattr(whole, "EDGE_TLS", MOVED_TLS)
    node.restart_edge(1)
    bob.flow = Flow("udp", bob.flow.local, MOVED)  # it answers where it was asked from
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)
    assert call.is_up and bob.calls[0].is_up

    bye = (call if hangs_up == "caller" else bob.calls[0]).hang_up()
    node.wire.run(1.0)
    assert bye.status == 200
