"""One audio stream of ours: what we say leaves as RTP, what comes is cut into frames, and keys are told.

It speaks G.711, which every telephone does, and G.722. A frame is 20 ms: 160 samples of 16 bits.
"""

from collections import deque
from typing import Final, NamedTuple

from ngcp.audio.dtmf import KeyDetector
from ngcp.audio.framing import Framer
from ngcp.rtp.errors import RtpError
from ngcp.rtp.events import Event
from ngcp.rtp.packet import Packet

from .speech import SPEECH
from .tape import Tape

#: Samples, and bytes, of a frame.
SAMPLES: Final = 160
FRAME: Final = 2 * SAMPLES
SILENCE: Final = bytes(FRAME)
#: Seconds of a frame.
PACE: Final = 0.02
#: Frames that are kept for late listeners: what is older goes, so that nobody hears far behind.
KEPT: Final = 6
#: Frames to have before the first one is heard, so that jitter leaves no gaps.
PRIMED: Final = 2


class Language(NamedTuple):
    """What both sides speak, by the payload types of who receives."""

    codec: str
    """A name in `speech.SPEECH`."""
    payload_type: int
    event_type: int | None = None
    """Of telephone-event (RFC 4733), if the other side sends keys so; else they are heard as tones."""


class Voice:
    """Our end of one stream."""

    def __init__(self, language: Language, seed: int) -> None:
        """Begin at a random place (RFC 3550 §5.1) that `seed`, 64 random bits, tells."""
        self.language = language
        self._ssrc, self._sequence = seed & 0xFFFFFFFF, seed >> 32 & 0xFFFF
        self._timestamp = seed >> 16 & 0xFFFFFFFF
        self._was_silent = True
        self._frames: deque[bytes] = deque(maxlen=KEPT)
        self._is_primed = False
        self._framer = Framer(FRAME)
        self._last_key: int | None = None
        speech = SPEECH[language.codec]
        self._encode, self._decode = speech.new_encoder(), speech.new_decoder()
        self._detector = KeyDetector() if language.event_type is None else None
        self.tape: Tape | None = None
        """Takes what the other side says, while there is one; nobody else hears it then."""

    def say(self, frame: bytes) -> bytes:
        """Return the packet that says a frame."""
        payload = self._encode(frame)
        packet = Packet(
            self.language.payload_type,
            self._sequence,
            self._timestamp,
            self._ssrc,
            payload,
            self._was_silent,
        )
        self._sequence = self._sequence + 1 & 0xFFFF
        self._timestamp = self._timestamp + SAMPLES & 0xFFFFFFFF
        self._was_silent = False
        return bytes(packet)

    def pause(self) -> None:
        """Let the time of a frame pass in silence."""
        self._timestamp = self._timestamp + SAMPLES & 0xFFFFFFFF
        self._was_silent = True

    def take(self, data: bytes) -> str | None:
        """Take a packet; return the keys, mostly one, that it is the first to tell of."""
        try:
            packet = Packet.parse(data)
        except RtpError:
            return None
        if packet.payload_type == self.language.event_type:
            return self._key(packet)
        if packet.payload_type != self.language.payload_type:
            return None
        samples = self._decode(packet.payload)
        if self.tape is None:
            self._frames.extend(self._framer(samples))
        else:
            self.tape.add(self.language.codec, packet, samples)
        return self._listen_for_keys(samples)

    def heard(self) -> bytes | None:
        """Return the next frame of the other side; None if it says nothing."""
        if not self._frames:
            self._is_primed = False
            return None
        if not self._is_primed and len(self._frames) < PRIMED:
            return None
        self._is_primed = True
        return self._frames.popleft()

    def _listen_for_keys(self, samples: bytes) -> str | None:
        if self._detector is None:
            return None
        self._detector(samples)
        return self._detector.heard() or None

    def _key(self, packet: Packet) -> str | None:
        try:
            event = Event.parse(packet.payload)
        except RtpError:
            return None
        if packet.timestamp == self._last_key:
            return None
        self._last_key = packet.timestamp
        return event.key


def frames_of(samples: bytes) -> tuple[bytes, ...]:
    """Cut 8 kHz samples into frames; the last one ends in silence."""
    return tuple(
        samples[start : start + FRAME].ljust(FRAME, b"\0") for start in range(0, len(samples), FRAME)
    )
