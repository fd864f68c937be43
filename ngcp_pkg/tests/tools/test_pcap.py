"""The capture file, taken apart by a reader of our own."""

import io
from pathlib import Path

import pytest

from ngcp.sip.transport.flow import Address
from ngcp.tools.pcap import LONGEST, PcapWriter
from tools.capture import read

PHONE, EDGE = ("198.51.100.7", 40000), ("192.0.2.1", 5061)
PHONE6, EDGE6 = ("2001:db8::7", 40000), ("2001:db8::1", 5061)
MESSAGE = b"OPTIONS sip:a@h SIP/2.0\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("source", "destination"), [(PHONE, EDGE), (EDGE, PHONE), (PHONE6, EDGE6), (EDGE6, PHONE6)]
)
@pytest.mark.parametrize("data", [MESSAGE, MESSAGE + b"x", b"", b"\r\n\r\n"])
def test_a_message_is_one_datagram_of_either_family(
    source: Address, destination: Address, data: bytes
) -> None:
    file = io.BytesIO()
    writer = PcapWriter(file)
    writer.write(1_700_000_000.123456, source, destination, data)
    writer.write(1_700_000_001.0, destination, source, data)

    first, second = read(file.getvalue())
    assert first[2:] == (source, destination, data)
    assert second[2:] == (destination, source, data)
    assert (first.at, second.at) == pytest.approx((1_700_000_000.123456, 1_700_000_001.0), abs=1e-6)


@pytest.mark.parametrize(("source", "destination"), [(PHONE, EDGE), (PHONE6, EDGE6)])
def test_what_fits_into_no_datagram_is_cut_and_says_so(source: Address, destination: Address) -> None:
    file = io.BytesIO()
    PcapWriter(file).write(0.0, source, destination, b"x" * (LONGEST + 10))

    (packet,) = read(file.getvalue())
    assert packet.data == b"x" * LONGEST
    assert packet.original == len(file.getvalue()) - 24 - 16 + 10


def test_the_time_is_rounded_to_whole_microseconds() -> None:
    file = io.BytesIO()
    PcapWriter(file).write(1.9999999, PHONE, EDGE, b"")

    assert read(file.getvalue())[0].at == 2.0


def test_every_packet_is_there_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "calls.pcap"
    with path.open("wb") as file:
        writer = PcapWriter(file)
        assert read(path.read_bytes()) == []
        writer.write(0.0, PHONE, EDGE, MESSAGE)
        assert len(read(path.read_bytes())) == 1
