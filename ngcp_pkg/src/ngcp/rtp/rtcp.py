"""RTCP: sender and receiver reports, and what else a compound packet holds (RFC 3550 §6)."""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from .errors import RtpError
from .header import RTCP_TYPES, VERSION

SENDER_REPORT: Final = 200
RECEIVER_REPORT: Final = 201
DESCRIPTION: Final = 202
BYE: Final = 203
#: Packets of a compound at most: two reports, a description and a few of feedback are usual.
MAX_PACKETS: Final = 32

_HEADER: Final = struct.Struct("!BBHI")
_SENDER: Final = struct.Struct("!QIII")
_BLOCK: Final = struct.Struct("!IIIIII")
#: Seconds between the epochs of NTP (1900) and Unix (1970).
_NTP_EPOCH: Final = 2_208_988_800


class Sent(NamedTuple):
    """What a sender says of itself (§6.4.1)."""

    ntp: int
    """When, in 2^-32 seconds since 1900."""
    timestamp: int
    packets: int
    bytes: int

    @property
    def reference(self) -> int:
        """How a report block refers to this: the middle half of `ntp`."""
        return self.ntp >> 16 & 0xFFFFFFFF


class Block(NamedTuple):
    """What a receiver says of one source (§6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Of 256, since the last report."""
    lost: int
    """Altogether; duplicates make it negative."""
    highest: int
    """The highest sequence number, and how often it came round."""
    jitter: int
    """In ticks of the source's clock."""
    last_report: int
    """`Sent.reference` of the source's last report; 0 if none came."""
    delay: int
    """Since that came, in 2^-16 seconds."""


class Report(NamedTuple):
    """A sender or receiver report."""

    ssrc: int
    """Who reports."""
    sent: Sent | None
    blocks: tuple[Block, ...]

    def __bytes__(self) -> bytes:
        body = _SENDER.pack(*self.sent) if self.sent else b""
        body += b"".join(map(_pack, self.blocks))
        kind = SENDER_REPORT if self.sent else RECEIVER_REPORT
        first = VERSION << 6 | len(self.blocks)
        return _HEADER.pack(first, kind, len(body) // 4 + 1, self.ssrc) + body


def split(compound: bytes) -> list[bytes]:
    """Return the packets of a compound, or raise `RtpError` (§6.1)."""
    packets: list[bytes] = []
    at = 0
    while at < len(compound):
        if len(compound) - at < 4 or compound[at] >> 6 != VERSION or compound[at + 1] not in RTCP_TYPES:
            raise RtpError("no RTCP header")
        stop = at + 4 + 4 * int.from_bytes(compound[at + 2 : at + 4], "big")
        if stop > len(compound):
            raise RtpError("an RTCP packet is cut off")
        packets.append(compound[at:stop])
        at = stop
        if len(packets) > MAX_PACKETS:
            raise RtpError(f"more than {MAX_PACKETS} RTCP packets in one")
    return packets


def reports(compound: bytes) -> Iterator[Report]:
    """Go through the reports of a compound packet, or raise `RtpError`."""
    for packet in split(compound):
        if packet[1] in (SENDER_REPORT, RECEIVER_REPORT):
            yield _report(packet)


def description(ssrc: int, cname: str) -> bytes:
    """Return the packet that names a source (§6.5.1); `cname` has at most 255 octets."""
    text = cname.encode()
    items = bytes((1, len(text))) + text
    items += bytes(4 - len(items) % 4)  # the end of the list, at least one octet
    return _HEADER.pack(VERSION << 6 | 1, DESCRIPTION, len(items) // 4 + 1, ssrc) + items


def ntp(unix: float) -> int:
    """Return a Unix time as `Sent.ntp`."""
    return round((unix + _NTP_EPOCH) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def _report(packet: bytes) -> Report:
    is_of_sender = packet[1] == SENDER_REPORT
    start = 8 + (_SENDER.size if is_of_sender else 0)
    count = packet[0] & 0x1F
    if len(packet) < start + count * _BLOCK.size:
        raise RtpError("a report is shorter than it says")
    ssrc = int.from_bytes(packet[4:8], "big")
    sent = Sent(*_SENDER.unpack_from(packet, 8)) if is_of_sender else None
    blocks = [_block(*_BLOCK.unpack_from(packet, start + _BLOCK.size * place)) for place in range(count)]
    return Report(ssrc, sent, tuple(blocks))


def _block(ssrc: int, loss: int, *others: int) -> Block:
    lost = loss & 0xFFFFFF
    return Block(ssrc, loss >> 24, lost - (1 << 24) if lost >> 23 else lost, *others)


def _pack(block: Block) -> bytes:
    loss = block.fraction_lost << 24 | block.lost & 0xFFFFFF
    return _BLOCK.pack(block.ssrc, loss, *block[3:])
