"""Scores as the E-model has them (ITU-T G.107)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.rtp.quality import opinion, score


@pytest.mark.parametrize(
    ("rating", "expected"), [(0, 1.0), (50, 2.58), (60, 3.10), (70, 3.60), (80, 4.03), (90, 4.34), (100, 4.5)]
)
def test_opinions_of_the_recommendation(rating: float, expected: float) -> None:
    """G.107 annex B, table B.1."""
    assert opinion(rating) == pytest.approx(expected, abs=0.01)


def test_a_good_call_is_good_and_a_bad_one_bad() -> None:
    assert score(0, 0, 0.02) > 4.3
    assert 3.5 < score(0.03, 0.01, 0.1) < 4.3
    assert score(0.2, 0.05, 0.8) < 2.5
    assert score(1, 1, 10) == 1


SHARES, SECONDS = st.floats(0, 1), st.floats(0, 2)


@given(SHARES, SECONDS, SECONDS, st.floats(0, 0.5))
def test_nothing_gets_better_by_getting_worse(loss: float, jitter: float, trip: float, more: float) -> None:
    base = score(loss, jitter, trip)
    assert 1 <= base <= 4.5
    base += 1e-9  # of which floats are no more exact
    assert score(min(1, loss + more), jitter, trip) <= base
    assert score(loss, jitter + more, trip) <= base
    assert score(loss, jitter, trip + more) <= base
