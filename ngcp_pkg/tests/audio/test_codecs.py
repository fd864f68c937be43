"""What goes through a codec comes out as it went in."""

import random

import pytest

from audio.spectrum import loudest, loudness, purity
from ngcp.audio.codecs import CODECS, G722, OPUS, PCMA, PCMU, Codec
from ngcp.audio.errors import AudioError, BadPayload, CodecUnavailable
from ngcp.audio.libraries import opus, spandsp
from ngcp.audio.tones import tone

ALL = [(codec, rate) for codec in CODECS.values() for rate in codec.rates]
every_codec = pytest.mark.parametrize(
    ("codec", "rate"), ALL, ids=[f"{codec.name}-{rate}" for codec, rate in ALL]
)


def through(codec: Codec, rate: int, samples: bytes, ptime: int) -> bytes:
    encode, decode = codec.new_encoder(rate, None), codec.new_decoder(rate)
    size = 2 * rate * ptime // 1000
    return b"".join(decode(encode(samples[at : at + size])) for at in range(0, len(samples), size))


@every_codec
@pytest.mark.parametrize("frequency", [400, 1000, 2500])
def test_a_tone_comes_through(codec: Codec, rate: int, frequency: int) -> None:
    samples = tone([frequency], rate, range(rate // 2))

    result = through(codec, rate, samples, 20)

    assert len(result) == len(samples)
    assert loudest(result, rate) == [pytest.approx(frequency, abs=4)]
    assert purity(result, rate, frequency) > 0.95
    assert loudness(result[rate // 4 :]) == pytest.approx(loudness(samples), rel=0.15)


@pytest.mark.parametrize("codec", [G722, OPUS], ids=["G722", "opus"])
def test_wideband_is_wide(codec: Codec) -> None:
    samples = tone([5500], 16_000, range(8000))

    assert loudest(through(codec, 16_000, samples, 20), 16_000) == [pytest.approx(5500, abs=4)]


@every_codec
def test_every_ptime_is_taken(codec: Codec, rate: int) -> None:
    for ptime in codec.ptimes:
        samples = tone([1000], rate, range(rate * ptime // 1000))
        assert len(through(codec, rate, samples, ptime)) == len(samples)


@every_codec
def test_noise_for_payload_is_sound_or_refused(codec: Codec, rate: int) -> None:
    source = random.Random(1)
    decode = codec.new_decoder(rate)
    for size in range(300):
        try:
            samples = decode(source.randbytes(size))
        except BadPayload:
            continue
        assert len(samples) <= 2 * 0.12 * rate or codec is not OPUS


def test_bytes_on_the_wire() -> None:
    """20 ms: 160 bytes of 64 kbit/s; Opus as few as it is told."""
    for codec in (PCMU, PCMA, G722):
        rate = codec.rates[0]
        assert len(codec.new_encoder(rate, None)(bytes(2 * rate // 50))) == 160
    samples = tone([300, 1100, 2500], 16_000, range(16_000))
    encode = OPUS.new_encoder(16_000, 16_000)
    sizes = [len(encode(samples[at : at + 640])) for at in range(0, len(samples), 640)]
    assert 30 < sum(sizes) / len(sizes) < 64, "16 kbit/s are 40 on average, more for tones"


def test_timestamps_advance_by_the_codec_s_clock() -> None:
    """G.722's runs at half of its rate (RFC 3551 §4.5.2), that of Opus always at 48 kHz (RFC 7587 §4.1)."""
    assert G722.ticks(bytes(640), 16_000) == 160
    assert OPUS.ticks(bytes(640), 16_000) == OPUS.ticks(bytes(320), 8000) == 960


def test_a_duration_that_opus_does_not_know_is_refused() -> None:
    with pytest.raises(AudioError):
        OPUS.new_encoder(16_000, None)(bytes(62))


def test_a_codec_whose_library_is_missing_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    assert all(codec.is_available for codec in CODECS.values())
    opus.cache_clear()
    spandsp.cache_clear()
    monkeypatch.setattr("ctypes.CDLL", missing)

    assert [codec.name for codec in CODECS.values() if codec.is_available] == ["PCMU", "PCMA"]
    with pytest.raises(CodecUnavailable, match=r"libopus\.so\.0 is not installed"):
        OPUS.new_encoder(16_000, None)
