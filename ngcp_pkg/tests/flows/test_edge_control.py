"""What the load-balancer tells operators of itself, in the shapes that Kamailio gives it."""

import asyncio

import pytest

from flows.edge import CONFIGURATION, PUBLIC, PUBLIC_TLS, StubProxy
from flows.phones import Phone
from flows.wire import Wire
from ngcp.lb.control import make_commands
from ngcp.lb.core import LoadBalancer
from ngcp.lb.metrics import metrics
from ngcp.service.commands import Json
from ngcp.sip.transport.flow import Flow
from service.prometheus import read

ALICE, MALLORY = ("198.51.100.7", 40000), ("203.0.113.66", 5060)


def ask(core: LoadBalancer, name: str, *arguments: Json) -> Json:
    return asyncio.run(make_commands(core, lambda: CONFIGURATION).call(name, *arguments))


@pytest.fixture
def connected(wire: Wire, stub: StubProxy) -> Phone:
    """Register a phone over TLS; the stub lets it."""
    assert stub.bindings == {}
    phone = Phone(wire, "alice", ALICE, PUBLIC_TLS, transport="tls")
    attempt = phone.register()
    assert wire.run_until(lambda: attempt.is_over)
    return phone


def test_connections_are_listed_as_kamailio_lists_them(edge: LoadBalancer, connected: Phone) -> None:
    row = {
        "id": 1,
        "type": "TLS",
        "state": "CONN_OK",
        "src_ip": ALICE[0],
        "src_port": ALICE[1],
        "dst_ip": PUBLIC_TLS[0],
        "dst_port": PUBLIC_TLS[1],
    }
    assert connected
    assert ask(edge, "core.tcp_list") == ask(edge, "tls.list") == [row]
    assert ask(edge, "core.tcp_info") == {"opened_connections": 1, "opened_tls_connections": 1}


def test_a_closed_connection_is_on_no_list(wire: Wire, edge: LoadBalancer, connected: Phone) -> None:
    assert connected
    wire.hang_up("tls", ALICE)

    assert ask(edge, "core.tcp_list") == []
    assert ask(edge, "stats.fetchn", "connections") == {"connections": 0}


def test_statistics_are_numbers_that_can_be_summed(edge: LoadBalancer, connected: Phone) -> None:
    assert connected
    statistics = ask(edge, "stats")

    assert isinstance(statistics, dict)
    assert all(type(value) in (int, float) for value in statistics.values())
    assert (
        statistics["open_connections.tls"]
        == statistics["received.tls"]
        == statistics["requests.REGISTER"]
        == 1
    )


def test_transactions_are_counted(edge: LoadBalancer, connected: Phone) -> None:
    assert connected
    stats = ask(edge, "tm.stats")

    assert isinstance(stats, dict)
    assert (stats["2xx"], stats["rpl_sent"], stats["4xx"]) == (1, 1, 0)
    assert stats["current"] == edge.transactions


def test_what_is_refused_and_dropped_is_counted_by_reason(wire: Wire, edge: LoadBalancer) -> None:
    mallory = Phone(wire, "mallory", MALLORY, PUBLIC)
    mallory.send_request("INVITE", "sip:x@203.0.113.7", extra=["Route: <sip:203.0.113.7;lr>"])
    mallory.send_raw(b"GET / HTTP/1.1\r\n\r\n")
    wire.run(0.1)

    assert ask(edge, "stats.get_statistics", "refused:") == ["refused:403 Relaying denied = 1"]
    assert ask(edge, "stats.get_statistics", "dropped:") == ["dropped:400 Bad Request = 1"]


def test_metrics_are_what_was_counted(wire: Wire, edge: LoadBalancer, connected: Phone) -> None:
    assert connected
    Phone(wire, "mallory", MALLORY, PUBLIC).send_raw(b"GET / HTTP/1.1\r\n\r\n")
    wire.run(0.1)

    samples = read(asyncio.run(metrics(edge)))
    assert samples["ngcp_lb_requests_total", "REGISTER"] == 1
    assert samples["ngcp_lb_responses_total", "2xx"] == 1
    assert samples["ngcp_lb_received_messages_total", "tls"] == 1
    assert samples["ngcp_lb_dropped_total", "400 Bad Request"] == 1
    assert samples["ngcp_lb_connections", "tls"] == 1
    assert (samples["ngcp_lb_bans", "ipban"], samples["ngcp_lb_bans", "auth"]) == (0, 0)
    assert samples["ngcp_lb_sent_messages_total", ""] == edge.counters["sent"]
    assert samples["process_cpu_seconds_total", ""] > 0


def test_a_message_that_reaches_nobody_is_a_send_failure(wire: Wire, edge: LoadBalancer) -> None:
    edge.transport_failed(Flow("udp", PUBLIC, MALLORY), wire.now)

    assert ask(edge, "stats.fetchn", "send_failures") == {"send_failures": 1}
