"""From where, and with what phone, subscribers may register and call."""

from collections.abc import Callable, Mapping

import pytest

from ngcp.provisioning.runtime import Preferences
from ngcp.proxy.floor import Store
from ngcp.proxy.stations.admission import check_agent, check_source
from ngcp.sip.core.decision import Reply
from proxy.stage import Stage, make_request

UNAUTHORIZED = Reply(403, "Unauthorized IP detected")
Values = Mapping[str, tuple[str, ...]]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def check(stage: Stage, station: Callable[..., object], preferences: Values, *headers: str) -> object:
    """Let alice's INVITE through one station; she has these preferences, her request these headers."""
    request = make_request()
    for header in headers:
        request.append(*header.split(": ", 1))
    call = stage.call(request=request)
    call.caller.preferences = Preferences((preferences,))
    return station(call, stage.floor)


@pytest.mark.parametrize(
    ("preferences", "source", "is_let_in"),
    [
        ({}, "192.0.2.1", True),
        ({"allowed_ips": ("192.0.2.1",)}, "192.0.2.1", True),
        ({"allowed_ips": ("192.0.2.0/24", "2001:db8::/32")}, "192.0.2.200", True),
        ({"allowed_ips": ("192.0.2.0/24", "2001:db8::/32")}, "2001:db8::7", True),
        ({"allowed_ips": ("192.0.2.7/24",)}, "192.0.2.1", True),
        ({"allowed_ips": ("192.0.2.0/24",)}, "198.51.100.1", False),
        ({"allowed_ips": ("192.0.2.0/24",)}, "2001:db8::7", False),
        ({"allowed_ips": ("192.0.2.0/24",)}, "", False),
        ({"allowed_ips": ("everywhere",)}, "192.0.2.1", False),
        ({"man_allowed_ips": ("192.0.2.0/24",)}, "192.0.2.1", True),
        ({"man_allowed_ips": ("192.0.2.0/24",)}, "198.51.100.1", False),
        ({"allowed_ips": ("192.0.2.1",), "man_allowed_ips": ("198.51.100.1",)}, "198.51.100.1", True),
        ({"allowed_ips": ("192.0.2.1",), "ignore_allowed_ips": ("1",)}, "198.51.100.1", True),
        ({"allowed_ips": ("192.0.2.1",), "ignore_allowed_ips": ("0",)}, "198.51.100.1", False),
    ],
)
def test_source(stage: Stage, preferences: Values, source: str, is_let_in: bool) -> None:
    headers = (f"P-NGCP-Src-Ip: {source}",) if source else ()
    assert check(stage, check_source, preferences, *headers) == (None if is_let_in else UNAUTHORIZED)


@pytest.mark.parametrize(("real", "expected"), [("203.0.113.9", None), ("192.0.2.1", UNAUTHORIZED)])
def test_source_that_a_gateway_tells(stage: Stage, real: str, expected: Reply | None) -> None:
    preferences = {"allowed_ips": ("203.0.113.9",), "allowed_ips_header": ("X-Real-IP",)}
    headers = "P-NGCP-Src-Ip: 192.0.2.1", f"X-Real-IP: {real}"
    assert check(stage, check_source, preferences, *headers) == expected


@pytest.mark.parametrize(
    ("preferences", "agent", "is_let_in"),
    [
        ({}, None, True),
        ({"ua_reject_missing": ("1",)}, None, False),
        ({"ua_reject_missing": ("1",)}, "Snom", True),
        ({"ua_filter_list": ("*scanner*",)}, None, True),
        ({"ua_filter_list": ("*scanner*", "sipcli*")}, "friendly-scanner", False),
        ({"ua_filter_list": ("*SCANNER*",)}, "Friendly-Scanner 2", False),
        ({"ua_filter_list": ("snom[37]*",)}, "snom370/8.4", False),
        ({"ua_filter_list": ("snom[37]*",)}, "snomD785", True),
        ({"ua_filter_list": ("snom*",), "ua_filter_mode": ("1",)}, "snom370/8.4", True),
        ({"ua_filter_list": ("snom*",), "ua_filter_mode": ("1",)}, "Zoiper", False),
        ({"ua_filter_list": ("snom*",), "ua_filter_mode": ("0",)}, "Zoiper", True),
        ({"ua_filter_mode": ("1",)}, "Zoiper", True),
    ],
)
def test_agent(stage: Stage, preferences: Values, agent: str | None, is_let_in: bool) -> None:
    headers = (f"User-Agent: {agent}",) if agent is not None else ()
    assert check(stage, check_agent, preferences, *headers) == (None if is_let_in else Reply(403))


@pytest.mark.parametrize(("lock", "is_let_in"), [(0, True), (1, True), (3, True), (4, False), (5, True)])
def test_subscriber_who_may_do_nothing_cannot_even_register(stage: Stage, lock: int, is_let_in: bool) -> None:
    stage.source.add("alice", lock=lock)
    request = make_request("REGISTER", "sip:alice@example.org")
    outcome = stage.decide(lambda: stage.call(request=request))
    assert isinstance(outcome, Store) if is_let_in else outcome == Reply(403, "Caller locked")
