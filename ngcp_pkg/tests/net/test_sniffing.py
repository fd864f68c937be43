"""SIP and HTTP on one port: told apart wherever the first bytes are cut."""

import pytest

from ngcp.net.connection import Foreign
from ngcp.net.sniffing import SniffingFramer

SIP = b"PUBLISH sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"
HTTP = b"POST /RPC2 HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("cut", range(len(SIP) + 1))
def test_sip_passes_whole(cut: int) -> None:
    framer = SniffingFramer()

    assert framer.feed(SIP[:cut]) + framer.feed(SIP[cut:] + SIP) == [SIP, SIP]


@pytest.mark.parametrize("cut", range(5))
@pytest.mark.parametrize("start", [b"POST /", b"GET /metrics", b"HEAD /", b"PUT /x"])
def test_http_is_handed_over_with_all_that_was_said(start: bytes, cut: int) -> None:
    framer = SniffingFramer()

    if cut:
        assert framer.feed(start[: min(cut, start.index(b" "))]) == []
    with pytest.raises(Foreign) as foreign:
        framer.feed(start[min(cut, start.index(b" ")) :])
    assert foreign.value.data == start


def test_later_words_are_sip_whatever_they_are() -> None:
    framer = SniffingFramer()
    framer.feed(SIP)
    message = HTTP.replace(b"Host: a", b"Content-Length: 0")

    assert framer.feed(message) == [message]
