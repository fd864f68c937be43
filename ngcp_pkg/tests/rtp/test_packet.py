"""RTP packets, byte for byte (RFC 3550 §5.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.rtp import Packet, RtpError
from ngcp.rtp.packet import signed

PACKETS = st.builds(
    Packet,
    st.integers(0, 63),  # 64 to 95 look like RTCP when they are marked
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=50),
    st.booleans(),
)


@given(PACKETS)
def test_what_is_written_is_read(packet: Packet) -> None:
    assert Packet.parse(bytes(packet)) == packet


def test_sources_extension_and_padding_are_no_payload() -> None:
    data = bytes.fromhex("b2 88 0007 00000140 decafbad 00000001 00000002 bede0001 10aa0000 abcd 000002")

    assert Packet.parse(data) == Packet(8, 7, 320, 0xDECAFBAD, b"\xab\xcd\0", is_marked=True)


@pytest.mark.parametrize(
    "data",
    [
        "80 08 0007 00000140",  # cut off
        "40 08 0007 00000140 decafbad",  # version 1
        "90 08 0007 00000140 decafbad",  # an extension that is not there
        "90 08 0007 00000140 decafbad bede0002 10aa0000",  # one that is longer than the packet
        "a0 08 0007 00000140 decafbad 0000ff",  # padding that is
        "a0 08 0007 00000140 decafbad 0000",  # padding of no length
        "8f 08 0007 00000140 decafbad",  # sources that are not there
    ],
)
def test_what_does_not_fit_is_refused(data: str) -> None:
    with pytest.raises(RtpError):
        Packet.parse(bytes.fromhex(data))


def test_numbers_go_round() -> None:
    assert signed(0x0001 - 0xFFFF, 16) == 2
    assert signed(0xFFFF - 0x0001, 16) == -2
    assert signed(5 - 3, 32) == 2
