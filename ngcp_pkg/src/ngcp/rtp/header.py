"""Tell RTP, RTCP and everything else apart by their headers (RFC 3550 §5.1, §6.4, RFC 5761 §4)."""

from typing import Final

VERSION: Final = 2
#: Packet types of RTCP, which RTP payload types therefore avoid (RFC 5761 §4).
RTCP_TYPES: Final = range(192, 224)


def is_rtp(packet: bytes) -> bool:
    """Whether `packet` has a valid RTP header: version 2 and room for its contributing sources."""
    if len(packet) < 12 or packet[0] >> 6 != VERSION or packet[1] in RTCP_TYPES:
        return False
    return len(packet) >= 12 + 4 * (packet[0] & 0x0F)


def is_rtcp(packet: bytes) -> bool:
    """Whether `packet` begins with a valid RTCP header whose length fits in (§6.4.1)."""
    if len(packet) < 8 or packet[0] >> 6 != VERSION or packet[1] not in RTCP_TYPES:
        return False
    return len(packet) >= 4 * (int.from_bytes(packet[2:4], "big") + 1)


def payload_of(packet: bytes) -> tuple[int, int]:
    """Return where the payload of an RTP packet begins and ends: behind its extension, before its padding."""
    start = 12 + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10 and len(packet) >= start + 4:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    padding = packet[-1] if packet[0] & 0x20 else 0
    stop = len(packet) - padding
    return (start, stop) if start <= stop else (min(start, len(packet)), min(start, len(packet)))
