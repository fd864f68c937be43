"""The cryptography of SRTP: session keys, AES in counter mode with HMAC-SHA1, AES-GCM.

Each transform serves the RTP or the RTCP of one direction (RFC 3711 §4, RFC 6188, RFC 7714); it takes what
is to be read as it is (`clear`), what is to be encrypted, and where in the keystream the packet stands.
"""

import hashlib
import hmac
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .suites import SUITES, Keys

#: SHA-1 takes blocks of so many bytes, and the key of an HMAC is a first block (RFC 2104 §2).
_BLOCK: Final = 64
_AUTH_KEY: Final = 20


class Labels(NamedTuple):
    """Which session keys are meant (RFC 3711 §4.3.2)."""

    cipher: int
    auth: int
    salt: int


RTP: Final = Labels(0, 1, 2)
RTCP: Final = Labels(3, 4, 5)


class Forged(Exception):
    """A packet that nobody made who has the key."""


class Transform(Protocol):
    """Protects packets, and opens them."""

    def seal(self, clear: bytes, secret: bytes, source: int, index: int, mark: bytes) -> bytes:
        """Return `secret` encrypted, and the tag if the cipher makes it; `mark` is authenticated too."""

    def open(self, clear: bytes, sealed: bytes, source: int, index: int, mark: bytes) -> bytes:
        """Return what `seal` was given, or raise `Forged`."""


class CounterMode:
    """AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1); the tag ends what `seal` returns."""

    def __init__(self, keys: Keys, labels: Labels, tag_length: int) -> None:
        """Authenticate by `tag_length` bytes."""
        suite = SUITES[keys.suite]
        start = derive(keys, labels.salt, 14) + bytes(2)
        self._salt = int.from_bytes(start, "big")
        cipher = algorithms.AES(derive(keys, labels.cipher, suite.key_length))
        self._cipher = Cipher(cipher, modes.CTR(start)).encryptor()
        key = derive(keys, labels.auth, _AUTH_KEY).ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha1(bytes(byte ^ 0x36 for byte in key))
        self._outer = hashlib.sha1(bytes(byte ^ 0x5C for byte in key))
        self._tag_length = tag_length

    def seal(self, clear: bytes, secret: bytes, source: int, index: int, mark: bytes) -> bytes:
        """Encrypt, then authenticate."""
        sealed = self._crypt(secret, source, index)
        return sealed + self._sign(clear + sealed + mark)

    def open(self, clear: bytes, sealed: bytes, source: int, index: int, mark: bytes) -> bytes:
        """Authenticate, then decrypt."""
        place = len(sealed) - self._tag_length
        if place < 0 or not hmac.compare_digest(sealed[place:], self._sign(clear + sealed[:place] + mark)):
            raise Forged
        return self._crypt(sealed[:place], source, index)

    def _crypt(self, data: bytes, source: int, index: int) -> bytes:
        start = self._salt ^ (source << 64) ^ (index << 16)
        self._cipher.reset_nonce(start.to_bytes(16, "big"))
        return self._cipher.update(data)

    def _sign(self, data: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()[: self._tag_length]


class GaloisMode:
    """AES-GCM, which authenticates by itself (RFC 7714 §8, §9)."""

    def __init__(self, keys: Keys, labels: Labels) -> None:
        self._salt = int.from_bytes(derive(keys, labels.salt, 12), "big")
        self._cipher = AESGCM(derive(keys, labels.cipher, SUITES[keys.suite].key_length))

    def seal(self, clear: bytes, secret: bytes, source: int, index: int, mark: bytes) -> bytes:
        """Encrypt; the tag follows."""
        return self._cipher.encrypt(self._nonce(source, index), secret, clear + mark)

    def open(self, clear: bytes, sealed: bytes, source: int, index: int, mark: bytes) -> bytes:
        """Authenticate and decrypt."""
        try:
            return self._cipher.decrypt(self._nonce(source, index), sealed, clear + mark)
        except InvalidTag:
            raise Forged from None

    def _nonce(self, source: int, index: int) -> bytes:
        return (self._salt ^ (source << 48) ^ index).to_bytes(12, "big")


def derive(keys: Keys, label: int, length: int) -> bytes:
    """Return a session key (RFC 3711 §4.3.3), for each length of key by the same one's AES (RFC 6188 §3)."""
    suite = SUITES[keys.suite]
    master, salt = keys.key[: suite.key_length], keys.key[suite.key_length :]
    start = bytearray(salt.ljust(16, b"\0"))
    start[7] ^= label
    return Cipher(algorithms.AES(master), modes.CTR(bytes(start))).encryptor().update(bytes(length))
