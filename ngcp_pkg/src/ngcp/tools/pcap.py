"""Messages as a capture file that wireshark, tshark and tcpdump read.

A message is one packet, whatever carried it: IP and UDP headers are made up around it, TCP segments and TLS
records would only be in the reader's way. The format is libpcap's classic one, with microseconds.
"""

import ipaddress
import struct
from typing import BinaryIO, Final

from ngcp.sip.transport.flow import Address

#: Packets begin with an IP header, of version 4 or 6 (LINKTYPE_RAW).
LINK_TYPE: Final = 101
SNAPSHOT: Final = 65_535
#: What fits behind the headers of either IP version; the rest of a longer message is not shown.
LONGEST: Final = 65_535 - 48
UDP: Final = 17


class PcapWriter:
    """Writes one file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPSHOT, LINK_TYPE))
        file.flush()

    def write(self, at: float, source: Address, destination: Address, data: bytes) -> None:
        """Write one message that was on its way at Unix time `at`."""
        shown = packet(source, destination, data[:LONGEST])
        seconds, microseconds = divmod(round(at * 1e6), 1_000_000)
        cut = len(data) - len(data[:LONGEST])
        self._file.write(struct.pack("=IIII", seconds, microseconds, len(shown), len(shown) + cut))
        self._file.write(shown)
        self._file.flush()  # who reads a pipe wants to see it now


def packet(source: Address, destination: Address, data: bytes) -> bytes:
    """Return a UDP datagram with its IP header (RFC 768, 791, 8200)."""
    sender, receiver = ipaddress.ip_address(source[0]), ipaddress.ip_address(destination[0])
    length = 8 + len(data)
    pseudo = sender.packed + receiver.packed + struct.pack("!IxxxB", length, UDP)
    udp = struct.pack("!HHHH", source[1], destination[1], length, 0) + data
    checksum = _checksum(pseudo + udp) or 0xFFFF
    udp = udp[:6] + struct.pack("!H", checksum) + data
    if sender.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, UDP, 64) + sender.packed + receiver.packed + udp
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, UDP, 0)
    header += sender.packed + receiver.packed
    return header[:10] + struct.pack("!H", _checksum(header)) + header[12:] + udp


def _checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
