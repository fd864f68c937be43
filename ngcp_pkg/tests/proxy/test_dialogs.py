"""Our Record-Route is a key: it opens the way of its own call only (RFC 3261 §16.12)."""

import pytest

from ngcp.proxy.dialogs import Dialogs
from ngcp.sip.syntax import Request

DIALOGS = Dialogs(b"secret", ("127.0.0.1", 5062))


def make_request(route: str | None, *, call_id: str = "c", from_tag: str = "a", to_tag: str = "b") -> Request:
    lines = [f"From: <sip:a@h>;tag={from_tag}", f"To: <sip:b@h>;tag={to_tag}", f"Call-ID: {call_id}"]
    return Request("BYE", "sip:b@192.0.2.9", ([f"Route: {route}, <sip:next;lr>"] if route else []) + lines)


RECORDED = DIALOGS.record_route(make_request(None))


def test_caller_and_callee_both_come_along_the_recorded_route() -> None:
    for request in (make_request(RECORDED), make_request(RECORDED, from_tag="b", to_tag="a")):
        assert DIALOGS.pop_own_route(request)
        assert request.all("Route") == ["<sip:next;lr>"]


@pytest.mark.parametrize(
    "request_",
    [
        make_request(None),
        make_request("<sip:127.0.0.1:5062;lr>"),
        make_request(RECORDED, call_id="another"),
        make_request(RECORDED, from_tag="x", to_tag="y"),
        make_request(RECORDED.replace("ftag=a", "ftag=b")),
        make_request(Dialogs(b"other secret", ("127.0.0.1", 5062)).record_route(make_request(None))),
    ],
    ids=["no route", "unsigned", "other call", "other tags", "other caller", "other secret"],
)
def test_forged_route_opens_nothing(request_: Request) -> None:
    assert not DIALOGS.pop_own_route(request_)
