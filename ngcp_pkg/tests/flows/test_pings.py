"""The registrar keeps the way to phones behind NAT open, through the load-balancer (RFC 5626 §4.4)."""

import pytest

from flows.phones import Phone
from flows.whole import EDGE, INSIDE, PROXY, Node
from ngcp.lb.pings import BRANCH
from ngcp.proxy.pings import Keepalive
from ngcp.sip.syntax import parse

NAT = ("203.0.113.7", 40000)


def make_node(*, method: str = "options", failures: int = 0, nat_sipping: str = "yes") -> Node:
    return Node(keepalive=Keepalive(nat_sipping, method, 30.0, failures))


def natted(node: Node, *, transport: str = "udp") -> Phone:
    """Register a phone that believes to be somewhere else than we see it."""
    edge = (EDGE[0], 5061) if transport == "tls" else EDGE
    phone = Phone(
        node.wire, "bob", NAT, edge, transport=transport, password="secret", believes=("192.168.1.5", 5060)
    )
    attempt = phone.register()
    assert node.wire.run_until(lambda: attempt.status == 200)
    return phone


def pings(node: Node, phone: Phone) -> list[str]:
    texts = [packet.text for packet in node.wire.sent_to(phone.flow.local)]
    return [text for text in texts if text.startswith("OPTIONS ")]


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_phone_behind_nat_is_pinged_every_30_seconds(transport: str) -> None:
    node = make_node()
    phone = natted(node, transport=transport)
    node.wire.run(300.0)
    assert 9 <= len(pings(node, phone)) <= 11
    assert node.proxy.registrations == 1


def test_ping_tells_nothing_of_the_inside() -> None:
    node = make_node()
    phone = natted(node)
    node.wire.run(60.0)
    (text, *_) = pings(node, phone)
    assert "P-NGCP" not in text
    assert "\nRoute:" not in text
    assert "127.0.0.1" not in text
    assert text.startswith("OPTIONS sip:bob@192.168.1.5:5060 ")


def test_pings_leave_no_transactions_behind() -> None:
    """100,000 phones mean 3,000 of them a second."""
    node = make_node()
    phone = natted(node)
    node.wire.run(60.0)
    before = node.edge.transactions, node.proxy.transactions
    count = len(pings(node, phone))
    assert node.wire.run_until(lambda: len(pings(node, phone)) > count)
    node.wire.run(1.0)
    assert (node.edge.transactions, node.proxy.transactions) == before == (0, 0)


def test_phone_at_a_public_address_is_left_alone() -> None:
    node = make_node()
    phone = node.registered("bob", "192.0.2.20")
    node.wire.run(120.0)
    assert pings(node, phone) == []


def test_always_means_phones_at_public_addresses_too() -> None:
    node = make_node(nat_sipping="always")
    phone = node.registered("bob", "192.0.2.20")
    node.wire.run(120.0)
    assert len(pings(node, phone)) >= 3


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_empty_lines_keep_the_way_open_and_the_phone_need_not_answer(transport: str) -> None:
    node = make_node(method="crlf")
    phone = natted(node, transport=transport)
    node.wire.run(120.0)
    assert pings(node, phone) == []
    packets = [packet for packet in node.wire.sent_to(NAT) if packet.data == b"\r\n\r\n"]
    assert 3 <= len(packets) <= 5
    assert node.proxy.registrations == 1


@pytest.mark.parametrize("method", ["options", "crlf"])
def test_phone_whose_connection_is_gone_is_forgotten_at_the_next_ping(method: str) -> None:
    node = make_node(method=method)
    natted(node, transport="tcp")
    node.wire.hang_up("tcp", NAT)
    node.wire.run(60.0)
    assert node.proxy.registrations == 0
    assert node.table.rows == {}


def test_phone_that_came_back_by_another_connection_stays() -> None:
    node = make_node()
    phone = natted(node, transport="tcp")
    node.wire.hang_up("tcp", NAT)
    attempt = phone.register()
    assert node.wire.run_until(lambda: attempt.status == 200)
    node.wire.run(120.0)
    assert node.proxy.registrations == 1


def test_silent_phone_goes_after_as_many_pings_as_the_operator_says() -> None:
    node = make_node(failures=3)
    phone = natted(node)
    node.wire.run(300.0)
    assert node.proxy.registrations == 1
    node.wire.detach(phone)
    node.wire.run(60.0)
    assert node.proxy.registrations == 1
    node.wire.run(120.0)
    assert node.proxy.registrations == 0


def answer_of(text: str, status: str) -> bytes:
    """Write the answer to a ping as a phone does."""
    return text.replace("OPTIONS sip:bob@192.168.1.5:5060 SIP/2.0", f"SIP/2.0 {status}").encode()


def test_stranger_cannot_end_a_registration_by_answering() -> None:
    """Not even who has seen a ping, and so knows its branch."""
    node = make_node()
    phone = natted(node)
    stranger = node.phone("mallory", "192.0.2.66")
    node.wire.run(60.0)
    (text, *_) = pings(node, phone)
    stranger.send_raw(answer_of(text, "430 Flow Failed"))
    node.wire.run(1.0)
    assert node.proxy.registrations == 1


@pytest.mark.parametrize("branch", ["", "7-x", "-", "x-y", "0-", "0-np-r.1.0", "²-x"])
def test_answer_to_no_ping_does_nothing(branch: str) -> None:
    node = make_node()
    phone = natted(node)
    stranger = node.phone("mallory", "192.0.2.66")
    node.wire.run(60.0)
    (text, *_) = pings(node, phone)
    genuine = BRANCH + text.partition(BRANCH)[2].partition("\r\n")[0]
    stranger.send_raw(answer_of(text.replace(genuine, BRANCH + branch), "200 OK"))
    node.wire.run(1.0)
    assert node.proxy.registrations == 1


def test_phone_cannot_have_pings_sent_for_it() -> None:
    """What comes from outside is no ping of the proxy, whatever it says."""
    node = make_node()
    phone = natted(node)
    stranger = node.phone("mallory", "192.0.2.66")
    attempt = stranger.send_request("OPTIONS", "sip:bob@example.org", None, ["P-NGCP-Ping: crlf"])
    node.wire.run(3.0)
    assert attempt.status == 407
    assert not any(packet.data == b"\r\n\r\n" for packet in node.wire.sent_to(phone.flow.local))


def test_pings_go_to_the_edge_with_the_word_for_it() -> None:
    node = make_node()
    natted(node)
    node.wire.run(60.0)
    inner = [packet for packet in node.wire.sent_to(INSIDE) if packet.source == PROXY]
    words = [parse(packet.data).get("P-NGCP-Ping") for packet in inner if packet.data[:8] == b"OPTIONS "]
    assert set(words) == {"options"}
