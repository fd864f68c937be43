"""Who calls, and what becomes of it: through load-balancer and proxy, on the virtual clock."""

import pytest

from flows.phones import Call, Phone
from flows.whole import EDGE, Node
from ngcp.provisioning.runtime import (
    InboundRule,
    Peer,
    PeerGroup,
    PeerRule,
    Preferences,
    RewriteRule,
    TrustedSource,
)
from ngcp.sip.syntax import Request

B2BUA, PROXY = ("127.0.0.1", 5080), ("127.0.0.1", 5062)
CARRIER, PBX = "192.0.2.100", "192.0.2.50"


@pytest.fixture
def node() -> Node:
    return Node()


def carrier(*rules: InboundRule, **preferences: str) -> PeerGroup:
    """Return a group of one peer that takes all calls."""
    layer = {name: (value,) for name, value in preferences.items()}
    peer = Peer(1, "carrier", CARRIER, 5060, preferences=Preferences((layer,)))
    return PeerGroup(1, "carriers", 1, 1, (PeerRule(),), rules, (peer,))


def stranger(node: Node, host: str, user: str = "4317", domain: str = "carrier.example") -> Phone:
    """Connect a phone that has no password here."""
    phone = Phone(node.wire, user, (host, 5060), EDGE)
    phone.domain = domain
    return phone


def ringing(node: Node, call: Call) -> int:
    node.wire.run(3.0)
    return call.status


def names(request: Request) -> tuple[str, str]:
    return request.from_.address, request.to.address


def test_call_from_a_peer_to_a_number_and_back(node: Node) -> None:
    """Its numbers are rewritten on the way in, and each side hangs up in the names it knows."""
    node.share(
        peer_groups=(carrier(rewrite_callee_in_dpid="1", rewrite_caller_in_dpid="1"),),
        dialplans={1: (RewriteRule(r"^00(\d+)$", r"\1"),)},
    )
    bob = node.registered("bob", "192.0.2.20")
    peer = stranger(node, CARRIER, "004317")
    call = peer.call(f"sip:004311002@{EDGE[0]}")
    assert ringing(node, call) == 200

    assert names(bob.calls[0].invite) == ("sip:4317@example.org", "sip:4311002@example.org")
    assert bob.calls[0].invite.all("P-Asserted-Identity") == ["<sip:4317@example.org>"]
    bye = bob.calls[0].hang_up()
    node.wire.run(1.0)
    assert bye.status == 200
    assert names(call.received[-1]) == (f"sip:004311002@{EDGE[0]}", "sip:004317@carrier.example")


@pytest.mark.parametrize(
    ("rules", "host", "status"),
    [
        ((InboundRule("from_user", "^4317$"),), CARRIER, 200),
        ((InboundRule("from_user", "^9", 488, "Not Here"),), CARRIER, 488),
        ((), "203.0.113.9", 403),
    ],
    ids=["accepted", "rejected", "elsewhere"],
)
def test_who_may_call_as_a_peer(node: Node, rules: tuple[InboundRule, ...], host: str, status: int) -> None:
    node.share(peer_groups=(carrier(*rules),))
    node.registered("bob", "192.0.2.20")
    assert ringing(node, stranger(node, host).call("sip:4311002@example.org")) == status


def test_a_peer_hears_the_refusal_that_it_asked_for(node: Node) -> None:
    wishes = {"callee_unknown_code": "604", "callee_unknown_reason": "Nobody"}
    node.share(peer_groups=(carrier(**wishes),))
    call = stranger(node, CARRIER).call("sip:4319999@example.org")
    assert ringing(node, call) == 604
    assert call.attempt is not None and call.attempt.final is not None
    assert call.attempt.final.reason == "Nobody"


def test_trusted_pbx_calls_without_a_password(node: Node) -> None:
    node.share(trusted=(TrustedSource("uuid-alice", PBX, "UDP", r"@pbx\.example"),))
    node.prefer("alice", cli="4311001", allowed_clis="4311*")
    bob = node.registered("bob", "192.0.2.20")
    pbx = stranger(node, PBX, "431155", "pbx.example")
    assert ringing(node, pbx.call("sip:4311002@example.org")) == 200
    assert names(bob.calls[0].invite)[0] == "sip:4311001@example.org"
    other = stranger(node, "192.0.2.51", "431155", "pbx.example")
    assert ringing(node, other.call("sip:4311002@example.org")) == 403


