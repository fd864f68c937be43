"""Bans as phones and attackers meet them, at the load-balancer and with a proxy that judges passwords."""

import pytest

from flows.attempts import Attempt
from flows.phones import Phone
from flows.whole import EDGE, INSIDE, PROXY, Node
from flows.wire import Wire
from proxy.doors import PASSWORD

ATTACKER = "203.0.113.66"
BAN_TIME = 3600.0


@pytest.fixture
def node() -> Node:
    return Node()


def outcome(node: Node, attempt: Attempt) -> tuple[int, str] | None:
    """Return the final status and reason; None if nobody answered within two seconds."""
    node.wire.run_until(lambda: attempt.is_over, 2.0)
    return None if attempt.final is None else (attempt.final.status, attempt.final.reason)


def ping(node: Node, phone: Phone) -> tuple[int, str] | None:
    return outcome(node, phone.send_request("OPTIONS", f"sip:{EDGE[0]}"))


def flood(node: Node, host: str, count: int, transport: str = "udp") -> Phone:
    attacker = node.phone("mallory", host, transport=transport)
    for _ in range(count):
        attacker.send_request("OPTIONS", f"sip:{EDGE[0]}")
    node.wire.run(0.1)
    return attacker


# Of sources


def test_a_source_that_floods_is_dropped_unread(node: Node) -> None:
    flood(node, ATTACKER, 80)

    assert len(node.wire.sent_to((ATTACKER, 5060))) == 50
    assert node.edge.counters["banned"] == 30
    assert node.edge.counters["received.udp"] == 50


def test_a_ban_of_a_source_lifts_after_its_time(node: Node) -> None:
    attacker = flood(node, ATTACKER, 80)
    node.wire.run(BAN_TIME - 60)
    assert ping(node, attacker) is None
    node.wire.run(60)
    assert ping(node, attacker) == (200, "OK")


def test_others_are_served_while_one_is_banned(node: Node) -> None:
    flood(node, ATTACKER, 80)
    alice, bob = node.registered("alice", "192.0.2.10"), node.registered("bob", "192.0.2.11")
    call = alice.call("bob")

    assert node.wire.run_until(lambda: call.is_up)
    assert bob.calls


def test_an_operator_lifts_a_ban(node: Node) -> None:
    attacker = flood(node, ATTACKER, 80)
    assert ping(node, attacker) is None
    node.edge.protection.tables["ipban"].delete(ATTACKER)

    assert ping(node, attacker) == (200, "OK")


def test_a_banned_source_is_banned_over_every_transport(node: Node) -> None:
    """Its messages are dropped at once; the sockets then hang up, and accept nothing."""
    attacker = flood(node, ATTACKER, 80, transport="tcp")
    assert node.edge.counters["banned"] == 30
    assert node.edge.protection.is_banned(ATTACKER, node.wire.now)
    assert ping(node, node.phone("mallory", ATTACKER)) is None
    assert ping(node, attacker) is None


def test_what_comes_from_inside_is_never_counted(node: Node) -> None:
    """The proxy answers for everybody."""
    for number in range(200):
        phone = node.phone("alice", f"192.0.2.{number + 1}")
        phone.register()
    node.wire.run(1.0)

    assert len(node.wire.sent_to(INSIDE)) > 300
    assert len(node.edge.protection.tables["ipban"]) == 0


def test_the_phones_of_an_office_begin_at_once_behind_one_nat(node: Node) -> None:
    """Power is back: a hundred phones register within five seconds, from one address."""
    phones = []
    for number in range(100):
        node.directory.add(f"desk{number}")
        address = "192.0.2.10", 20_000 + number
        phones.append(Phone(node.wire, f"desk{number}", address, EDGE, password=PASSWORD))
        phones[-1].register()
        node.wire.run(0.05)
    node.wire.run(1.0)

    assert [phone.user for phone in phones if not phone.registered] == []
    assert len(node.edge.protection.tables["ipban"]) == 0


# Of users


def guess(node: Node, phone: Phone, password: str = "guessed") -> tuple[int, str] | None:
    phone.password = password
    return outcome(node, phone.register())


def test_three_wrong_passwords_are_answered_by_the_proxy_and_the_fourth_by_the_edge(node: Node) -> None:
    """Platform: challenge and three failures 401, then 403."""
    mallory = node.phone("alice", ATTACKER)
    answers = [guess(node, mallory) for _ in range(4)]

    assert answers == [(401, "Unauthorized")] * 3 + [(403, "Try again later")]
    at_proxy = [packet for packet in node.wire.sent_to(PROXY) if packet.start.startswith("REGISTER")]
    assert sum("Authorization" in packet.text for packet in at_proxy) == 3


def test_the_right_password_does_not_help_during_a_ban(node: Node) -> None:
    alice = node.phone("alice", "192.0.2.10")
    for _ in range(3):
        guess(node, alice)

    assert guess(node, alice, PASSWORD) == (403, "Try again later")
    node.wire.run(BAN_TIME - 60)
    assert guess(node, alice, PASSWORD) == (403, "Try again later")
    node.wire.run(60)
    assert guess(node, alice, PASSWORD) == (200, "OK")


