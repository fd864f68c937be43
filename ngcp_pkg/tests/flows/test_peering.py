"""Calls that leave for other networks, through load-balancer and proxy, on the virtual clock."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from flows.attempts import ANSWERS, IS_BUSY, IS_DEAD, RINGS, SDP, Script
from flows.hands import Hand
from flows.phones import Call, Phone
from flows.whole import EDGE, Node
from flows.wire import Packet
from ngcp.provisioning.runtime import Forward, Peer, PeerGroup, PeerRule, Preferences
from ngcp.provisioning.runtime.features import Destination

FIRST, SECOND = ("203.0.113.1", 5060), ("203.0.113.2", 5070)
NUMBER = "43720555"


@pytest.fixture
def node() -> Node:
    return Node()


def peer(number: int, **fields: object) -> Peer:
    ip, port = (FIRST, SECOND)[number - 1]
    return replace(Peer(number, f"peer{number}", ip, port), **fields)  # type: ignore[arg-type]  # any of them


def prefers(**values: str) -> Preferences:
    return Preferences(({name: (value,) for name, value in values.items()},))


def provision(node: Node, *peers: Peer, rule: PeerRule | None = None) -> None:
    """Let each peer be alone in its group, the first one preferred."""
    groups = tuple(
        PeerGroup(each.id, each.name, each.id, 1, (rule or PeerRule(),), (), (each,)) for each in peers
    )
    node.directory.shared = replace(node.directory.shared, peer_groups=groups)
    node.proxy.directory.drop("peers")


def answering(node: Node, number: int, script: Script = ANSWERS) -> Phone:
    """Let a peer be there."""
    return Phone(node.wire, f"peer{number}", (FIRST, SECOND)[number - 1], EDGE, script=script)


def call_out(node: Node, seconds: float = 5.0, number: str = NUMBER) -> Call:
    call = node.registered("alice", "192.0.2.10").call(number)
    node.wire.run(seconds)
    return call


def assert_nothing_is_left(node: Node) -> None:
    node.wire.run(200.0)
    assert (node.proxy.transactions, node.edge_transactions) == (0, 0)


def heard(call: Call) -> tuple[int, str]:
    assert call.attempt is not None and call.attempt.final is not None
    return call.attempt.final.status, call.attempt.final.reason


def test_a_number_of_nobody_here_goes_to_the_peer(node: Node) -> None:
    far = answering(node, 1)
    provision(node, peer(1))
    call = call_out(node)

    assert call.is_up
    assert far.calls[0].invite.uri == f"sip:{NUMBER}@203.0.113.1:5060"
    call.hang_up()
    node.wire.run(1.0)
    assert far.calls[0].is_ended
    assert_nothing_is_left(node)


def test_the_peer_hangs_up(node: Node) -> None:
    far = answering(node, 1)
    provision(node, peer(1))
    call = call_out(node)
    bye = far.calls[0].hang_up()
    node.wire.run(1.0)

    assert (bye.status, call.is_ended) == (200, True)


@pytest.mark.parametrize(
    "script",
    [IS_DEAD, ((0.1, 503),), ((0.1, 500),), ((0.1, 408),), ((0.1, 407),)],
    ids=["dead", "503", "500", "408", "wants credentials"],
)
def test_first_peer_down_second_gets_the_call(node: Node, script: Script) -> None:
    answering(node, 1, script)
    second = answering(node, 2)
    provision(node, peer(1), peer(2))
    call = call_out(node, 40.0 if script is IS_DEAD else 5.0)

    assert call.is_up and len(second.calls) == 1
    assert second.calls[0].invite.uri == f"sip:{NUMBER}@203.0.113.2:5070"
    assert_nothing_is_left(node)


@pytest.mark.parametrize("whose", ["the peer's", "the caller's"])
def test_a_peer_that_wants_credentials_gets_them(node: Node, whose: str) -> None:
    """Leg B's second INVITE brings the same token: it goes where the first one went."""
    far, account = Hand(node.wire, "peer1", FIRST, EDGE), {"peer_auth_user": "me", "peer_auth_pass": "secret"}
    provision(node, peer(1, preferences=prefers(**(account if whose == "the peer's" else {}))))
    node.prefer("alice", **({} if whose == "the peer's" else account))
    call = call_out(node, 1.0)
    (first,) = far.requests("INVITE")
    far.answer(first, 407, 'Proxy-Authenticate: Digest realm="carrier.example", nonce="n", qop="auth"')
    node.wire.run(1.0)
    _, second = far.requests("INVITE")
    assert 'Digest username="me", realm="carrier.example"' in second.first("Proxy-Authorization")
    far.answer(second, 200, body=SDP)
    node.wire.run(1.0)
    assert call.is_up and len(node.proxy.passes) == 0
    assert [
        packet.text for packet in node.wire.packets if "secret" in packet.text and _is_outside(packet)
    ] == []


