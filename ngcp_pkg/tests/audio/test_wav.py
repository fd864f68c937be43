"""WAV files as operators have them become what a telephone takes."""

import audioop
import math
import struct
from itertools import pairwise

import pytest

from ngcp.audio.wav import RATE, BadWav, to_telephone, write

HALF = 16384


def tone(rate: int, seconds: float = 1.0) -> bytes:
    """Return 440 Hz at half of the loudest, 16 bit, mono."""
    count = round(rate * seconds)
    return struct.pack(
        f"<{count}h", *(round(HALF * math.sin(2 * math.pi * 440 * n / rate)) for n in range(count))
    )


def wav(samples: bytes, *, tag: int = 1, channels: int = 1, rate: int = RATE, bits: int = 16) -> bytes:
    frame = channels * bits // 8
    kind = struct.pack("<HHIIHH", tag, channels, rate, rate * frame, frame, bits)
    if tag == 0xFFFE:
        kind += struct.pack("<HHIH", 22, bits, 0, 1) + bytes(14)
    note = struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    body = struct.pack("<4sI", b"fmt ", len(kind)) + kind + note
    body += struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WAVE") + body


def samples_of(file: bytes) -> tuple[int, ...]:
    assert file[:44] == write(b"\0" * (len(file) - 44))[:44]
    return struct.unpack(f"<{(len(file) - 44) // 2}h", file[44:])


def pitch(samples: tuple[int, ...]) -> float:
    """Return how often a second the wave rises through zero."""
    return sum(a < 0 <= b for a, b in pairwise(samples)) * RATE / len(samples)


def in_bits(samples: bytes, width: int) -> bytes:
    other = audioop.lin2lin(samples, 2, width)
    return audioop.bias(other, 1, 128) if width == 1 else other


CASES = {
    "8 kHz": wav(tone(8000)),
    "44.1 kHz": wav(tone(44100), rate=44100),
    "48 kHz stereo": wav(audioop.tostereo(tone(48000), 2, 1, 1), rate=48000, channels=2),
    "11.025 kHz": wav(tone(11025), rate=11025),
    "8 bit": wav(in_bits(tone(8000), 1), bits=8),
    "24 bit": wav(in_bits(tone(8000), 3), bits=24),
    "32 bit": wav(in_bits(tone(8000), 4), bits=32),
    "A-law": wav(audioop.lin2alaw(tone(8000), 2), tag=6, bits=8),
    "µ-law": wav(audioop.lin2ulaw(tone(8000), 2), tag=7, bits=8),
    "extensible": wav(tone(8000), tag=0xFFFE),
    "cut off": wav(tone(8000, 1.5))[: 8000 * 2 + 60],
}


@pytest.mark.parametrize("file", CASES.values(), ids=CASES)
def test_a_tone_stays_what_it_was(file: bytes) -> None:
    samples = samples_of(to_telephone(file, 10.0))
    assert len(samples) == pytest.approx(RATE, rel=0.01)
    assert pitch(samples) == pytest.approx(440, abs=2)
    assert max(samples) == pytest.approx(HALF, rel=0.05)


def test_what_a_telephone_takes_is_left_alone() -> None:
    file = write(tone(8000))
    assert to_telephone(file, 10.0) == file


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        (b"", "no WAV"),
        (b"ID3" + bytes(100), "no WAV"),
        (b"RIFF\0\0\0\0WAVE", "lacks"),
        (wav(b"\0\0")[:12], "lacks"),
        (wav(b"\0\0")[:20], "cut off"),
        (b"RIFF\0\0\0\0WAVEfmt \4\0\0\0\1\0\1\0", "cut off"),
        (wav(b""), "no frames"),
        (wav(b"\0"), "no frames"),
        (wav(b"\0" * 12, channels=6), "6 channels"),
        (wav(b"\0\0", rate=0), "0 frames a second"),
        (wav(b"\0\0", rate=2**32 - 1, channels=0), "0 channels"),
        (wav(b"\0" * 4, tag=3, bits=32), "format 3 of 32 bits"),
        (wav(b"\0" * 2, bits=12), "format 1 of 12 bits"),
        (wav(tone(8000, 2.0)), "longer than 1 seconds"),
    ],
)
def test_what_is_no_sound_is_refused(file: bytes, problem: str) -> None:
    with pytest.raises(BadWav, match=problem):
        to_telephone(file, 1.0)


def test_no_file_however_broken_is_more_than_refused() -> None:
    """Whatever byte is wrong."""
    good = wav(tone(8000, 0.01))
    for place in range(60):
        for value in (0, 1, 127, 255):
            broken = bytearray(good)
            broken[place] = value
            try:
                to_telephone(bytes(broken), 1.0)
            except BadWav:
                continue
