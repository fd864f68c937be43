"""Hear telephone keys in sound (ITU-T Q.24), by SpanDSP, which listens with Goertzel filters at 8 kHz."""

import ctypes
from typing import Final
from weakref import finalize

from .libraries import spandsp
from .tones import KEYS

#: Samples a second that it takes.
RATE: Final = 8000

_PERHAPS: Final = "x"


class KeyDetector:
    """Listens to the samples of one stream, in order, at 8 kHz."""

    def __init__(self) -> None:
        self._library = spandsp()
        self._state = self._library.dtmf_rx_init(None, None, None)
        finalize(self, self._library.dtmf_rx_free, self._state)
        self.is_suspicious = False
        """Whether the last samples end with what may become a key."""
        self._heard = ctypes.create_string_buffer(129)

    def __call__(self, samples: bytes) -> str | None:
        """Return the key that is being pressed at the end of `samples`."""
        self._library.dtmf_rx(self._state, samples, len(samples) // 2)
        key = chr(self._library.dtmf_rx_status(self._state))
        self.is_suspicious = key == _PERHAPS
        return key if key in KEYS else None

    def heard(self) -> str:
        """Return the keys that were pressed since this was asked last, up to 128."""
        count = self._library.dtmf_rx_get(self._state, self._heard, 128)
        return self._heard.raw[:count].decode("ascii")
