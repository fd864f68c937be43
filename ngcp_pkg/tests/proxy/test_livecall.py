"""A call's dialog: what ends it, and what of it survives the proxy (RFC 3261 §12)."""

import pytest

from ngcp.proxy.livecall import LiveCall, Stage
from ngcp.proxy.sessions import FOREVER, GRACE, session_expiry
from proxy import calls

OWN = "<sip:127.0.0.1:5062;"


def answered() -> LiveCall:
    request = calls.invite()
    live = LiveCall.begin(request, "c1", 1, (1000.0, 1600.0))
    live.confirm(calls.answer(request), OWN, 1005.0, 5.0)
    return live


def test_bye_to_the_callee_comes_from_the_caller() -> None:
    live = answered()
    live.caller.cseq = 7
    bye = live.goodbye(live.caller, live.callee)
    assert (bye.method, bye.uri) == ("BYE", "sip:bob@192.0.2.2")
    assert bye.first("From") == "<sip:alice@example.org>;tag=a-c1"
    assert bye.first("To") == "<sip:bob@example.org>;tag=b"
    assert bye.first("CSeq") == "8 BYE"
    assert bye.all("Route") == ["<sip:127.0.0.1:5060;lr>"]


def test_bye_to_the_caller_comes_from_the_callee() -> None:
    live = answered()
    bye = live.goodbye(live.callee, live.caller)
    assert bye.uri == "sip:alice@192.0.2.1"
    assert bye.first("From") == "<sip:bob@example.org>;tag=b"
    assert bye.first("To") == "<sip:alice@example.org>;tag=a-c1"
    assert bye.all("Route") == ["<sip:127.0.0.1:5060;lr>"]


def test_routes_without_ours_all_lead_to_the_callee() -> None:
    """§12.1.2; a proxy that does not find itself there sends along all of them."""
    request = calls.invite()
    live = LiveCall.begin(request, "c1", 1, (0.0, 1.0))
    live.confirm(calls.answer(request), "<sip:198.51.100.9:5062;", 0.0, 0.0)
    assert len(live.callee.routes) == 3


def test_each_side_is_known_by_the_order_of_tags() -> None:
    live, request = answered(), calls.invite()
    assert live.sides(calls.bye(request)) == (live.caller, live.callee)
    assert live.sides(calls.bye(request, by_callee=True)) == (live.callee, live.caller)
    assert live.sides(calls.bye(request, tag="fork")) is None


def test_a_contact_that_cannot_be_read_is_none() -> None:
    request = calls.invite()
    request.set("Contact", "<sip:alice")
    assert LiveCall.begin(request, "c1", 1, (0.0, 1.0)).caller.target == ""


def test_it_survives_as_text() -> None:
    live = answered()
    live.moved, live.session_ends = ["total", "user:u"], 1100.0
    again = LiveCall.read(live.text())
    assert again == live
    assert again.stage is Stage.CONFIRMED
    assert again.deadline == 1100.0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"caller": 1}'])
def test_what_is_no_call(text: str) -> None:
    with pytest.raises(ValueError):
        LiveCall.read(text)


@pytest.mark.parametrize(
    ("header", "ends"),
    [
        ("Session-Expires: 90", 1090.0 + GRACE),
        ("Session-Expires: 1800;refresher=uas", 2800.0 + GRACE),
        ("x: 90", 1090.0 + GRACE),
        ("Session-Expires: never", FOREVER),
        ("Session-Expires: -1", FOREVER),
        ("Session-Expires: 99999999999999999999", FOREVER),
        ("X-Nothing: 1", FOREVER),
    ],
)
def test_session_ends(header: str, ends: float) -> None:
    """RFC 4028 §4; `x` is its compact form."""
    assert session_expiry(calls.answer(calls.invite(), extra=[header]), 1000.0) == ends
