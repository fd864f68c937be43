"""RTP packets: bytes to fields and back (RFC 3550 §5.1)."""

import struct
from typing import Final, NamedTuple, Self

from .errors import RtpError
from .header import VERSION, is_rtp

_HEADER: Final = struct.Struct("!BBHII")
_MARKER: Final = 0x80
_PADDING: Final = 0x20
_EXTENSION: Final = 0x10


class Packet(NamedTuple):
    """An RTP packet; what only mixers and header extensions say is not kept."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    is_marked: bool = False

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a packet, or raise `RtpError`."""
        if not is_rtp(data):
            raise RtpError("no RTP header")
        first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
        start, stop = 12 + 4 * (first & 0x0F), len(data)
        if first & _EXTENSION:
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        if first & _PADDING:
            stop -= data[-1] or stop
        if start > stop:
            raise RtpError("extension and padding are longer than the packet")
        return cls(second & 0x7F, sequence, timestamp, ssrc, data[start:stop], bool(second & _MARKER))

    def __bytes__(self) -> bytes:
        """Write the packet; numbers that are too large have gone round."""
        second = self.payload_type | _MARKER if self.is_marked else self.payload_type
        sequence, timestamp = self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF
        return _HEADER.pack(VERSION << 6, second, sequence, timestamp, self.ssrc) + self.payload


def signed(difference: int, bits: int) -> int:
    """Return the shortest way round the clock of `bits` bits: how far one number is ahead of another."""
    half = 1 << bits - 1
    return (difference + half) % (1 << bits) - half
