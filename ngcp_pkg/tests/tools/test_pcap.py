"""The capture file, taken apart by hand: what wireshark reads must be there, and right."""

import io
import ipaddress
import struct
from pathlib import Path
from typing import NamedTuple

import pytest

from ngcp.sip.transport.flow import Address
from ngcp.tools.pcap import LONGEST, PcapWriter

PHONE, EDGE = ("198.51.100.7", 40000), ("192.0.2.1", 5061)
PHONE6, EDGE6 = ("2001:db8::7", 40000), ("2001:db8::1", 5061)
MESSAGE = b"OPTIONS sip:a@h SIP/2.0\r\nContent-Length: 0\r\n\r\n"


class Packet(NamedTuple):
    at: float
    original: int
    source: Address
    destination: Address
    data: bytes


def words(data: bytes) -> int:
    """Sum 16-bit words with end-around carry (RFC 1071); a packet with a true checksum gives 0xffff."""
    total = 0
    for index in range(0, len(data) + len(data) % 2, 2):
        total += int.from_bytes((data + b"\0")[index : index + 2], "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total


def read(file: bytes) -> list[Packet]:
    magic, major, minor, zone, sigfigs, _, link = struct.unpack_from("=IHHiIII", file)
    assert (magic, major, minor, zone, sigfigs, link) == (0xA1B2C3D4, 2, 4, 0, 0, 101)
    packets, offset = [], 24
    while offset < len(file):
        seconds, microseconds, captured, original = struct.unpack_from("=IIII", file, offset)
        assert microseconds < 1_000_000
        body = file[offset + 16 : offset + 16 + captured]
        assert len(body) == captured <= original
        packets.append(Packet(seconds + microseconds / 1e6, original, *take_apart(body)))
        offset += 16 + captured
    return packets


def take_apart(packet: bytes) -> tuple[Address, Address, bytes]:
    if packet[0] >> 4 == 4:
        assert (packet[0] & 15, packet[8], packet[9]) == (5, 64, 17)
        assert int.from_bytes(packet[2:4], "big") == len(packet)
        assert words(packet[:20]) == 0xFFFF
        addresses, udp = (packet[12:16], packet[16:20]), packet[20:]
    else:
        assert (packet[0] >> 4, packet[6], packet[7]) == (6, 17, 64)
        assert int.from_bytes(packet[4:6], "big") == len(packet) - 40
        addresses, udp = (packet[8:24], packet[24:40]), packet[40:]
    source_port, destination_port, length, _ = struct.unpack_from("!HHHH", udp)
    assert length == len(udp)
    assert words(b"".join(addresses) + struct.pack("!IxxxB", length, 17) + udp) == 0xFFFF
    source, destination = (str(ipaddress.ip_address(address)) for address in addresses)
    return (source, source_port), (destination, destination_port), udp[8:]


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
