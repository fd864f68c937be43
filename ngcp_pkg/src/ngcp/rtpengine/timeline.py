"""Numbers of packets that are made anew: sequence and timestamps follow those that came (RFC 3550 §7.2).

A translator keeps the source and what was lost, so that the receiver sees the network as it is.
"""

from typing import Final

from ngcp.rtp import Packet
from ngcp.rtp.packet import signed

#: A jump by more packets than this is a source that began anew.
MAX_DROPOUT: Final = 3000


class Timeline:
    """Numbers what leaves, by what came; places are ticks of the leaving clock since the beginning."""

    def __init__(self, clock: int) -> None:
        self.clock = clock
        self.ssrc = 0
        self._sequence = 0
        self._came: int | None = None  # the highest sequence number
        self._base = (0, 0)  # a timestamp that came, and its place
        self._base_clock = clock
        self._first = 0  # the timestamp of place 0
        self.end = 0
        """Where what came last ends."""
        self.lost = 0
        """Packets that were lost right before the last one that came."""

    def follow(self, packet: Packet, clock: int) -> int | None:
        """Return the place of a packet whose timestamp is of `clock`; None if it comes too late."""
        if self._came is None or packet.ssrc != self.ssrc:
            return self._begin(packet, clock)
        ahead = signed(packet.sequence - self._came, 16)
        if abs(ahead) > MAX_DROPOUT:
            return self._begin(packet, clock)
        if ahead <= 0:
            return None
        self.lost = ahead - 1
        self._came = packet.sequence
        place = self._place(packet, clock)
        if clock != self._base_clock or (place - self._base[1]) * clock % self.clock == 0:
            self._base, self._base_clock = (packet.timestamp, place), clock  # without remainder: no drift
        return place

    def packet(self, payload_type: int, place: int, payload: bytes, *, is_marked: bool = False) -> bytes:
        """Return the next packet that leaves."""
        self._sequence += 1
        return bytes(Packet(payload_type, self._sequence, self._first + place, self.ssrc, payload, is_marked))

    def skip(self, count: int) -> None:
        """Leave out the numbers of `count` packets, which were lost."""
        self._sequence += count

    def _begin(self, packet: Packet, clock: int) -> int:
        if self._came is None:
            self._sequence = packet.sequence - 1
        self.ssrc, self._came, self.lost = packet.ssrc, packet.sequence, 0
        self._first, self.end = packet.timestamp, 0
        self._base, self._base_clock = (packet.timestamp, 0), clock
        return 0

    def _place(self, packet: Packet, clock: int) -> int:
        timestamp, place = self._base
        if clock != self._base_clock:  # a format with another clock: its timestamps begin anew
            return self.end
        return place + signed(packet.timestamp - timestamp, 32) * self.clock // clock
