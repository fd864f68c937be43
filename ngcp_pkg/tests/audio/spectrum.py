"""What is in some samples: their loudest frequencies, by Fourier transform."""

import numpy as np


def loudest(samples: bytes, rate: int, count: int = 1) -> list[float]:
    """Return the frequencies of the `count` highest peaks, in Hz, lowest first."""
    wave = np.frombuffer(samples, np.int16).astype(float)
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    frequencies = np.fft.rfftfreq(len(wave), 1 / rate)
    found: list[float] = []
    for place in np.argsort(power)[::-1]:
        if all(abs(frequencies[place] - other) > 50 for other in found):
            found.append(float(frequencies[place]))
        if len(found) == count:
            break
    return sorted(found)


def purity(samples: bytes, rate: int, frequency: float) -> float:
    """Return how much of the power lies within 40 Hz of `frequency`, 0 to 1."""
    wave = np.frombuffer(samples, np.int16).astype(float)
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(wave), 1 / rate) - frequency) < 40
    return float(power[near].sum() / power.sum())


def loudness(samples: bytes) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.frombuffer(samples, np.int16).astype(float) ** 2)))
