"""What a caller says, as it came: packets by their time stamps, so that jitter and loss move nothing.

A packet that comes late finds its place, what never comes is silence. Payload is kept, and samples are made
of it at the end: it is a byte for each of 8000 a second, whatever the codec. What is new since the last look
is handed out in pieces; another tape that takes all of them holds the same.
"""

import audioop
from collections.abc import Iterator
from typing import Final, NamedTuple

from ngcp.rtp.packet import Packet

from .speech import SPEECH, Speech

#: Samples a second.
RATE: Final = 8000
#: Samples by which a time stamp may lie before or behind what is there; a farther one begins anew.
LONGEST_GAP: Final = 60 * RATE
#: Samples before the end where a late packet is news yet.
LATE: Final = RATE


class Piece(NamedTuple):
    """What a tape holds from some place on, in one codec."""

    part: int
    """How many codecs were spoken before this one."""
    codec: str
    place: int
    """Samples of that part before it; what lay behind them is no more."""
    sound: bytes
    """Payload."""
    spoken: int
    """Samples of speech on all of the tape."""


class Tape:
    """One recording."""

    def __init__(self, longest: float, threshold: int) -> None:
        """Take `longest` seconds; frames at least as loud as `threshold` (root mean square) are speech."""
        self._room = int(longest * RATE)
        self._threshold = threshold
        self._parts: list[tuple[Speech, bytearray]] = []
        self._ssrc: int | None = None
        self._origin = 0
        self._is_loud = False
        self.spoken = 0
        """Samples of speech."""
        self._speech_ends = 0
        self._known = (0, 0)
        """Part, and place in it, up to which all was handed out."""

    def __len__(self) -> int:
        """Return how many samples there are."""
        return sum(len(sound) for _, sound in self._parts)

    def add(self, codec: str, packet: Packet, samples: bytes) -> None:
        """Take a packet, and what it is to the ear."""
        sound = self._part(SPEECH[codec])
        place = packet.timestamp - self._origin & 0xFFFFFFFF
        place -= 0x1_0000_0000 if place > 0x7FFFFFFF else 0
        if packet.ssrc != self._ssrc or not -LONGEST_GAP < place - len(sound) < LONGEST_GAP:
            self._ssrc, place = packet.ssrc, len(sound)
            self._origin = packet.timestamp - place & 0xFFFFFFFF
        self._put(sound, place, packet.payload)
        if audioop.rms(samples, 2) >= self._threshold:
            self._is_loud = True
            self.spoken += len(samples) // 2
            self._speech_ends = len(self)

    def was_loud(self) -> bool:
        """Tell whether somebody has spoken since this was asked last."""
        was, self._is_loud = self._is_loud, False
        return was

    def end_with_speech(self, pause: float) -> None:
        """Let it end so many seconds behind the last word."""
        self.cut(len(self) - self._speech_ends - int(pause * RATE))

    def cut(self, samples: int) -> None:
        """Take so many samples from its end."""
        while self._parts:
            _, sound = self._parts[-1]
            if samples < len(sound) or len(self._parts) == 1:
                del sound[max(len(sound) - max(samples, 0), 0) :]
                break
            samples -= len(sound)
            self._parts.pop()
        if self._parts:
            self._known = min(self._known, (len(self._parts) - 1, len(self._parts[-1][1])))

    def news(self) -> list[Piece]:
        """Return what is new, or not there any more, since this was asked last."""
        first, place = self._known
        pieces = []
        for number, (speech, sound) in enumerate(self._parts[first:], first):
            pieces.append(Piece(number, speech.name, place, bytes(sound[place:]), self.spoken))
            place = 0
        if self._parts:
            self._known = len(self._parts) - 1, len(self._parts[-1][1])
        return pieces

    def splice(self, piece: Piece) -> None:
        """Take a piece of another tape, in their order; raises ValueError if something before it lacks."""
        del self._parts[piece.part + 1 :]
        if len(self._parts) == piece.part and piece.codec in SPEECH:
            self._parts.append((SPEECH[piece.codec], bytearray()))
        if len(self._parts) <= piece.part or piece.place > len(self._parts[piece.part][1]):
            raise ValueError(f"nothing lies before place {piece.place} of part {piece.part}")
        self._parts[piece.part][1][piece.place :] = piece.sound
        self.spoken = piece.spoken

    def samples(self) -> bytes:
        """Return all of it, 16 bits a sample; this takes a while, but lets other threads go on."""
        return b"".join(samples for speech, sound in self._parts for samples in _decoded(speech, sound))

    def _part(self, speech: Speech) -> bytearray:
        """Return the part that is being recorded; another codec begins another one."""
        if not self._parts or self._parts[-1][0] is not speech:
            self._parts.append((speech, bytearray()))
            self._ssrc = None
        return self._parts[-1][1]

    def _put(self, sound: bytearray, place: int, payload: bytes) -> None:
        room = self._room - (len(self) - len(sound))
        if place < 0 or place >= room:
            return
        payload = payload[: room - place]
        if place > len(sound):
            silence = self._parts[-1][0].silence
            sound += bytes((silence,)) * (place - len(sound))
        sound[place : place + len(payload)] = payload
        if place >= len(sound) - LATE:
            self._known = min(self._known, (len(self._parts) - 1, place))


def _decoded(speech: Speech, sound: bytearray) -> Iterator[bytes]:
    decode = speech.new_decoder()
    for start in range(0, len(sound), RATE):
        yield decode(bytes(sound[start : start + RATE]))
