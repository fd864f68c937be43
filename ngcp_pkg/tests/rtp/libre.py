"""SRTP of another implementation: libre, the library that baresip is built on."""

import ctypes
import ctypes.util
from typing import Final

from ngcp.rtp.suites import Keys

#: `enum srtp_suite`; libre has no AES-192.
SUITES: Final = {
    "AES_CM_128_HMAC_SHA1_32": 0,
    "AES_CM_128_HMAC_SHA1_80": 1,
    "AES_256_CM_HMAC_SHA1_32": 2,
    "AES_256_CM_HMAC_SHA1_80": 3,
    "AEAD_AES_128_GCM": 4,
    "AEAD_AES_256_GCM": 5,
}
#: Room for what a packet grows by.
_SPARE: Final = 64


class _Buffer(ctypes.Structure):
    """`struct mbuf`."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("pos", ctypes.c_size_t),
        ("end", ctypes.c_size_t),
    )


def _load() -> ctypes.CDLL:
    name = ctypes.util.find_library("re")
    assert name, "libre is not installed"
    library = ctypes.CDLL(name)
    library.mbuf_alloc.restype = ctypes.POINTER(_Buffer)
    library.mem_deref.argtypes = [ctypes.c_void_p]
    return library


_LIBRE: Final = _load()


class LibreSrtp:
    """One direction of a stream."""

    def __init__(self, keys: Keys) -> None:
        self._context = ctypes.c_void_p()
        code = _LIBRE.srtp_alloc(
            ctypes.byref(self._context), SUITES[keys.suite], keys.key, ctypes.c_size_t(len(keys.key)), 0
        )
        assert code == 0

    def __del__(self) -> None:
        _LIBRE.mem_deref(self._context)

    def encrypt(self, packet: bytes) -> bytes:
        return self._call("encrypt", packet)

    def decrypt(self, packet: bytes) -> bytes:
        return self._call("decrypt", packet)

    def _call(self, verb: str, packet: bytes) -> bytes:
        kind = "srtcp" if 192 <= packet[1] < 224 else "srtp"
        buffer = _LIBRE.mbuf_alloc(ctypes.c_size_t(len(packet) + _SPARE))
        try:
            ctypes.memmove(buffer.contents.buf, packet, len(packet))
            buffer.contents.end = len(packet)
            code = getattr(_LIBRE, f"{kind}_{verb}")(self._context, buffer)
            if code:
                raise ValueError(f"libre: error {code}")
            return ctypes.string_at(buffer.contents.buf, buffer.contents.end)
        finally:
            _LIBRE.mem_deref(buffer)
