"""Recordings: what both sides of a section say, on one timeline, to WAV.

Each side is placed by its timestamps, anchored at the arrival of its first packet and again whenever it
strays; samples leave once both sides had the time to come.
"""

import contextlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from ngcp.audio.codecs import Convert
from ngcp.audio.errors import AudioError
from ngcp.audio.mixer import add
from ngcp.audio.wav import RATE
from ngcp.rtp import Packet, RtpError, is_rtcp
from ngcp.rtp.packet import signed
from ngcp.sdp.formats import Format

from .codecs import codec_of, decoder

#: Seconds that a side may come after the other.
PATIENCE: Final = 0.3
#: Seconds by which timestamps may stray from the clock before they are anchored anew.
STRAY: Final = 0.25
#: Seconds that are written at once.
PIECE: Final = 1.0


#: Seconds of silence that are written where nobody says anything, on hold for example.
LONGEST_SILENCE: Final = 60.0


class Sink(Protocol):
    """Where samples of a recording go."""

    def write(self, samples: bytes) -> bool:
        """Append samples; False if no more can be taken."""

    def close(self) -> None:
        """Bring it to its end."""


class Recording:
    """One section of a dialogue while it is recorded."""

    def __init__(self, begin: Callable[[], Sink | None], *, is_mixed: bool) -> None:
        """Write both sides into one channel, or each into its own, once there is something to write."""
        self._begin = begin
        self._sink: Sink | None = None
        self._is_over = False
        self._is_mixed = is_mixed
        self._tracks = (_Track(), _Track())
        self._taps: dict[int, Tap] = {}
        self._began: float | None = None
        self._written = 0
        self.is_paused = False

    def tap(self, side: int, formats: Mapping[int, Format]) -> "Tap":
        """Return who hears what `side` says, by the formats that come from there."""
        tap = self._taps.setdefault(side, Tap(self, side))
        tap.formats = formats
        return tap

    def take(self, side: int, place: float, samples: bytes) -> None:
        """Put down what `side` says at the moment `place`."""
        if self._is_over or self.is_paused:
            return
        if self._began is None:
            self._began = place
        at = int((place - self._began) * RATE) - self._written
        if at > LONGEST_SILENCE * RATE:
            self._began += at / RATE - LONGEST_SILENCE
            at = int(LONGEST_SILENCE * RATE)
        while at > (PIECE + PATIENCE) * RATE:
            self._write(int(PIECE * RATE))
            at -= int(PIECE * RATE)
        self._tracks[side].put(at, samples)

    def close(self) -> None:
        """Write what is left."""
        if not self._is_over:
            self._write(max(track.length for track in self._tracks))
        if self._sink is not None and not self._is_over:
            self._sink.close()
        self._is_over = True

    def _write(self, count: int) -> None:
        if self._is_over:
            return
        first, second = (track.cut(count) for track in self._tracks)
        self._written += count
        if self._is_mixed:
            samples = add(first, second)
        else:
            pair = np.stack([np.frombuffer(one, np.int16) for one in (first, second)], axis=1)
            samples = pair.tobytes()
        if self._sink is None and samples:
            self._sink = self._begin()
        if samples and (self._sink is None or not self._sink.write(samples)):
            self._is_over = True


class _Track:
    """What one side has said and is not written yet."""

    def __init__(self) -> None:
        self._samples: NDArray[np.int16] = np.zeros(int(4 * RATE), np.int16)
        self.length = 0

    def put(self, at: int, samples: bytes) -> None:
        """Put samples down at a place; what is too early or too late is cut."""
        heard = np.frombuffer(samples, np.int16)[max(0, -at) :]
        at = max(0, at)
        heard = heard[: max(0, len(self._samples) - at)]
        self._samples[at : at + len(heard)] = heard
        self.length = max(self.length, at + len(heard))

    def cut(self, count: int) -> bytes:
        """Return the first `count` samples, silence where nothing is, and move up the rest."""
        count = min(count, len(self._samples))
        cut = self._samples[:count].tobytes()
        rest = self._samples[count:].copy()
        self._samples[: len(rest)] = rest
        self._samples[len(rest) :] = 0
        self.length = max(0, self.length - count)
        return cut


class Tap:
    """Hears what one side says, and lets it pass (a `Process`)."""

    def __init__(self, recording: Recording, side: int) -> None:
        self._recording = recording
        self._side = side
        self.formats: Mapping[int, Format] = {}
        """The payload types that come from there."""
        self._decoders: dict[Format, Convert] = {}
        self._anchor: tuple[int, int, float] | None = None  # source, timestamp, moment

    def __call__(self, packet: bytes, now: float) -> tuple[bytes, ...]:
        """Return the packet."""
        if not is_rtcp(packet):
            with contextlib.suppress(RtpError, AudioError):
                self._hear(Packet.parse(packet), now)
        return (packet,)

    def _hear(self, came: Packet, now: float) -> None:
        one = self.formats.get(came.payload_type)
        if one is None or codec_of(one) is None:
            return
        decode = self._decoders.get(one)
        if decode is None:
            decode = self._decoders[one] = decoder(one, RATE)
        self._recording.take(self._side, self._place(came, one.clock, now), decode(came.payload))

    def _place(self, came: Packet, clock: int, now: float) -> float:
        if self._anchor is not None and self._anchor[0] == came.ssrc:
            _, timestamp, moment = self._anchor
            place = moment + signed(came.timestamp - timestamp, 32) / clock
            if abs(place - now) < STRAY:
                return place
        self._anchor = came.ssrc, came.timestamp, now
        return now
