"""Stream framing at every byte boundary, and Via on the way in and back (RFC 3261 §18)."""

import pytest

from ngcp.sip.errors import MalformedMessage, MessageTooLarge
from ngcp.sip.syntax import Request, Via
from ngcp.sip.transport import Flow, StreamFramer, response_flow, stamp_via
from ngcp.sip.transport.framing import MAX_HEAD

ONE = b"MESSAGE sip:b@h SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 5\r\n\r\nhallo"
TWO = b"BYE sip:b@h SIP/2.0\r\nl:0\r\n\r\n"


@pytest.mark.parametrize("cut", range(1, len(ONE + TWO)))
def test_messages_survive_a_cut_at_every_byte(cut: int) -> None:
    framer = StreamFramer()
    stream = ONE + TWO
    assert framer.feed(stream[:cut]) + framer.feed(stream[cut:]) == [ONE, TWO]
    assert framer.pending == 0


def test_single_bytes() -> None:
    framer = StreamFramer()
    assert [message for byte in ONE + b"\r\n" + TWO for message in framer.feed(bytes([byte]))] == [ONE, TWO]


def test_pings_between_messages_are_answered_once() -> None:
    """RFC 5626 §4.4.1: each double CRLF wants one CRLF back."""
    framer = StreamFramer()
    assert framer.feed(b"\r\n\r\n" + ONE + b"\r\n\r\n\r\n\r\n") == [ONE]
    assert (framer.answer(), framer.answer()) == (b"\r\n" * 3, b"")


@pytest.mark.parametrize(
    "head", [b"OPTIONS sip:b SIP/2.0\r\nCall-ID: 1\r\n\r\n", b"OPTIONS sip:b SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n"]
)
def test_stream_without_one_content_length_cannot_be_followed(head: bytes) -> None:
    with pytest.raises(MalformedMessage):
        StreamFramer().feed(head)


def test_endless_headers_end_the_connection() -> None:
    with pytest.raises(MessageTooLarge):
        StreamFramer().feed(b"X: y\r\n" * (MAX_HEAD // 5))


def test_body_larger_than_any_message_ends_the_connection() -> None:
    with pytest.raises(MessageTooLarge):
        StreamFramer().feed(b"OPTIONS sip:b SIP/2.0\r\nContent-Length: 999999\r\n\r\n")


FLOW = Flow("udp", ("192.0.2.1", 5060), ("198.51.100.7", 6000))


def test_request_from_behind_a_nat_gets_its_real_source() -> None:
    request = Request("OPTIONS", "sip:b@h", ["Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport"])
    stamp_via(request, FLOW)
    assert request.via.params == {"branch": "z9hG4bK1", "rport": "6000", "received": "198.51.100.7"}
    assert response_flow(request.via, FLOW.local) == FLOW


def test_honest_via_stays_as_it_is() -> None:
    line = "Via: SIP/2.0/UDP 198.51.100.7:6000;branch=z9hG4bK1"
    request = Request("OPTIONS", "sip:b@h", [line])
    stamp_via(request, FLOW)
    assert list(request.lines) == [line]
    assert response_flow(request.via, FLOW.local) == FLOW


def test_response_without_received_goes_to_sent_by() -> None:
    assert response_flow(Via.parse("SIP/2.0/UDP [2001:db8::1]"), FLOW.local).remote == ("2001:db8::1", 5060)
