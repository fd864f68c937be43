"""Keys are heard where they are pressed, and nowhere else (ITU-T Q.24)."""

import random
import struct

import pytest

from audio.spectrum import loudest
from ngcp.audio.codecs import G722, OPUS, PCMA, PCMU, Codec
from ngcp.audio.dtmf import KeyDetector
from ngcp.audio.resampling import Resampler
from ngcp.audio.tones import KEYS, key_tone, tone

FRAME = 320
PAUSE = bytes(2 * 8000 // 20)


def frames(samples: bytes) -> list[bytes]:
    return [samples[at : at + FRAME] for at in range(0, len(samples), FRAME)]


@pytest.mark.parametrize("key", KEYS)
def test_each_key_is_made_of_its_tones_and_heard(key: str) -> None:
    samples = key_tone(key, 8000, range(800))
    detector = KeyDetector()

    heard = [detector(frame) for frame in frames(samples + PAUSE)]

    assert loudest(samples, 8000, 2) == [pytest.approx(each, abs=10) for each in KEYS[key]]
    assert set(heard) == {None, key}
    assert heard[2:5] == [key] * 3
    assert heard[-1] is None


def test_a_number_is_heard_key_by_key() -> None:
    detector = KeyDetector()

    for key in "0043110815#*":
        detector(key_tone(key, 8000, range(400)) + PAUSE)

    assert detector.heard() == "0043110815#*"
    assert detector.heard() == ""


@pytest.mark.parametrize("codec", [PCMU, PCMA, G722, OPUS], ids=lambda codec: codec.name)
def test_keys_survive_codecs(codec: Codec) -> None:
    rate = codec.rates[0]
    encode, decode, narrow = codec.new_encoder(rate, None), codec.new_decoder(rate), Resampler(rate, 8000)
    detector = KeyDetector()
    size = rate // 50 * 2

    for key in "159D":
        samples = key_tone(key, rate, range(rate // 10)) + bytes(rate // 5)
        for at in range(0, len(samples), size):
            detector(narrow(decode(encode(samples[at : at + size]))))

    assert detector.heard() == "159D"


def test_no_key_in_noise_speech_like_sound_or_single_tones() -> None:
    source = random.Random(2)
    noise = struct.pack("<80000h", *(source.randint(-9000, 9000) for _ in range(80_000)))
    vowels = b"".join(tone([110 * n, 220 * n, 730, 1090], 8000, range(1600)) for n in range(1, 9))
    detector = KeyDetector()

    assert all(detector(frame) is None for frame in frames(noise + vowels + tone([697], 8000, range(4000))))


def test_a_tone_goes_on_where_its_last_frame_ended() -> None:
    whole = key_tone("5", 8000, range(320))

    assert key_tone("5", 8000, range(160)) + key_tone("5", 8000, range(160, 320)) == whole
