"""WAV files (RIFF): any usual one is read, what is written is what a telephone takes: 8 kHz, mono, 16 bit."""

import audioop
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: Frames a second of a telephone call (G.711).
RATE: Final = 8000
#: Bytes of a sample.
WIDTH: Final = 2
#: Frames a second that are read.
RATES: Final = range(4000, 192_001)

_PCM: Final = 1
_ALAW: Final = 6
_ULAW: Final = 7
#: The format proper stands in an extension.
_EXTENSIBLE: Final = 0xFFFE


class BadWav(ValueError):
    """A file that is no WAV, or one of a kind that is not read."""


@dataclass(frozen=True, slots=True)
class Format:
    """Chunk `fmt `."""

    tag: int
    channels: int
    rate: int
    bits: int

    @property
    def frame(self) -> int:
        """Bytes of one frame: a sample of each channel."""
        return self.channels * self.bits // 8


def to_telephone(file: bytes, longest: float) -> bytes:
    """Return a WAV file as one of 8 kHz, mono, 16 bit; raises as `samples_of`."""
    return write(samples_of(file, longest))


def samples_of(file: bytes, longest: float) -> bytes:
    """Return the samples of a WAV file, 8 kHz, by linear interpolation of other rates.

    Raises BadWav, also if it plays longer than `longest` seconds.
    """
    kind, frames = _read(file)
    frames = frames[: len(frames) - len(frames) % kind.frame]
    if not frames:
        raise BadWav("it is silent: no frames")
    if len(frames) / kind.frame / kind.rate > longest:
        raise BadWav(f"it plays longer than {longest:g} seconds")
    samples = _linear(kind, frames)
    if kind.channels == 2:
        samples = audioop.tomono(samples, WIDTH, 0.5, 0.5)
    if kind.rate != RATE:
        samples, _ = audioop.ratecv(samples, WIDTH, 1, kind.rate, RATE, None)
    return samples


def write(samples: bytes) -> bytes:
    """Return a WAV file of 8 kHz, mono, 16 bit."""
    return header(len(samples)) + samples


def header(size: int, channels: int = 1) -> bytes:
    """Return what a WAV file of 8 kHz, 16 bit and `size` bytes of samples begins with."""
    frame = channels * WIDTH
    kind = struct.pack("<4sIHHIIHH", b"fmt ", 16, _PCM, channels, RATE, RATE * frame, frame, WIDTH * 8)
    whole = 4 + len(kind) + 8 + size
    return struct.pack("<4sI4s", b"RIFF", whole, b"WAVE") + kind + struct.pack("<4sI", b"data", size)


def _read(file: bytes) -> tuple[Format, bytes]:
    if file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        raise BadWav("no WAV file")
    kind: Format | None = None
    for name, content in _chunks(file):
        if name == b"fmt ":
            kind = _format(content)
        elif name == b"data" and kind is not None:
            return kind, content
    raise BadWav("no WAV file: it lacks its format or its data")


def _chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks, each at an even place; one that is cut off ends where the file does."""
    place = 12
    while place + 8 <= len(file):
        name, size = struct.unpack_from("<4sI", file, place)
        yield name, file[place + 8 : place + 8 + size]
        place += 8 + size + size % 2


def _format(content: bytes) -> Format:
    if len(content) < 16:
        raise BadWav("no WAV file: its format is cut off")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", content)
    if tag == _EXTENSIBLE and len(content) >= 26:
        tag = struct.unpack_from("<H", content, 24)[0]
    if channels not in (1, 2):
        raise BadWav(f"it has {channels} channels, only mono and stereo are read")
    if rate not in RATES:
        raise BadWav(f"it has {rate} frames a second, only {RATES.start} to {RATES.stop - 1} are read")
    if (tag, bits) not in {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_ALAW, 8), (_ULAW, 8)}:
        raise BadWav(f"format {tag} of {bits} bits is not read, only PCM, A-law and µ-law are")
    return Format(tag, channels, rate, bits)


def _linear(kind: Format, frames: bytes) -> bytes:
    """Return 16-bit samples."""
    if kind.tag == _ALAW:
        return audioop.alaw2lin(frames, WIDTH)
    if kind.tag == _ULAW:
        return audioop.ulaw2lin(frames, WIDTH)
    width = kind.bits // 8
    signed = audioop.bias(frames, 1, -128) if width == 1 else frames
    return audioop.lin2lin(signed, width, WIDTH)
