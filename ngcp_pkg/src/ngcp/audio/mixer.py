"""Mixing: each listener hears all but himself."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LOUDEST: Final = np.iinfo(np.int16)


def mix(frames: Sequence[bytes | None]) -> list[bytes]:
    """Return what each participant hears, in the same order; None is one who says nothing.

    All frames are of one length; sums beyond 16 bits saturate.
    """
    spoken = [frame for frame in frames if frame is not None]
    if not spoken:
        return [b""] * len(frames)
    voices: NDArray[np.int32] = (
        np.frombuffer(b"".join(spoken), np.int16).reshape(len(spoken), -1).astype(np.int32)
    )
    total = voices.sum(axis=0, dtype=np.int32)
    everybody = _narrow(total).tobytes()
    others = iter(_narrow(total - voices))
    return [everybody if frame is None else next(others).tobytes() for frame in frames]


def add(first: bytes, second: bytes) -> bytes:
    """Return two frames at once; the shorter one ends in silence."""
    length = max(len(first), len(second))
    return mix([first.ljust(length, b"\0"), second.ljust(length, b"\0"), None])[2]


def _narrow(sums: NDArray[np.int32]) -> NDArray[np.int16]:
    return np.clip(sums, _LOUDEST.min, _LOUDEST.max).astype(np.int16)
