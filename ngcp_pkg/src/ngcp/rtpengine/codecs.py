"""The codecs that are spoken here, and plans of what becomes of one side's packets."""

from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple

from ngcp.audio.codecs import CODECS, Codec, Convert
from ngcp.audio.errors import AudioError
from ngcp.audio.resampling import Resampler
from ngcp.sdp.formats import USUAL_PTIME, Format

EVENTS: Final = "telephone-event"


class Plan(NamedTuple):
    """What becomes of the packets that one side sends."""

    passing: Mapping[int, Format] = {}
    """By the payload type that they come with: as what they leave, their payload untouched."""
    converting: Mapping[int, Format] = {}
    """By payload type: as what it is decoded, to be encoded as `target`."""
    target: Format | None = None
    """What is encoded, and what tones are heard in."""
    bitrate: int | None = None
    """Of `target`, where it has a choice."""
    ptime: int = USUAL_PTIME
    """Milliseconds in a packet that is encoded."""
    sounding: Mapping[int, Format] = {}
    """By payload type: events of telephone keys that become tones."""
    pressing: Format | None = None
    """The events that the tones of telephone keys become."""
    keys: Format | None = None
    """The events that keys are sent as that we press; None: tones."""
    is_dialled: bool = False
    """Whether we may press keys, so that packets have to be numbered anew."""

    @property
    def is_translated(self) -> bool:
        """Whether anything is to be done with packets for the sake of who gets them."""
        is_moved = any(number != one.payload_type for number, one in self.passing.items())
        return bool(is_moved or self.converting or self.sounding or self.pressing)

    @property
    def is_plain(self) -> bool:
        """Whether all that is to be done is to relay."""
        return not (self.is_translated or self.is_dialled)


PLAIN: Final = Plan()


def codec_of(one: Format) -> Codec | None:
    """Return how we encode and decode a format; None if we do not."""
    codec = _spoken().get(one.name.lower())
    return codec if codec and codec.clock == one.clock else None


@cache
def _spoken() -> Mapping[str, Codec]:
    """Return the codecs whose libraries are installed."""
    return {name: codec for name, codec in CODECS.items() if codec.is_available}


def decoder(one: Format, rate: int) -> Convert:
    """Return what turns the payload of a format into `rate` samples a second; raises `AudioError`."""
    codec = codec_of(one)
    if codec is None:
        raise AudioError(f"{one.name} is not spoken here")
    if rate in codec.rates:
        return codec.new_decoder(rate)
    decode, resample = codec.new_decoder(codec.rates[0]), Resampler(codec.rates[0], rate)
    return lambda payload: resample(decode(payload))


def is_speakable(one: Format) -> bool:
    """Whether we can stand in for somebody who does not have this format."""
    return is_event(one) or codec_of(one) is not None


def is_event(one: Format) -> bool:
    """Whether this is telephone keys (RFC 4733)."""
    return one.name.lower() == EVENTS
