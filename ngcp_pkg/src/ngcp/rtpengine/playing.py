"""Sounds that we play to a participant: samples to paced packets, in a codec that he understands.

A sound is a stream of its own (source, numbers) on the way of what the other side says, which is not heard
meanwhile.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from ngcp.audio.resampling import Resampler
from ngcp.audio.wav import RATE
from ngcp.rtp import Packet
from ngcp.sdp.formats import Format

from .codecs import codec_of
from .dialogs import Dialog, Media
from .flows import Plane

#: Seconds of sound in a packet, and between two of them.
STEP: Final = 0.02
#: Packets that are sent at once at most when we were late; what is later still is left out.
BURST: Final = 5
_FRAME: Final = 2 * int(RATE * STEP)


@dataclass(frozen=True, slots=True)
class Sound:
    """What is to be played."""

    samples: bytes
    """8 kHz, mono, 16 bit."""
    times: int = 1
    """How often."""
    start: int = 0
    """The frame to begin with."""

    @property
    def duration(self) -> float:
        """Seconds that it plays once."""
        return len(self.samples) / 2 / RATE


class Player:
    """Plays one sound to one side of a section."""

    def __init__(self, sound: Sound, target: Format, begins: float, ids: Callable[[int], int]) -> None:
        """Speak `target`; `ids` returns random numbers of so many bits."""
        codec = codec_of(target)
        if codec is None:
            raise ValueError(f"{target.name} is not spoken here")
        self._sound = sound
        self._codec = codec
        self._payload_type = target.payload_type
        rate = RATE if RATE in codec.rates else codec.rates[0]
        self._widen = Resampler(RATE, rate) if rate != RATE else None
        self._encode = codec.new_encoder(rate, None)
        self._at = 2 * sound.start
        self._left = sound.times
        self._begins = begins
        self._count = 0
        self._ssrc, self._sequence, self._timestamp = ids(32), ids(16), ids(32)

    @property
    def due(self) -> float:
        """When the next packet is."""
        return self._begins + self._count * STEP

    @property
    def is_over(self) -> bool:
        """Whether all was played."""
        return self._left <= 0

    @property
    def position(self) -> int:
        """The frame that comes next."""
        return self._at // 2

    def tick(self, now: float) -> Iterable[bytes]:
        """Yield the packets that are due."""
        late = int((now - self.due) / STEP) - BURST
        if late > 0:
            self._begins += late * STEP
        while not self.is_over and now >= self.due:
            yield self._packet()

    def _packet(self) -> bytes:
        frame = self._sound.samples[self._at : self._at + _FRAME].ljust(_FRAME, b"\0")
        self._at += _FRAME
        if self._at >= len(self._sound.samples):
            self._at, self._left = 0, self._left - 1
        samples = self._widen(frame) if self._widen else frame
        ticks = int(self._codec.clock * STEP)
        number, self._count = self._count, self._count + 1
        sequence, timestamp = self._sequence + number, self._timestamp + number * ticks
        payload = self._encode(samples)
        return bytes(Packet(self._payload_type, sequence, timestamp, self._ssrc, payload, number == 0))


class Seat(NamedTuple):
    """Who hears a sound: one side of a section."""

    dialog: Dialog
    media: Media
    side: int


class Players:
    """All sounds that are being played."""

    def __init__(self, plane: Plane, ids: Callable[[int], int]) -> None:
        self._plane = plane
        self._ids = ids
        self._players: dict[Seat, Player] = {}
        self._music: set[Seat] = set()

    def __len__(self) -> int:
        return len(self._players)

    def is_playing(self, seat: Seat) -> bool:
        """Whether there is a sound for `seat`."""
        return seat in self._players

    def is_music(self, seat: Seat) -> bool:
        """Whether that is music on hold."""
        return seat in self._music and seat in self._players

    def play(self, seat: Seat, sound: Sound, now: float, *, is_music: bool = False) -> bool:
        """Play to `seat` in place of what it hears now; False if it understands no codec of ours."""
        target = next((one for one in seat.media.formats.sides[seat.side].gets if codec_of(one)), None)
        if target is None:
            return False
        self._players[seat] = Player(sound, target, now, self._ids)
        (self._music.add if is_music else self._music.discard)(seat)
        return True

    def stop(self, seat: Seat) -> int | None:
        """Play no more to `seat`; return the frame that would have come next."""
        player = self._players.pop(seat, None)
        self._music.discard(seat)
        return player.position if player else None

    def forget(self, media: Media) -> None:
        """Stop all that is played in a section that is gone."""
        for seat in [seat for seat in self._players if seat.media is media]:
            self.stop(seat)

    @property
    def due(self) -> float | None:
        """When `tick` has something to do."""
        return min((player.due for player in self._players.values()), default=None)

    def tick(self, now: float) -> list[Dialog]:
        """Send what is due; return the dialogues where a sound is over."""
        over = []
        for seat, player in list(self._players.items()):
            local = seat.media.rtp.streams[1 - seat.side].local
            for packet in player.tick(now):
                self._plane.inject(local, packet)
            if player.is_over:
                self.stop(seat)
                over.append(seat.dialog)
        return over
