"""Which commands the media relay gets for which message (RFC 3264 in SIP: RFC 3261 §13.2, §14)."""

import pytest

from ngcp.ng.bencode import BencodeError, Value, encode
from ngcp.proxy.media import Media, MediaRelayUnavailable, read_reply
from ngcp.sip.syntax import Request, Response
from proxy.doors import MemoryRelay, run_now

SDP = b"v=0\r\n"


def make_request(method: str, *, sdp: bool, to_tag: str = "") -> Request:
    tag = f";tag={to_tag}" if to_tag else ""
    lines = ["From: <sip:a@h>;tag=a", f"To: <sip:b@h>{tag}", "Call-ID: c"]
    return Request(method, "sip:b@h", lines + ["Content-Type: application/sdp"] * sdp, SDP if sdp else b"")


def make_response(status: int, *, sdp: bool) -> Response:
    lines = ["From: <sip:a@h>;tag=a", "To: <sip:b@h>;tag=b", "Call-ID: c"]
    return Response(status, None, lines + ["Content-Type: application/sdp"] * sdp, SDP if sdp else b"")


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (make_request("INVITE", sdp=True), [("offer", "a", "")]),
        (make_request("UPDATE", sdp=True, to_tag="b"), [("offer", "a", "")]),
        (make_request("INVITE", sdp=False), []),
        (make_request("ACK", sdp=True, to_tag="b"), [("answer", "b", "a")]),
        (make_request("ACK", sdp=False, to_tag="b"), []),
        (make_request("BYE", sdp=False, to_tag="b"), [("delete", "a", "")]),
    ],
    ids=["offer", "offer in a dialog", "late offer", "late answer", "plain ACK", "end"],
)
def test_request(request_: Request, command: list[tuple[str, ...]]) -> None:
    relay = MemoryRelay()
    run_now(Media(relay).follow_request(request_))
    assert relay.log == command


@pytest.mark.parametrize(
    ("request_", "response", "command"),
    [
        (make_request("INVITE", sdp=True), make_response(183, sdp=True), [("answer", "a", "b")]),
        (make_request("INVITE", sdp=True), make_response(200, sdp=True), [("answer", "a", "b")]),
        (make_request("INVITE", sdp=False), make_response(200, sdp=True), [("offer", "b", "a")]),
        (make_request("INVITE", sdp=True), make_response(180, sdp=False), []),
        (make_request("INVITE", sdp=True), make_response(486, sdp=False), [("delete", "a", "")]),
        (make_request("INVITE", sdp=True, to_tag="b"), make_response(488, sdp=False), []),
        (make_request("OPTIONS", sdp=False), make_response(404, sdp=False), []),
    ],
    ids=[
        "early",
        "answer",
        "late offer",
        "ringing",
        "failed call",
        "failed re-INVITE keeps the call",
        "no call",
    ],
)
def test_response(request_: Request, response: Response, command: list[tuple[str, ...]]) -> None:
    relay = MemoryRelay()
    run_now(Media(relay).follow_response(request_, response))
    assert relay.log == command


def test_session_is_replaced_and_content_length_follows() -> None:
    invite = make_request("INVITE", sdp=True)
    run_now(Media(MemoryRelay()).follow_request(invite))
    assert invite.body == b"v=0\r\na=relayed\r\n"
    assert invite.get("Content-Length") == str(len(invite.body))


@pytest.mark.parametrize(("source", "family"), [("192.0.2.9", "IP4"), ("2001:db8::9", "IP6")])
def test_relay_is_told_where_the_edge_saw_the_caller(source: str, family: str) -> None:
    relay, invite = MemoryRelay(), make_request("INVITE", sdp=True)
    invite.append("P-NGCP-Src-Ip", source)
    run_now(Media(relay).follow_request(invite))
    assert relay.commands[0]["received-from"] == [family, source]


def test_call_is_refused_when_the_relay_is_dead() -> None:
    with pytest.raises(MediaRelayUnavailable) as caught:
        run_now(Media(MemoryRelay(dead=True)).follow_request(make_request("INVITE", sdp=True)))
    assert caught.value.status == 503


def test_answer_passes_unanchored_when_the_relay_died_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    """§13.3.1.4: the callee has accepted; nobody can turn that 200 into a failure any more."""
    response = make_response(200, sdp=True)
    run_now(Media(MemoryRelay(dead=True)).follow_response(make_request("INVITE", sdp=True), response))
    assert response.body == SDP
    assert "without the media relay" in caplog.text


def test_hanging_up_works_without_the_relay() -> None:
    run_now(Media(MemoryRelay(dead=True)).follow_request(make_request("BYE", sdp=False, to_tag="b")))


@pytest.mark.parametrize("command", ["offer", "delete"])
def test_reply_that_refuses(command: str) -> None:
    with pytest.raises(MediaRelayUnavailable, match=f"{command}: no such call"):
        read_reply(command, encode({"result": "error", "error-reason": "no such call"}))
    with pytest.raises(MediaRelayUnavailable, match=f"{command}: no dictionary"):
        read_reply(command, encode(["result"]))
    with pytest.raises(BencodeError):
        read_reply(command, b"d6:result")


def test_of_the_report_of_a_call_only_the_scores_are_read() -> None:
    score: Value = {"MOS": 43, "jitter": 2, "packet loss": 1, "round-trip time": 95_000, "samples": 7}
    sources: dict[str, Value] = {
        f"{ssrc}": {"average MOS": score, "lowest MOS": {"MOS": 10}, "cumulative loss": 3} for ssrc in (1, 2)
    }
    report: Value = {"created": 1, "result": "ok", "SSRC": {**sources, "3": {}}, "tags": {"x": {}}}

    assert read_reply("delete", encode(report)) == {"result": "ok", "MOS": [score, score]}
    with pytest.raises(BencodeError):
        read_reply("delete", b"d4:SSRCd1:1d11:average MOSd3:MOSi4" + b"6:result2:ok")


def test_report_of_a_call_is_not_read_where_nobody_wants_it() -> None:
    assert read_reply("delete", encode({"created": 1, "result": "ok"})) == {"result": "ok", "MOS": []}
    assert read_reply("query", encode({"created": 1, "result": "ok"})) == {"created": 1, "result": "ok"}
