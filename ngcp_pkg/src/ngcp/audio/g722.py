"""G.722 at 64 kbit/s by SpanDSP: 16 kHz, one byte for two samples.

`narrow`: 8 kHz, one byte for each sample; the upper half of what G.722 can carry is silent, or not heard.
"""

import ctypes
from typing import Final
from weakref import finalize

from .libraries import spandsp

_BITRATE: Final = 64_000
#: SpanDSP's G722_SAMPLE_RATE_8000.
_NARROW: Final = 1


class G722Encoder:
    """Samples of one stream, in order, to payload."""

    def __init__(self, *, narrow: bool = False) -> None:
        self._library = spandsp()
        self._state = self._library.g722_encode_init(None, _BITRATE, _NARROW if narrow else 0)
        finalize(self, self._library.g722_encode_free, self._state)
        self._frame = 2 if narrow else 4

    def __call__(self, samples: bytes) -> bytes:
        """Return the payload of an even number of samples."""
        payload = ctypes.create_string_buffer(len(samples) // self._frame + 1)
        size = self._library.g722_encode(self._state, payload, samples, len(samples) // 2)
        return payload.raw[:size]


class G722Decoder:
    """Payload of one stream, in order, to samples."""

    def __init__(self, *, narrow: bool = False) -> None:
        self._library = spandsp()
        self._state = self._library.g722_decode_init(None, _BITRATE, _NARROW if narrow else 0)
        finalize(self, self._library.g722_decode_free, self._state)

    def __call__(self, payload: bytes) -> bytes:
        """Return two samples for each byte, one if `narrow`."""
        samples = ctypes.create_string_buffer(4 * len(payload) + 4)
        count = self._library.g722_decode(self._state, samples, payload, len(payload))
        return samples.raw[: 2 * count]
