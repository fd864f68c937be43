"""Samples of another rate sound the same."""

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.spectrum import loudest, loudness, purity
from ngcp.audio.resampling import Resampler
from ngcp.audio.tones import tone

RATES = (8000, 16_000, 24_000, 48_000)


@pytest.mark.parametrize(("rate", "target"), product(RATES, RATES))
def test_a_tone_stays_what_it_is(rate: int, target: int) -> None:
    samples = tone([1000], rate, range(rate))

    result = Resampler(rate, target)(samples)

    assert len(result) == 2 * target
    assert loudest(result, target) == [pytest.approx(1000, abs=2)]
    assert purity(result, target, 1000) > 0.999
    assert loudness(result[200:]) == pytest.approx(loudness(samples), rel=0.02)


@pytest.mark.parametrize("rate", RATES[1:])
def test_what_the_lower_rate_cannot_carry_is_gone(rate: int) -> None:
    """A tone of 5 kHz would come back as one of 3."""
    samples = tone([5000], rate, range(rate))

    assert loudness(Resampler(rate, 8000)(samples)) < loudness(samples) / 100


@given(
    st.sampled_from(list(product(RATES, RATES))),
    st.lists(st.integers(0, 480), min_size=2, max_size=6).map(sorted),
)
def test_frames_make_no_seam(rates: tuple[int, int], cuts: list[int]) -> None:
    samples = tone([700, 1300], rates[0], range(480))
    whole, by_frame = Resampler(*rates), Resampler(*rates)

    parts = [samples[2 * start : 2 * stop] for start, stop in pairwise([0, *cuts, 480])]

    assert b"".join(map(by_frame, parts)) == whole(samples)


def test_the_loudest_does_not_turn_over() -> None:
    step = b"\xff\x7f" * 400 + b"\x00\x80" * 400

    result = Resampler(8000, 16_000)(step)

    assert loudness(result[200:600]) == pytest.approx(32_767, rel=0.01)
