"""Reports of senders and receivers (RFC 3550 §6.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.rtp.errors import RtpError
from ngcp.rtp.rtcp import MAX_PACKETS, Block, Report, Sent, description, ntp, reports, split

WORD = st.integers(0, 0xFFFFFFFF)
BLOCKS = st.builds(
    Block, WORD, st.integers(0, 255), st.integers(-(1 << 23), (1 << 23) - 1), WORD, WORD, WORD, WORD
)
SENT = st.builds(Sent, st.integers(0, (1 << 64) - 1), WORD, WORD, WORD)
REPORTS = st.builds(Report, WORD, st.none() | SENT, st.lists(BLOCKS, max_size=31).map(tuple))
DESCRIPTION = bytes.fromhex("81 ca 0003 decafbad 01 04 61406200 0000")


def test_a_source_is_named() -> None:
    assert description(0xDECAFBAD, "a@b") == bytes.fromhex("81 ca 0003 decafbad 01 03 614062 000000")
    assert description(0xDECAFBAD, "ab") == bytes.fromhex("81 ca 0003 decafbad 01 02 6162 00000000")


@given(st.lists(REPORTS, max_size=5))
def test_what_is_written_is_read(sent: list[Report]) -> None:
    compound = b"".join(bytes(report) + DESCRIPTION for report in sent)

    assert list(reports(compound)) == sent


def test_bytes_on_the_wire() -> None:
    data = bytes.fromhex(
        "81 c8 000c decafbad e1a2b3c4 80000000 00000140 00000002 00000140"
        "cafebabe 40 fffffe 00010007 00000010 b3c48000 00010000"
    )

    (report,) = reports(data)

    assert report == Report(
        0xDECAFBAD,
        Sent(0xE1A2B3C480000000, 320, 2, 320),
        (Block(0xCAFEBABE, 64, -2, 65_543, 16, 0xB3C48000, 65_536),),
    )
    assert report.sent is not None
    assert report.sent.reference == report.blocks[0].last_report
    assert bytes(report) == data


@pytest.mark.parametrize(
    "data",
    [
        "81 c8 0006 decafbad",  # cut off
        "81 c9 0001 decafbad",  # a block that is not there
        "80 c8 0001 decafbad",  # a sender that says nothing
        "80 c9 0001 decafbad 80",  # the rest of something
        "80 c9 0001 decafbad 80 08 0001 00000000",  # RTP behind RTCP
        "80 c9 0001 00000000" * (MAX_PACKETS + 1),
    ],
)
def test_what_does_not_fit_is_refused(data: str) -> None:
    with pytest.raises(RtpError):
        list(reports(bytes.fromhex(data)))


def test_other_packets_are_passed_over() -> None:
    assert list(reports(DESCRIPTION + bytes.fromhex("81 cb 0001 decafbad"))) == []
    assert len(split(DESCRIPTION + DESCRIPTION)) == 2


def test_network_time() -> None:
    assert ntp(0.5) == (2_208_988_800 << 32) + (1 << 31)
