"""Telephone keys as RTP events (RFC 4733): the payload, who sends it, and who follows it."""

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple, Self

from .errors import RtpError

#: Keys by their event codes (§3.2, table 3).
KEYS: Final = "0123456789*#ABCD"
#: How often the last packet of an event is sent (§2.5.1.4).
ENDINGS: Final = 3
#: What a duration can say at most (§2.3.5); a longer event is cut there.
MAX_DURATION: Final = 0xFFFF

_PAYLOAD: Final = struct.Struct("!BBH")
_END: Final = 0x80
_VOLUME: Final = 0x3F


class Event(NamedTuple):
    """What a packet says (§2.3)."""

    code: int
    duration: int
    """Ticks since the event began, at the packet's timestamp."""
    is_ending: bool = False
    volume: int = 8
    """dBm0, without its minus sign."""

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """Read the first event of a payload, or raise `RtpError`."""
        if len(payload) < _PAYLOAD.size:
            raise RtpError("an event is cut off")
        code, flags, duration = _PAYLOAD.unpack_from(payload)
        return cls(code, duration, bool(flags & _END), flags & _VOLUME)

    def __bytes__(self) -> bytes:
        flags = self.volume | _END if self.is_ending else self.volume
        return _PAYLOAD.pack(self.code, flags, min(self.duration, MAX_DURATION))

    @property
    def key(self) -> str | None:
        """The key that this is."""
        return KEYS[self.code] if self.code < len(KEYS) else None


def press(key: str, duration: int, step: int, volume: int = 8) -> Iterator[Event]:
    """Go through the events of a key that is pressed for `duration` ticks, one every `step` ticks."""
    code = KEYS.index(key)
    for passed in range(step, duration, step):
        yield Event(code, passed, False, volume)
    for _ in range(ENDINGS):
        yield Event(code, duration, True, volume)


class EventFollower:
    """Follows the events of one stream: what each packet adds to what was known."""

    def __init__(self) -> None:
        self._timestamp: int | None = None
        self._duration = 0
        self._has_ended = False

    def follow(self, timestamp: int, event: Event) -> range:
        """Return the ticks that a packet adds to its event; none where it repeats what was said."""
        if timestamp != self._timestamp:
            self._timestamp, self._duration, self._has_ended = timestamp, 0, False
        added = range(self._duration, event.duration)
        if self._has_ended or not added:
            added = range(0)
        else:
            self._duration = event.duration
        self._has_ended = self._has_ended or event.is_ending
        return added

    @property
    def is_pressed(self) -> bool:
        """Whether an event goes on."""
        return self._timestamp is not None and not self._has_ended
