"""The codecs that the node itself speaks: all at 8 kHz, one byte for each sample."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from ngcp.audio import codecs
from ngcp.audio.codecs import Convert
from ngcp.audio.g722 import G722Decoder, G722Encoder

#: Samples a second.
RATE: Final = 8000


@dataclass(frozen=True, slots=True)
class Speech:
    """One codec."""

    name: str
    """As `a=rtpmap` has it."""
    payload_type: int
    """Its static payload type (RFC 3551 §6)."""
    silence: int
    """The byte that stands for silence, again and again."""
    new_encoder: Callable[[], Convert]
    new_decoder: Callable[[], Convert]


def _plain(codec: codecs.Codec, payload_type: int, silence: int) -> Speech:
    """Return a codec whose own rate is ours."""
    encoder, decoder = partial(codec.new_encoder, RATE, None), partial(codec.new_decoder, RATE)
    return Speech(codec.name, payload_type, silence, encoder, decoder)


PCMA: Final = _plain(codecs.PCMA, 8, 0xD5)
PCMU: Final = _plain(codecs.PCMU, 0, 0xFF)
G722: Final = Speech("G722", 9, 0xFD, lambda: G722Encoder(narrow=True), lambda: G722Decoder(narrow=True))

SPEECH: Final[Mapping[str, Speech]] = {one.name: one for one in (PCMA, PCMU, G722)}
