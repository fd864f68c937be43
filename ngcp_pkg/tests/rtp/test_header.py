"""Which packets are RTP, which RTCP, which neither."""

import pytest

from ngcp.rtp import is_rtcp, is_rtp

RTP = bytes.fromhex("80 08 04d2 00000140 decafbad") + bytes(160)
MARKED = bytes.fromhex("80 e5 04d2 00000140 decafbad 0a000000")
TWO_SOURCES = bytes.fromhex("82 00 0001 00000001 00000001 00000002 00000003")
SENDER_REPORT = bytes.fromhex("80 c8 0006") + bytes(24)
COMPOUND = SENDER_REPORT + bytes.fromhex("81 ca 0002 00000001 00000000")
GOODBYE = bytes.fromhex("81 cb 0001 decafbad")
STUN = bytes.fromhex("0001 0000 2112a442") + bytes(12)
DTLS = bytes.fromhex("16 fefd 0000 000000000000 0010") + bytes(16)
KEEP_ALIVE = bytes(4)
VERSION_1 = b"\x40" + RTP[1:]


@pytest.mark.parametrize("packet", [RTP, MARKED, TWO_SOURCES, RTP[:12]])
def test_rtp(packet: bytes) -> None:
    assert is_rtp(packet)
    assert not is_rtcp(packet)


@pytest.mark.parametrize("packet", [SENDER_REPORT, COMPOUND, GOODBYE])
def test_rtcp(packet: bytes) -> None:
    assert is_rtcp(packet)
    assert not is_rtp(packet)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        KEEP_ALIVE,
        RTP[:11],
        TWO_SOURCES[:19],
        SENDER_REPORT[:27],
        GOODBYE[:7],
        STUN,
        DTLS,
        b"\x40" + RTP[1:],
    ],
)
def test_neither(packet: bytes) -> None:
    assert not is_rtp(packet)
    assert not is_rtcp(packet)
