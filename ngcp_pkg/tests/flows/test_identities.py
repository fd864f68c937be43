"""By which names the sides of a call know each other, first request to last (RFC 3261 §12, RFC 3323)."""

from dataclasses import replace

import pytest

from flows.attempts import ANSWERS, IS_BUSY, RINGS, SDP, Script
from flows.phones import Call, Phone
from flows.whole import Node
from flows.wire import Packet
from ngcp.provisioning.runtime import RewriteRule
from ngcp.sip.syntax import NameAddr, Request, Response, parse

ALICE, ANONYMOUS = "sip:alice@example.org", "sip:anonymous@anonymous.invalid"


@pytest.fixture(params=[False, True], ids=["two passes", "bypass"])
def node(request: pytest.FixtureRequest) -> Node:
    """alice hides; she dials numbers as at home, and has one."""
    return anonymous(Node(bypass=request.param))


@pytest.fixture
def direct() -> Node:
    """The same, where one dialog reaches from phone to phone."""
    return anonymous(Node(bypass=True))


def anonymous(node: Node) -> Node:
    node.directory.shared = replace(
        node.directory.shared, dialplans={1: (RewriteRule(r"^0(\d+)$", r"${caller_cc}\1"),)}
    )
    node.prefer("alice", cli="4311001", cc="43", rewrite_callee_in_dpid="1", clir="1")
    return node


def call_bob(node: Node, script: Script = ANSWERS) -> tuple[Call, Call, Phone]:
    """Let alice call bob by his number; return the call as each of them has it."""
    bob = node.registered("bob", "192.0.2.20", script=script)
    call = node.registered("alice", "192.0.2.10").call("011002")
    node.wire.run(3.0)
    return call, bob.calls[0], bob


def names(message: Request | Response) -> tuple[str, str]:
    return message.from_.address, message.to.address


def assert_bob_never_heard_of_alice(node: Node, bob: Phone) -> None:
    told = [packet.text for packet in node.wire.packets if packet.destination == bob.flow.local]
    assert told
    assert [text for text in told if "sip:alice" in text or "4311001" in text] == []


def test_anonymous_call(node: Node) -> None:
    call, callees, bob = call_bob(node)
    assert call.is_up
    assert names(callees.invite) == (ANONYMOUS, "sip:4311002@example.org")
    assert callees.invite.from_.display == "Anonymous"
    assert call.attempt is not None
    assert {names(response) for response in call.attempt.responses} == {(ALICE, "sip:011002@example.org")}
    assert_bob_never_heard_of_alice(node, bob)


@pytest.mark.parametrize("restarts", [False, True], ids=["", "proxy was restarted"])
@pytest.mark.parametrize("method", ["INVITE", "INFO", "BYE"])
def test_request_of_an_anonymous_caller(node: Node, method: str, restarts: bool) -> None:
    call, callees, bob = call_bob(node)
    if restarts:
        node.restart_proxy()
    attempt = call.request(method, SDP if method == "INVITE" else b"")
    node.wire.run(2.0)

    assert attempt.status == 200
    assert names(callees.received[-1]) == (ANONYMOUS, "sip:4311002@example.org")
    assert {names(response) for response in attempt.responses} == {(ALICE, "sip:011002@example.org")}
    assert_bob_never_heard_of_alice(node, bob)


@pytest.mark.parametrize("restarts", [False, True], ids=["", "proxy was restarted"])
@pytest.mark.parametrize("method", ["INVITE", "INFO", "BYE"])
def test_request_to_an_anonymous_caller(node: Node, method: str, restarts: bool) -> None:
    call, callees, bob = call_bob(node)
    if restarts:
        node.restart_proxy()
    attempt = callees.request(method, SDP if method == "INVITE" else b"")
    node.wire.run(2.0)

    assert attempt.status == 200
    assert names(call.received[-1]) == ("sip:011002@example.org", ALICE)
    assert {names(response) for response in attempt.responses} == {("sip:4311002@example.org", ANONYMOUS)}
    assert_bob_never_heard_of_alice(node, bob)


def test_tags_stay(direct: Node) -> None:
    """§12.1: with the Call-ID they are what a dialog is known by."""
    call, callees, _ = call_bob(direct)
    assert NameAddr.parse(call.local).tag == NameAddr.parse(callees.remote).tag
    assert NameAddr.parse(call.remote).tag == NameAddr.parse(callees.local).tag


def test_anonymous_caller_gives_up(node: Node) -> None:
    call, callees, bob = call_bob(node, RINGS)
    call.cancel()
    node.wire.run(1.0)
    assert (call.status, callees.status) == (487, 487)
    assert_bob_never_heard_of_alice(node, bob)


def test_anonymous_caller_is_refused(node: Node) -> None:
    call, _, bob = call_bob(node, IS_BUSY)
    assert call.attempt is not None and call.attempt.final is not None
    assert (call.status, names(call.attempt.final)) == (486, (ALICE, "sip:011002@example.org"))
    assert_bob_never_heard_of_alice(node, bob)


def test_call_of_an_anonymous_caller_is_ended_by_us(node: Node) -> None:
    _, callees, bob = call_bob(node)
    (live,) = node.proxy.ledger
    node.proxy.ledger.terminate(live)
    node.wire.run(2.0)
    assert names(callees.received[-1]) == (ANONYMOUS, "sip:4311002@example.org")
    assert callees.is_ended
    assert_bob_never_heard_of_alice(node, bob)


def test_answer_whose_ack_was_lost_comes_again_in_the_callers_names(direct: Node) -> None:
    """§13.3.1.4: the callee repeats its 2xx; each copy is for the dialog that the caller knows."""
    bob = direct.registered("bob", "192.0.2.20")
    alice = direct.registered("alice", "192.0.2.10")
    lost: list[Packet] = []

    def meddle(packet: Packet) -> int:
        if packet.start.startswith("ACK") and packet.destination == bob.flow.local and len(lost) < 2:
            lost.append(packet)
            return 0
        return 1

    direct.wire.meddler = meddle
    call = alice.call("011002")
    direct.wire.run(4.0)
    assert len(lost) == 2
    assert bob.calls[0].is_acknowledged
    heard = [parse(packet.data) for packet in direct.wire.packets if packet.destination == alice.flow.local]
    answers = [each for each in heard if isinstance(each, Response) and each.status == 200]
    invited = [answer for answer in answers if answer.cseq.method == "INVITE"]
    assert len(invited) == 3
    assert {names(answer) for answer in invited} == {(ALICE, "sip:011002@example.org")}
    assert call.is_up
