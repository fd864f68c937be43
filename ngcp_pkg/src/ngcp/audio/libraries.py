"""Where the codec libraries are loaded, once each, and what of them is used."""

import ctypes
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from .errors import CodecUnavailable

_POINTER: Final = ctypes.c_void_p
_INT: Final = ctypes.c_int

_Functions = Mapping[str, tuple[Any, Sequence[Any]]]

_OPUS: Final[_Functions] = {
    "opus_encoder_get_size": (_INT, [_INT]),
    "opus_encoder_init": (_INT, [_POINTER, ctypes.c_int32, _INT, _INT]),
    "opus_encode": (ctypes.c_int32, [_POINTER, ctypes.c_char_p, _INT, _POINTER, ctypes.c_int32]),
    "opus_decoder_get_size": (_INT, [_INT]),
    "opus_decoder_init": (_INT, [_POINTER, ctypes.c_int32, _INT]),
    "opus_decode": (_INT, [_POINTER, ctypes.c_char_p, ctypes.c_int32, _POINTER, _INT, _INT]),
}
_SPANDSP: Final[_Functions] = {
    "g722_encode_init": (_POINTER, [_POINTER, _INT, _INT]),
    "g722_encode": (_INT, [_POINTER, _POINTER, ctypes.c_char_p, _INT]),
    "g722_encode_free": (_INT, [_POINTER]),
    "g722_decode_init": (_POINTER, [_POINTER, _INT, _INT]),
    "g722_decode": (_INT, [_POINTER, _POINTER, ctypes.c_char_p, _INT]),
    "g722_decode_free": (_INT, [_POINTER]),
    "dtmf_rx_init": (_POINTER, [_POINTER, _POINTER, _POINTER]),
    "dtmf_rx": (_INT, [_POINTER, ctypes.c_char_p, _INT]),
    "dtmf_rx_status": (_INT, [_POINTER]),
    "dtmf_rx_get": (ctypes.c_size_t, [_POINTER, _POINTER, _INT]),
    "dtmf_rx_free": (_INT, [_POINTER]),
}


@cache
def opus() -> ctypes.CDLL:
    """Return libopus, or raise `CodecUnavailable`."""
    return _load("libopus.so.0", _OPUS)


@cache
def spandsp() -> ctypes.CDLL:
    """Return SpanDSP, or raise `CodecUnavailable`."""
    return _load("libspandsp.so.2", _SPANDSP)


def _load(name: str, functions: _Functions) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        raise CodecUnavailable(f"{name} is not installed") from error
    for function, (result, arguments) in functions.items():
        entry = getattr(library, function)
        entry.restype, entry.argtypes = result, arguments
    return library