def test_a_ban_of_a_user_holds_wherever_the_user_is_and_for_nobody_else(node: Node) -> None:
    mallory = node.phone("alice", ATTACKER)
    for _ in range(3):
        guess(node, mallory)

    assert guess(node, node.phone("alice", "192.0.2.10"), PASSWORD) == (403, "Try again later")
    assert guess(node, node.phone("bob", ATTACKER), PASSWORD) == (200, "OK")


def test_success_forgets_the_failures_before_it(node: Node) -> None:
    alice = node.phone("alice", "192.0.2.10")
    for _ in range(3):
        assert guess(node, alice) == (401, "Unauthorized")
        assert guess(node, alice) == (401, "Unauthorized")
        assert guess(node, alice, PASSWORD) == (200, "OK")
    assert len(node.edge.protection.tables["auth"]) == 0


def test_a_call_with_the_right_password_is_a_success_too(node: Node) -> None:
    node.registered("bob", "192.0.2.11")
    alice = node.phone("alice", "192.0.2.10")
    guess(node, alice)
    alice.password = PASSWORD
    call = alice.call("bob")
    assert node.wire.run_until(lambda: call.is_up)
    assert len(node.edge.protection.tables["auth"]) == 0


def test_wrong_passwords_in_calls_count_too(node: Node) -> None:
    alice = node.phone("alice", "192.0.2.10")
    alice.password = "guessed"
    calls = [alice.call("bob").attempt for _ in range(4)]
    statuses = [outcome(node, attempt) for attempt in calls if attempt is not None]

    assert statuses[:3] == [(407, "Proxy Authentication Required")] * 3
    node.wire.run(5.0)
    assert outcome(node, alice.register()) == (403, "Try again later")


def test_a_stale_nonce_is_no_failure(node: Node) -> None:
    alice = node.registered("alice", "192.0.2.10")
    request = [packet for packet in node.wire.sent_to(EDGE) if "Authorization" in packet.text][-1]
    node.wire.run(400.0)
    again = request.data.replace(b"branch=z9hG4bK", b"branch=z9hG4bKagain")
    alice.send_raw(again)
    node.wire.run(1.0)

    assert "stale=true" in node.wire.sent_to(("192.0.2.10", 5060))[-1].text
    assert len(node.edge.protection.tables["auth"]) == 0


def test_a_hostile_callee_cannot_get_its_caller_banned(node: Node) -> None:
    """It answers each call with a challenge, and with the headers that the proxy would add."""
    mallory = node.registered("bob", ATTACKER, script=())
    alice = node.registered("alice", "192.0.2.10")
    for _ in range(4):
        call = alice.call("bob")
        assert node.wire.run_until(lambda: bool(mallory.calls) or bool(mallory.seen))
        node.wire.run(0.5)
        answer = mallory.seen[-1].reply(407, to_tag="1")
        answer.append("Proxy-Authenticate", 'Digest realm="example.org", nonce="1"')
        answer.append("P-NGCP-Authorization", "alice@example.org")
        answer.append("P-NGCP-Authorized", "0")
        mallory.send_raw(bytes(answer))
        assert call.attempt is not None
        node.wire.run(2.0)

    assert len(node.edge.protection.tables["auth"]) == 0


def test_success_in_a_dialog_or_without_a_check_forgets_nothing(node: Node) -> None:
    """What the proxy relays unasked must not give an attacker new attempts at somebody else's password."""
    mallory, bob = node.registered("carol", ATTACKER), node.registered("bob", "192.0.2.11")
    guess(node, node.phone("alice", "203.0.113.67"))
    call = mallory.call("bob")
    assert node.wire.run_until(lambda: call.is_up)
    assert bob.calls
    victim = 'Digest username="alice", realm="example.org", nonce="1", uri="sip:h", response="2"'
    call.cseq += 1
    attempt = mallory.send_request("INFO", call.target, call, [f"Proxy-Authorization: {victim}"])
    assert outcome(node, attempt) == (200, "OK")

    assert len(node.edge.protection.tables["auth"]) == 2


def test_headers_about_passwords_stay_inside(node: Node) -> None:
    guess(node, node.phone("alice", ATTACKER))

    assert [packet.start for packet in node.wire.sent_to(INSIDE) if "P-NGCP-Authorized: 0" in packet.text]
    assert [packet for packet in node.wire.sent_to((ATTACKER, 5060)) if "P-NGCP" in packet.text] == []


def test_the_wire_is_the_only_clock(node: Node) -> None:
    wires = []
    for _ in range(2):
        again = Node(wire=Wire())
        flood(again, ATTACKER, 60)
        guess(again, again.phone("alice", "192.0.2.10"))
        wires.append([packet.data for packet in again.wire.packets])
    assert wires[0] == wires[1]
