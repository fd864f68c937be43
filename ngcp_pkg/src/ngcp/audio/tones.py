"""Tones: sums of sines, and those of a telephone's keys (ITU-T Q.23)."""

from collections.abc import Sequence
from typing import Final

import numpy as np

#: The two frequencies of a key, in Hz.
KEYS: Final = {
    key: (low, high)
    for low, row in ((697, "123A"), (770, "456B"), (852, "789C"), (941, "*0#D"))
    for high, key in zip((1209, 1336, 1477, 1633), row, strict=True)
}
#: How loud a full-scale sine is (ITU-T G.711: 3.14 dBm0 by A-law, 3.17 by µ-law).
FULL_SCALE: Final = 3.14


def tone(frequencies: Sequence[float], rate: int, places: range, level: float = -10.0) -> bytes:
    """Return the samples at `places`, counted from the tone's begin; each sine is of `level` dBm0."""
    times = np.arange(places.start, places.stop) / rate
    amplitude = 32_767 * 10 ** ((level - FULL_SCALE) / 20)
    waves = sum(np.sin(2 * np.pi * frequency * times) for frequency in frequencies) * amplitude
    return np.asarray(np.clip(np.rint(waves), -32_768, 32_767)).astype(np.int16).tobytes()


def key_tone(key: str, rate: int, places: range, level: float = -8.0) -> bytes:
    """Return the samples of a key; it has to be one of `KEYS`."""
    return tone(KEYS[key], rate, places, level)