def test_anybody_may_call_who_wants_it(node: Node) -> None:
    node.registered("bob", "192.0.2.20")
    joe = stranger(node, "203.0.113.9", "joe", "elsewhere.example")
    assert ringing(node, joe.call("sip:bob@example.org")) == 403
    node.prefer("bob", unauth_inbound_calls="1")
    assert ringing(node, joe.call("sip:bob@example.org")) == 200


def test_call_to_a_peer_in_its_formats(node: Node) -> None:
    """The peer learns who hides, asked to keep it, and hears of the same names until the end."""
    wishes = {"rewrite_callee_out_dpid": "2", "rewrite_caller_out_dpid": "2"}
    node.share(
        peer_groups=(carrier(**wishes),),
        dialplans={2: (RewriteRule(r"^(\d+)$", r"+\1"),)},
    )
    node.prefer("alice", cli="4311001", clir="1")
    peer = stranger(node, CARRIER)
    call = node.registered("alice", "192.0.2.10").call("4319999")
    assert ringing(node, call) == 200

    invite = peer.calls[0].invite
    assert invite.uri == f"sip:+4319999@{CARRIER}:5060"
    assert names(invite) == ("sip:anonymous@anonymous.invalid", f"sip:+4319999@{CARRIER}")
    assert invite.all("P-Asserted-Identity") == ["<sip:+4311001@example.org>"]
    assert invite.all("Privacy") == ["id"]
    call.hang_up()
    node.wire.run(1.0)
    assert names(peer.calls[0].received[-1]) == names(invite)


@pytest.mark.parametrize(
    ("wishes", "number", "status"),
    [
        ({"lock": "2"}, "bob", 403),
        ({"block_out_list": "4311*"}, "4311002", 403),
        ({"reject_emergency": "1"}, "112", 403),
        ({"lock": "3", "adm_block_out_mode": "1"}, "112", 200),
        ({"allowed_clis_reject_policy": "reject"}, "bob", 200),
    ],
    ids=["locked", "blocked", "no emergencies", "emergency passes", "own name"],
)
def test_what_a_caller_may_do(node: Node, wishes: dict[str, str], number: str, status: int) -> None:
    node.share(peer_groups=(carrier(),), dialplans={8: (RewriteRule("^112$", "emergency_112"),)})
    node.prefer("alice", rewrite_callee_in_dpid="8", **wishes)
    node.registered("bob", "192.0.2.20")
    stranger(node, CARRIER)
    assert ringing(node, node.registered("alice", "192.0.2.10").call(number)) == status


def test_callee_blocks_who_hides(node: Node) -> None:
    node.prefer("bob", block_in_clir="1")
    node.registered("bob", "192.0.2.20")
    alice = node.registered("alice", "192.0.2.10")
    assert ringing(node, alice.call("bob")) == 200
    assert ringing(node, alice.call("bob", extra=("Privacy: id",))) == 403


def test_service_code_reaches_the_b2bua_and_the_call_ends_there(node: Node) -> None:
    b2bua = Phone(node.wire, "b2bua", B2BUA, PROXY, script=((0.0, 200),))
    call = node.registered("alice", "192.0.2.10").call("*72*4311002")
    assert ringing(node, call) == 200
    invite = b2bua.calls[0].invite
    assert invite.uri == "sip:*72*4311002@example.org"
    assert (invite.get("P-Caller-UUID"), invite.get("P-Language")) == ("uuid-alice", "en")
    bye = b2bua.calls[0].hang_up()
    node.wire.run(1.0)
    assert bye.status == 200 and call.is_ended


def test_nobody_serves_codes(node: Node) -> None:
    node.wire.detach(node.b2bua)
    call = node.registered("alice", "192.0.2.10").call("*72*4311002")
    assert ringing(node, call) == 480
    assert call.attempt is not None and call.attempt.final is not None
    assert call.attempt.final.reason == "Temporarily Unavailable"


def test_speed_dial(node: Node) -> None:
    node.change("alice", speed_dials={"*1": "sip:4311002@example.org"})
    node.registered("bob", "192.0.2.20")
    alice = node.registered("alice", "192.0.2.10")
    assert [ringing(node, alice.call(slot)) for slot in ("*1", "*2")] == [200, 484]
