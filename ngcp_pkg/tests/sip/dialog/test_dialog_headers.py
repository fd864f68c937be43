"""Headers of dialogs: what is read and written again, and strange ones are errors that a peer can be told."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sip.dialog import Dialog, check, dialog_id
from ngcp.sip.dialog.reliability import RAck, rseq_of
from ngcp.sip.dialog.session_timer import Policy, agreed, answer, ask, asked, least_of
from ngcp.sip.errors import InvalidHeader, MissingHeader, SipError
from ngcp.sip.syntax import Request, Response

INVITE = (
    *("Via: SIP/2.0/UDP h;branch=z9hG4bK1", "From: <sip:a@h>;tag=a", "To: <sip:b@h>", "Call-ID: c"),
    *("CSeq: 7 INVITE", "Contact: <sip:a@192.0.2.1:5070>", "Record-Route: <sip:r1;lr>, <sip:r2;lr>"),
)
TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=60)


def request(*lines: str) -> Request:
    return Request("INVITE", "sip:b@h", [*INVITE, *lines])


def response(status: int, *lines: str) -> Response:
    return Response(status, None, [*INVITE[:-2], *lines])


def test_a_dialog_of_who_is_called() -> None:
    """§12.1.1: the route set in its order."""
    dialog = Dialog.answering(request(), "b")

    bye = dialog.request("BYE", "SIP/2.0/UDP h;branch=z9hG4bK2")

    assert dialog.id == ("c", "b", "a")
    assert bye.uri == "sip:a@192.0.2.1:5070"
    assert bye.all("Route") == ["<sip:r1;lr>", "<sip:r2;lr>"]
    assert (bye.first("From"), bye.first("To")) == ("<sip:b@h>;tag=b", "<sip:a@h>;tag=a")
    assert bye.cseq.number == 1
    assert dialog.next_hop == "sip:r1;lr"


def test_a_dialog_of_who_calls() -> None:
    """§12.1.2: the route set in reverse."""
    ok = Response(200, None, [*INVITE[:2], "To: <sip:b@h>;tag=b", *INVITE[3:5], INVITE[-1]])

    dialog = Dialog.answered(request(), ok)

    assert dialog.routes == ("<sip:r2;lr>", "<sip:r1;lr>")
    assert dialog.target == "sip:b@h"  # it names no Contact
    assert dialog.request("BYE", "SIP/2.0/UDP h;branch=z9hG4bK2").cseq.number == 8


def test_old_requests_are_known() -> None:
    dialog = Dialog.answering(request(), "b")

    assert not dialog.is_new(request())
    assert dialog_id(dialog.request("BYE", "SIP/2.0/UDP h;branch=z9hG4bK2")) == ("c", "a", "b")


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ([*INVITE[:5]], MissingHeader),
        ([*INVITE[:5], "Contact: <mailto:a@h>"], InvalidHeader),
        ([*INVITE, *(f"Record-Route: <sip:r{number};lr>" for number in range(20))], InvalidHeader),
    ],
)
def test_an_invite_that_makes_no_dialog(lines: list[str], error: type[SipError]) -> None:
    with pytest.raises(error):
        check(Request("INVITE", "sip:b@h", lines))


@given(st.integers(0, 2**32), st.integers(0, 2**32), st.sampled_from(["INVITE", "UPDATE"]))
def test_rack_is_read_as_it_is_written(rseq: int, number: int, method: str) -> None:
    rack = RAck(rseq, number, method)

    assert RAck.parse(str(rack)) == rack


def test_a_provisional_answer_wants_a_prack_or_none() -> None:
    assert rseq_of(response(183, "Require: 100rel", "RSeq: 7")) == 7
    assert rseq_of(response(183, "RSeq: 7")) is None
    assert rseq_of(response(100, "Require: 100rel", "RSeq: 7")) is None
    assert rseq_of(response(200, "Require: 100rel", "RSeq: 7")) is None


def test_what_is_asked_for_is_agreed_on() -> None:
    """RFC 4028 §7 to §9, without anybody in between."""
    policy = Policy(expires=600, least=120)
    invite = request("Supported: timer", *ask(policy))

    theirs, lines = answer(invite, Policy())
    ours = agreed(response(200, *lines), policy)

    assert theirs.interval == ours.interval == 600
    assert theirs.is_ours != ours.is_ours


@given(TEXT)
def test_strange_values_are_sip_errors(text: str) -> None:
    readers: list[Callable[[], object]] = [
        lambda: RAck.parse(text),
        lambda: rseq_of(response(183, "Require: 100rel", f"RSeq: {text}")),
        lambda: asked(request(f"Session-Expires: {text}")),
        lambda: least_of(request(f"Min-SE: {text}")),
        lambda: answer(request("Supported: timer", f"Session-Expires: {text}"), Policy()),
        lambda: agreed(response(200, f"Session-Expires: {text}"), Policy()),
        lambda: (
            Dialog.answered(request(), response(200, f"Contact: {text}", f"Record-Route: {text}")).next_hop
        ),
    ]
    for read in readers:
        try:
            read()
        except SipError as error:
            assert error.reason