def _is_outside(packet: Packet) -> bool:
    return not packet.destination[0].startswith("127.")


@pytest.mark.parametrize("status", [404, 486, 603])
def test_what_a_peer_says_of_the_callee_is_no_failover(node: Node, status: int) -> None:
    answering(node, 1, ((0.1, status),))
    second = answering(node, 2)
    provision(node, peer(1), peer(2))

    assert (call_out(node).status, second.calls) == (status, [])


def test_a_reason_that_means_failover(node: Node) -> None:
    answering(node, 1, ((0.1, 403),))
    answering(node, 2)
    provision(node, peer(1, preferences=prefers(reason_text_for_failover="Forbidden")), peer(2))

    assert call_out(node).is_up


def test_no_peer_takes_the_call(node: Node) -> None:
    for number in (1, 2):
        answering(node, number, ((0.1, 503),))
    provision(node, peer(1), peer(2))

    assert heard(call_out(node)) == (503, "PSTN Termination Currently Unavailable")


def test_a_number_that_no_peer_is_for(node: Node) -> None:
    provision(node, peer(1), rule=PeerRule(callee_prefix="49"))

    assert heard(call_out(node)) == (404, "Not Found")


def test_peer_over_its_limit_is_skipped(node: Node) -> None:
    first, second = answering(node, 1), answering(node, 2)
    provision(node, peer(1, preferences=prefers(concurrent_max="1")), peer(2))
    alice = node.registered("alice", "192.0.2.10")
    calls = [alice.call(NUMBER) for _ in range(2)]
    node.wire.run(5.0)

    assert [call.status for call in calls] == [200, 200]
    assert (len(first.calls), len(second.calls)) == (1, 1)


def test_caller_gives_up_while_the_second_peer_rings(node: Node) -> None:
    answering(node, 1, ((0.1, 503),))
    second = answering(node, 2, RINGS)
    provision(node, peer(1), peer(2))
    call = call_out(node, 2.0)
    call.cancel()
    node.wire.run(1.0)

    assert (call.status, second.calls[0].status) == (487, 487)
    assert_nothing_is_left(node)


def test_a_peer_that_does_not_answer_probes_is_passed_over(node: Node) -> None:
    second = answering(node, 2)
    provision(node, peer(1, is_probed=True), peer(2))
    node.wire.run(60.0)
    call = call_out(node, 3.0)
    assert call.is_up and len(second.calls) == 1

    first = answering(node, 1)
    node.wire.run(30.0)
    assert {request.method for request in first.seen} == {"OPTIONS"}
    again = call.phone.call(NUMBER)
    node.wire.run(3.0)
    assert again.is_up and len(first.calls) == 1


def test_a_peer_by_its_name_and_another_socket(node: Node) -> None:
    far = answering(node, 1)
    preferences = prefers(outbound_socket=f"udp:{EDGE[0]}:{EDGE[1]}")
    provision(node, peer(1, host="peer.example", preferences=preferences))
    call = call_out(node)

    assert call.is_up
    assert far.calls[0].invite.uri == f"sip:{NUMBER}@peer.example:5060"


def test_a_peer_behind_a_proxy_of_its_own(node: Node) -> None:
    """Preference via_route: the call goes where the route leads."""
    far = answering(node, 2)
    provision(node, peer(1, route="sip:203.0.113.2:5070"))

    assert call_out(node).is_up
    assert far.calls[0].invite.uri == f"sip:{NUMBER}@203.0.113.1:5060"


def test_callee_forwards_to_a_number_outside(node: Node) -> None:
    """Who is called from a peer and forwards to another one pays for that: it is no transit."""
    far = answering(node, 1)
    provision(node, peer(1))
    node.registered("bob", "192.0.2.20", script=IS_BUSY)
    node.change("bob", forwards=(Forward("cfb", (Destination(f"sip:{NUMBER}@example.org"),)),))
    call = call_out(node, number="bob")

    assert call.is_up and len(far.calls) == 1


