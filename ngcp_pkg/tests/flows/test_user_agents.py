"""The filter of user agents, as phones meet it."""

from dataclasses import replace

import pytest

from flows.edge import CONFIGURATION, INTERNAL, PUBLIC, PUBLIC_TLS, SECRET, StubProxy
from flows.phones import Phone
from flows.wire import Wire
from ngcp.lb.core import LoadBalancer
from ngcp.lb.security import BlockUserAgents


def add_filtering(wire: Wire, choice: BlockUserAgents) -> LoadBalancer:
    core = LoadBalancer(replace(CONFIGURATION, block_useragents=choice), SECRET, wire.ids("lb"))
    for transport, address in (("udp", INTERNAL), ("udp", PUBLIC), ("tcp", PUBLIC), ("tls", PUBLIC_TLS)):
        wire.attach(core, transport, address)
    return core


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.mark.parametrize(("action", "status"), [("reject", 403), ("drop", 408)])
def test_a_scanner_is_told_or_not(wire: Wire, action: str, status: int) -> None:
    edge = add_filtering(wire, BlockUserAgents(True, action=action))
    stub = StubProxy(wire)
    scanner = Phone(wire, "scanner", ("203.0.113.66", 5060), PUBLIC)
    attempts = [
        scanner.send_request(method, uri, None, ["User-Agent: friendly-scanner"])
        for method, uri in (("OPTIONS", "sip:192.0.2.1"), ("REGISTER", "sip:example.org"))
    ]
    wire.run(40.0)

    assert [attempt.status for attempt in attempts] == [status, status]
    assert [attempt.final.reason for attempt in attempts if attempt.final] in ([], ["Forbidden"] * 2)
    assert (stub.requests, edge.transactions) == ([], 0)


def test_a_call_goes_on_whose_later_requests_carry_no_user_agent(wire: Wire) -> None:
    """ACK, CANCEL and what is in the dialog; the phones here only name themselves when they begin."""
    add_filtering(wire, BlockUserAgents(True, mode="whitelist", ua_patterns=("^Phone",), block_absent=True))
    stub = StubProxy(wire)
    alice = Phone(wire, "alice", ("203.0.113.7", 5060), PUBLIC)
    bob = Phone(wire, "bob", ("203.0.113.8", 5060), PUBLIC)
    registered = bob.send_request(
        "REGISTER", "sip:example.org", None, [f"Contact: <{bob.contact}>", "User-Agent: Phone"]
    )
    assert wire.run_until(lambda: registered.is_over)
    call = alice.call("bob", extra=("User-Agent: phone 1.0",))
    assert wire.run_until(lambda: call.is_up)
    attempt = call.hang_up()
    assert wire.run_until(lambda: attempt.is_over)

    assert attempt.status == 200
    assert [request.method for request in stub.requests] == ["REGISTER", "INVITE", "ACK", "BYE"]
