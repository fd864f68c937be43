"""Change how many samples a second there are, by a windowed sinc; frame after frame without a seam."""

from functools import cache
from math import ceil, gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Samples of the lower rate that each sample of the result is made of.
TAPS: Final = 32
#: What passes, of all that the lower rate can carry; between here and its edge the filter falls.
PASSED: Final = 0.9


class Resampler:
    """Turns samples of one rate into those of another; of one stream, in order.

    The result lags by half of `TAPS`, at the lower rate: 2 ms at 8 kHz.
    """

    def __init__(self, rate: int, target: int) -> None:
        divisor = gcd(rate, target)
        self._up, self._down = target // divisor, rate // divisor
        self._phases = _phases(self._up, self._down)
        self._taps = self._phases.shape[1]
        self._held: NDArray[np.float64] = np.zeros(self._taps - 1)
        self._next = 0  # where the next sample lies behind the first one held, in parts of 1 / up

    def __call__(self, samples: bytes) -> bytes:
        """Return the samples that `samples` complete."""
        held = np.concatenate((self._held, np.frombuffer(samples, np.int16).astype(np.float64)))
        room = (len(held) - self._taps + 1) * self._up - self._next
        count = max(0, ceil(room / self._down))
        if not count:
            self._held = held
            return b""
        places, phases = np.divmod(self._next + self._down * np.arange(count), self._up)
        windows = np.lib.stride_tricks.sliding_window_view(held, self._taps)[places]
        result: NDArray[np.float64] = np.einsum("ij,ij->i", windows, self._phases[phases])
        passed, self._next = divmod(self._next + self._down * count, self._up)
        self._held = held[passed:]
        return np.clip(np.rint(result), -32_768, 32_767).astype(np.int16).tobytes()


@cache
def _phases(up: int, down: int) -> NDArray[np.float64]:
    """Return the filter, a row for each place between two samples."""
    narrowing = min(1.0, up / down)
    half = ceil(TAPS / 2 / narrowing)
    places = np.arange(1 - half, half + 1) - np.arange(up)[:, None] / up
    passed = narrowing * PASSED
    rows = np.sinc(passed * places) * np.cos(np.pi * places / (2 * half)) ** 2
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))
