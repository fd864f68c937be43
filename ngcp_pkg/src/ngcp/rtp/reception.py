"""How well a stream arrives: loss and jitter, from the packets themselves (RFC 3550 §6.4.1, A.3, A.8)."""

from typing import Final

from .packet import signed

#: A jump by more than this is a source that began anew, not loss (A.1).
MAX_DROPOUT: Final = 3000
#: Ticks of transit that one packet may differ from the next; more is a clock that was set.
_MAX_DIFFERENCE: Final = 1 << 24


class Reception:
    """Counts the packets of one source."""

    __slots__ = ("_asked", "_before", "_first", "_highest", "_timestamp", "_transit", "jitter", "received")

    def __init__(self) -> None:
        self.received = 0
        self.jitter = 0.0
        """In ticks, smoothed."""
        self._before = 0  # expected until the source began anew
        self._first = self._highest = 0
        self._transit = self._timestamp = 0
        self._asked = (0, 0)

    def take(self, sequence: int, timestamp: int, arrived: float) -> None:
        """Count a packet; `arrived` is in ticks of the same clock as `timestamp`."""
        transit = int(arrived) - timestamp
        if self.received == 0:
            self._first = self._highest = sequence
        else:
            self._advance(sequence)
            difference = abs(signed(transit - self._transit, 32))
            if timestamp != self._timestamp and difference < _MAX_DIFFERENCE:
                self.jitter += (difference - self.jitter) / 16
        self.received += 1
        self._transit, self._timestamp = transit, timestamp

    def _advance(self, sequence: int) -> None:
        ahead = signed(sequence - self._highest, 16)
        if abs(ahead) > MAX_DROPOUT:
            self._before = self.expected
            self._first = self._highest = sequence
        else:
            self._highest += max(0, ahead)

    @property
    def expected(self) -> int:
        """How many there should have been."""
        return self._before + self._highest - self._first + 1 if self.received else 0

    @property
    def highest(self) -> int:
        """The highest sequence number, and how often it came round."""
        return self._highest & 0xFFFFFFFF

    @property
    def lost(self) -> int:
        """How many never came; duplicates make it negative."""
        return self.expected - self.received

    def lost_since(self) -> float:
        """Return the share that was lost since this was asked last, 0 to 1."""
        expected, received = self.expected - self._asked[0], self.received - self._asked[1]
        self._asked = self.expected, self.received
        return max(0, expected - received) / expected if expected > 0 else 0.0
