"""Keys that somebody else presses in a participant's name (`play DTMF`), in the time of its own packets."""

from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from ngcp.rtp.events import ENDINGS, KEYS, Event
from ngcp.sdp.formats import Format

from .timeline import Timeline

#: Keys that wait at most.
MAX_QUEUE: Final = 64


class Press(NamedTuple):
    """One key."""

    key: str
    duration: float = 0.25
    """Seconds."""
    pause: float = 0.1
    """Seconds until the next key."""
    volume: int = 8
    """dBm0, without its minus sign."""


class Dialler:
    """Says which key sounds when."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._queue: deque[Press] = deque(maxlen=MAX_QUEUE)
        self._now: Press | None = None
        self._begin = 0
        self._free_at = 0

    def press(self, press: Press) -> None:
        """Press a key when those before it are done."""
        self._queue.append(press)

    def sounding(self, place: int) -> tuple[Press, int] | None:
        """Return the key that sounds at `place`, and where it began; None if there is none."""
        if self._now is None and self._queue and place >= self._free_at:
            self._now, self._begin = self._queue.popleft(), place
        return (self._now, self._begin) if self._now else None

    def passed(self, end: int) -> bool:
        """Let time pass up to `end`; return whether the key that sounds is done."""
        if self._now is None or end - self._begin < self._now.duration * self.timeline.clock:
            return False
        self._free_at = end + int(self._now.pause * self.timeline.clock)
        self._now = None
        return True

    def events(self, found: tuple[Press, int], place: int, end: int, one: Format) -> Sequence[bytes]:
        """Return the packets of the event that a key is from `place` to `end`."""
        press, begin = found
        is_done = self.passed(end)
        duration = min(end - begin, int(press.duration * self.timeline.clock))
        event = Event(
            KEYS.index(press.key), duration * one.clock // self.timeline.clock, is_done, press.volume
        )
        return [
            self.timeline.packet(one.payload_type, begin, bytes(event), is_marked=place == begin)
            for _ in range(ENDINGS if is_done else 1)
        ]
