"""How a call sounds: the mean opinion score by the E-model (ITU-T G.107, as RFC 7266 §3.5 carries it)."""

from typing import Final

#: R without any impairment (G.107 table 2).
BEST: Final = 93.2
#: One-way delay, in seconds, that conversation does not bear without effort.
_TIRING: Final = 0.1773
#: How well G.711 with concealment bears random loss, in percent (G.113 appendix I).
_ROBUSTNESS: Final = 25.1


def score(loss: float, jitter: float, round_trip: float) -> float:
    """Return the mean opinion score, 1 to 4.4; `loss` is a share, the others are seconds."""
    delay = round_trip / 2 + 2 * jitter
    percent = 100 * loss
    delayed = 24 * delay + 110 * max(0.0, delay - _TIRING)
    lossy = 95 * percent / (percent + _ROBUSTNESS)
    return opinion(BEST - delayed - lossy)


def opinion(rating: float) -> float:
    """Return the mean opinion score of an R value (G.107 annex B)."""
    if rating <= 0:
        return 1.0
    if rating >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating))
