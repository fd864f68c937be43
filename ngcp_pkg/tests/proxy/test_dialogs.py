"""Our Record-Route is a key: it opens the way of its own call only (RFC 3261 §16.12)."""

import pytest

from ngcp.proxy.dialogs import Dialogs, is_of_leg_b, restore_names
from ngcp.sip.syntax import Request, Response

DIALOGS = Dialogs(b"secret", ("127.0.0.1", 5062))


def make_request(route: str | None, *, call_id: str = "c", from_tag: str = "a", to_tag: str = "b") -> Request:
    lines = [f"From: <sip:a@h>;tag={from_tag}", f"To: <sip:b@h>;tag={to_tag}", f"Call-ID: {call_id}"]
    return Request("BYE", "sip:b@192.0.2.9", ([f"Route: {route}, <sip:next;lr>"] if route else []) + lines)


RECORDED = DIALOGS.record_route(make_request(None))
LEG_B = DIALOGS.record_leg_b(make_request(None))


@pytest.mark.parametrize("route", [RECORDED, LEG_B])
def test_caller_and_callee_both_come_along_the_recorded_route(route: str) -> None:
    for request in (make_request(route), make_request(route, from_tag="b", to_tag="a")):
        assert is_of_leg_b(request) is (route == LEG_B)
        onward = DIALOGS.follow(request)
        assert onward is not None
        assert onward.all("Route") == ["<sip:next;lr>"]


@pytest.mark.parametrize(
    "request_",
    [
        make_request(None),
        make_request("<sip:127.0.0.1:5062;lr>"),
        make_request(RECORDED, call_id="another"),
        make_request(RECORDED, from_tag="x", to_tag="y"),
        make_request(RECORDED.replace("ftag=a", "ftag=b")),
        make_request(RECORDED.replace(";did=", ";leg_b=1;did=")),
        make_request(LEG_B.replace(";leg_b=1", "")),
        make_request(LEG_B.replace(";leg_b=1", ";vsf=%3Bleg_b=1")),
        make_request(Dialogs(b"other secret", ("127.0.0.1", 5062)).record_route(make_request(None))),
    ],
    ids=[
        "no route",
        "unsigned",
        "other call",
        "other tags",
        "other caller",
        "leg B of A",
        "leg A of B",
        "names of B",
        "other secret",
    ],
)
def test_forged_route_opens_nothing(request_: Request) -> None:
    assert DIALOGS.follow(request_) is None


def make_invite(from_: str, to: str) -> Request:
    return Request("INVITE", "sip:b@h", [f"From: {from_};tag=a", f"To: {to}", "Call-ID: c"])


RECEIVED = make_invite('"Alice" <sip:alice@h>', "<sip:0664@h>")
LEAVING = make_invite("<sip:anonymous@anonymous.invalid>", "<sip:43664@h>")
RENAMED = DIALOGS.record_route(RECEIVED, LEAVING)


def names(route: str, from_: str, to: str) -> tuple[str, str]:
    """Return From and To of a request in the dialog once it went past us."""
    lines = [f"Route: {route}", f"From: {from_}", f"To: {to}", "Call-ID: c"]
    onward = DIALOGS.follow(Request("BYE", "sip:b@192.0.2.9", lines))
    assert onward is not None
    return onward.first("From"), onward.first("To")


def test_each_side_is_told_the_names_that_it_knows() -> None:
    assert names(RENAMED, '"Alice" <sip:alice@h>;tag=a', "<sip:0664@h>;tag=b") == (
        "<sip:anonymous@anonymous.invalid>;tag=a",
        "<sip:43664@h>;tag=b",
    )
    assert names(RENAMED, "<sip:43664@h>;tag=b", "<sip:anonymous@anonymous.invalid>;tag=a") == (
        "<sip:0664@h>;tag=b",
        '"Alice" <sip:alice@h>;tag=a',
    )


def test_names_outlive_a_restart_and_are_for_nobody_else_to_read() -> None:
    again = Dialogs(b"secret", ("127.0.0.1", 5062))
    request = make_request(RENAMED)
    assert again.follow(request) is not None
    assert "alice" not in RENAMED and "0664" not in RENAMED


def test_names_of_another_call_open_nothing() -> None:
    """Who could put another call's names into a route of his own would learn who called."""
    token = RENAMED.partition("vsf=")[2].rstrip(">")
    spliced = RECORDED.replace(">", f";vsf={token}>")
    assert DIALOGS.follow(make_request(spliced)) is None


def test_a_call_that_leaves_as_it_came_has_a_short_route() -> None:
    assert DIALOGS.record_route(RECEIVED, RECEIVED) == DIALOGS.record_route(RECEIVED)


@pytest.mark.parametrize(
    ("answered", "told"),
    [
        ("<sip:43664@h>;tag=b", "<sip:0664@h>;tag=b"),
        ("<sip:43664@h>", "<sip:0664@h>"),
        ("<sip:0664@h>;tag=b", "<sip:0664@h>;tag=b"),
    ],
)
def test_an_answer_names_both_as_the_request_did(answered: str, told: str) -> None:
    """§8.2.6.2."""
    response = Response(180, None, [f"From: {LEAVING.first('From')}", f"To: {answered}"])
    restore_names(response, RECEIVED)
    assert (response.first("From"), response.first("To")) == (RECEIVED.first("From"), told)


def test_an_answer_in_a_dialog_keeps_the_requests_tags() -> None:
    request = make_request(RENAMED)
    response = Response(200, None, ["From: <sip:x@h>;tag=a", "To: <sip:y@h>;tag=b"])
    restore_names(response, request)
    assert (response.first("From"), response.first("To")) == (request.first("From"), request.first("To"))
