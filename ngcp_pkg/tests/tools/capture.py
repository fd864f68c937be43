"""A reader of capture files, written from the format's description."""

import ipaddress
import struct
from typing import NamedTuple

from ngcp.sip.transport.flow import Address


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
