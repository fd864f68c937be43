"""Opus (RFC 6716) by libopus, mono; at 8, 12, 16, 24 or 48 kHz, whatever the packets hold."""

import ctypes
from typing import Final

from .errors import BadPayload
from .libraries import opus

_VOIP: Final = 2048
_SET_BITRATE: Final = 4002
_SET_COMPLEXITY: Final = 4010
#: Bytes of a packet at most (RFC 6716 §3.4: 1275 a frame); what speech needs stays far below.
_MAX_PACKET: Final = 1500
#: Seconds that a packet holds at most (§3.2.5: 120 ms).
_MAX_DURATION: Final = 0.12


class OpusEncoder:
    """Samples of 2.5, 5, 10, 20, 40 or 60 ms to one packet."""

    def __init__(self, rate: int, bitrate: int | None = None, complexity: int = 5) -> None:
        """Encode `rate` samples a second into `bitrate` bits a second (None: as libopus chooses)."""
        self._state = ctypes.create_string_buffer(opus().opus_encoder_get_size(1))
        _check(opus().opus_encoder_init(self._state, rate, 1, _VOIP))
        self._packet = ctypes.create_string_buffer(_MAX_PACKET)
        self._set(_SET_COMPLEXITY, complexity)
        if bitrate:
            self._set(_SET_BITRATE, bitrate)

    def __call__(self, samples: bytes) -> bytes:
        """Return the packet."""
        size = _check(opus().opus_encode(self._state, samples, len(samples) // 2, self._packet, _MAX_PACKET))
        return self._packet.raw[:size]

    def _set(self, request: int, value: int) -> None:
        _check(opus().opus_encoder_ctl(self._state, ctypes.c_int(request), ctypes.c_int32(value)))


class OpusDecoder:
    """Packets of one stream, in order, to samples."""

    def __init__(self, rate: int) -> None:
        self._state = ctypes.create_string_buffer(opus().opus_decoder_get_size(1))
        _check(opus().opus_decoder_init(self._state, rate, 1))
        self._room = int(rate * _MAX_DURATION)
        self._samples = ctypes.create_string_buffer(2 * self._room)

    def __call__(self, payload: bytes) -> bytes:
        """Return the samples of a packet, or raise `BadPayload`."""
        if not payload:
            raise BadPayload("an empty packet of Opus")
        count = _check(opus().opus_decode(self._state, payload, len(payload), self._samples, self._room, 0))
        return ctypes.string_at(self._samples, 2 * count)


def _check(result: int) -> int:
    if result < 0:
        raise BadPayload(f"libopus: error {result}")
    return result
