"""The codecs we speak: their names in session descriptions, and who turns payload into samples and back."""

import audioop
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from .errors import CodecUnavailable
from .g722 import G722Decoder, G722Encoder
from .opus import OpusDecoder, OpusEncoder

Convert = Callable[[bytes], bytes]


class EncoderOf(Protocol):
    """Begins a stream of samples at `rate` a second; `bitrate` is for codecs that have a choice."""

    def __call__(self, rate: int, bitrate: int | None) -> Convert: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec."""

    name: str
    """As `a=rtpmap` has it."""
    payload_type: int | None
    """Its static payload type (RFC 3551 §6)."""
    clock: int
    """Ticks a second of its RTP timestamps."""
    channels: int
    """As `a=rtpmap` has it."""
    rates: tuple[int, ...]
    """Samples a second that it can be given and gives, the best first."""
    new_encoder: EncoderOf
    new_decoder: Callable[[int], Convert]
    ptimes: frozenset[int] = frozenset(range(10, 61, 10))
    """Milliseconds that a packet may hold."""

    @property
    def is_available(self) -> bool:
        """Whether its library is installed."""
        try:
            self.new_decoder(self.rates[0])
        except CodecUnavailable:
            return False
        return True

    def ticks(self, samples: bytes, rate: int) -> int:
        """Return how far `samples` advance the RTP timestamp."""
        return len(samples) // 2 * self.clock // rate


def _to_ulaw(samples: bytes) -> bytes:
    return audioop.lin2ulaw(samples, 2)


def _from_ulaw(payload: bytes) -> bytes:
    return audioop.ulaw2lin(payload, 2)


def _to_alaw(samples: bytes) -> bytes:
    return audioop.lin2alaw(samples, 2)


def _from_alaw(payload: bytes) -> bytes:
    return audioop.alaw2lin(payload, 2)


PCMU: Final = Codec("PCMU", 0, 8000, 1, (8000,), lambda rate, bitrate: _to_ulaw, lambda rate: _from_ulaw)
PCMA: Final = Codec("PCMA", 8, 8000, 1, (8000,), lambda rate, bitrate: _to_alaw, lambda rate: _from_alaw)
#: Its clock is half of its rate, by an old mistake that nobody may mend (RFC 3551 §4.5.2).
G722: Final = Codec(
    "G722", 9, 8000, 1, (16_000,), lambda rate, bitrate: G722Encoder(), lambda rate: G722Decoder()
)
#: Mono in packets that may be stereo: RFC 7587 §4.1 wants two channels in `a=rtpmap`.
OPUS: Final = Codec(
    "opus", None, 48_000, 2, (16_000, 8000, 48_000), OpusEncoder, OpusDecoder, frozenset({10, 20, 40, 60})
)

CODECS: Final = {codec.name.lower(): codec for codec in (PCMU, PCMA, G722, OPUS)}
