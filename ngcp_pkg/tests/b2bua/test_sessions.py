"""Which media and codecs pass from leg to leg (RFC 3264)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.backtoback import ByHand
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.profile import Profile
from ngcp.b2bua.sessions import SessionFilter, Sessions
from ngcp.sip.syntax import Request

TYPE = "Content-Type: application/sdp"
OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 9 8 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    b"m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
)


def passed(rules: SessionFilter, body: bytes, kind: str = TYPE) -> list[str]:
    message = Request("INVITE", "sip:b@h", [kind] if kind else [], body)
    lines = Sessions(rules).pass_on(message).decode("utf-8", "surrogateescape").split("\r\n")
    return [line for line in lines if line.startswith("m=")]


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        (SessionFilter(), ["m=audio 4000 RTP/AVP 9 8 101", "m=video 5000 RTP/AVP 96"]),
        (SessionFilter(media=("Audio",)), ["m=audio 4000 RTP/AVP 9 8 101", "m=video 0 RTP/AVP 96"]),
        (SessionFilter(without=("g722",)), ["m=audio 4000 RTP/AVP 8 101", "m=video 5000 RTP/AVP 96"]),
        (
            SessionFilter(codecs=("PCMA", "telephone-event", "H264")),
            ["m=audio 4000 RTP/AVP 8 101", "m=video 5000 RTP/AVP 96"],
        ),
        (SessionFilter(codecs=("opus",)), ["m=audio 0 RTP/AVP 9 8 101", "m=video 0 RTP/AVP 96"]),
    ],
)
def test_media_and_codecs_pass_by_name(rules: SessionFilter, lines: list[str]) -> None:
    assert passed(rules, OFFER) == lines


def test_other_bodies_pass_as_they_are() -> None:
    rules = SessionFilter(codecs=("opus",))

    assert passed(rules, OFFER, "Content-Type: multipart/mixed") == passed(SessionFilter(), OFFER)
    assert passed(rules, OFFER, "") == passed(SessionFilter(), OFFER)
    assert Sessions(rules).pass_on(Request("INVITE", "sip:b@h", [TYPE], b"v=1")) == b"v=1"


@given(st.binary(max_size=400))
def test_no_body_is_too_strange(body: bytes) -> None:
    message = Request("INVITE", "sip:b@h", [TYPE], b"v=0\r\nm=audio 1 RTP/AVP " + body)

    assert isinstance(Sessions(SessionFilter(codecs=("PCMA",))).pass_on(message), bytes)


def test_offers_and_answers_are_restricted() -> None:
    here = ByHand(Configuration(profile=Profile(session=SessionFilter(media=("audio",)))))

    _, invite = here.invite(body=OFFER)
    here.bob.answer(invite, 200, body=OFFER)
    here.run()

    assert b"m=video 0 " in invite.body
    assert b"m=video 0 " in here.alice.answers()[0].body