def test_who_is_here_can_be_sent_to_a_peer_all_the_same(node: Node) -> None:
    far, bob = answering(node, 1), node.registered("bob", "192.0.2.20")
    provision(node, peer(1))
    node.prefer("alice", force_outbound_calls_to_peer="force")
    call = call_out(node, number="4311002")

    assert call.is_up and len(far.calls) == 1 and bob.calls == []


MEDIA: Mapping[str, str] = {"use_rtpproxy": "ice_replace_candidates", "transport_protocol": "RTP/SAVP"}


def test_each_side_gets_the_media_that_it_prefers(node: Node) -> None:
    """And so does every later offer in the dialog."""
    far = answering(node, 1)
    provision(node, peer(1, preferences=prefers(**MEDIA)))
    call = call_out(node)
    offer, answer = node.relay.commands
    assert (offer["ICE"], offer["transport-protocol"], answer["ICE"]) == ("force", "RTP/SAVP", "remove")

    for side in (far.calls[0], call):
        side.request("INVITE", body=SDP)
        node.wire.run(2.0)
    assert [command["ICE"] for command in node.relay.commands[2:]] == ["remove", "force", "force", "remove"]


def test_media_that_nobody_wants_relayed_pass_us_by(node: Node) -> None:
    answering(node, 1)
    provision(node, peer(1, preferences=prefers(use_rtpproxy="never")))
    node.prefer("alice", use_rtpproxy="never")
    call = call_out(node)
    call.request("INVITE", body=SDP)
    node.wire.run(1.0)

    assert call.is_up and node.relay.commands == []


def test_a_peer_over_tcp(node: Node) -> None:
    """The load-balancer opens the connection."""
    far = Phone(node.wire, "peer1", FIRST, EDGE, transport="tcp")
    node.wire.attach(far, "tcp", FIRST)
    provision(node, peer(1, transport="tcp"))
    call = call_out(node)

    assert call.is_up
    assert far.calls[0].invite.uri == f"sip:{NUMBER}@203.0.113.1:5060;transport=tcp"
    call.hang_up()
    node.wire.run(1.0)
    assert far.calls[0].is_ended


def calling_in(node: Node, number: int = 1) -> Phone:
    """Let a peer be there that calls us."""
    far = answering(node, number)
    far.domain = "carrier.example"
    return far


@pytest.mark.parametrize(
    ("uses_redirection", "status", "rung"), [(False, 200, 1), (True, 302, 0)], ids=["forward", "redirect"]
)
def test_a_forward_of_a_call_from_a_peer(node: Node, uses_redirection: bool, status: int, rung: int) -> None:
    """use_redirection: the peer is told where to call instead."""
    provision(node, peer(1))
    carol, far = node.registered("carol", "192.0.2.30"), calling_in(node)
    destinations = (Destination("sip:4311003@example.org"),)
    node.change("bob", forwards=(Forward("cfu", destinations, uses_redirection=uses_redirection),))
    call = far.call("sip:4311002@example.org")
    node.wire.run(5.0)

    assert (call.status, len(carol.calls)) == (status, rung)
    if uses_redirection:
        assert call.attempt is not None and call.attempt.final is not None
        assert call.attempt.final.all("Contact") == ["<sip:4311003@example.org>"]


def test_a_peer_does_not_reach_another_one_through_us(node: Node) -> None:
    second = answering(node, 2)
    provision(node, peer(1), peer(2))
    call = calling_in(node).call(f"sip:{NUMBER}@example.org")
    node.wire.run(5.0)

    assert (heard(call), second.calls) == ((404, "Not Found"), [])


def test_a_peer_hears_the_words_that_it_wants(node: Node) -> None:
    provision(node, peer(1, preferences=prefers(callee_offline_code="487", callee_offline_reason="Gone")))
    call = calling_in(node).call("sip:4311002@example.org")
    node.wire.run(5.0)

    assert heard(call) == (487, "Gone")


def test_who_is_called_from_a_peer_may_forward_to_another_network(node: Node) -> None:
    """The forwarder pays, so it is no transit."""
    provision(node, peer(1), peer(2))
    node.change("bob", forwards=(Forward("cfu", (Destination(f"sip:{NUMBER}@example.org"),)),))
    first = answering(node, 1)
    call = calling_in(node, 2).call("sip:4311002@example.org")
    node.wire.run(5.0)

    assert call.is_up and len(first.calls) == 1
