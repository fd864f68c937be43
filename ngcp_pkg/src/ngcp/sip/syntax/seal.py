"""Tokens that nobody but us can write or read: text in, a word for a URI parameter out.

The first octets are a MAC of the text (keyed BLAKE2, RFC 7693); they also start the key stream that covers it
(a synthetic IV, as in RFC 5297), so equal texts make equal tokens, which can be remembered.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from ..errors import SipError
from .memory import remembered

#: Octets of MAC in front: a token must stay short, and guessing is online.
SEAL: Final = 8


class ForgedToken(SipError):
    """A token that we did not write: in a masked Contact, a folded route, a GRUU."""

    status = 404
    reason = "Not Found"


@dataclass(frozen=True, slots=True)
class _Keys:
    """What one secret gives for one purpose."""

    mac: bytes
    stream: bytes

    @classmethod
    def of(cls, secret: bytes, purpose: str) -> Self:
        return cls(*(hmac.digest(secret, f"{purpose} {use}".encode(), "sha256") for use in ("mac", "stream")))

    def sign(self, payload: bytes) -> bytes:
        return hashlib.blake2b(payload, digest_size=SEAL, key=self.mac).digest()

    def cover(self, payload: bytes, mac: bytes) -> bytes:
        """Exclusive-or with the stream that `mac` starts; twice is once too often."""
        size = len(payload)
        stream = hashlib.shake_256(self.stream + mac).digest(size)
        return (int.from_bytes(payload) ^ int.from_bytes(stream)).to_bytes(size)


class Seal:
    """Closes and opens tokens of one purpose; what it did lately it remembers."""

    def __init__(self, secret: bytes, purpose: str, earlier: Sequence[bytes] = ()) -> None:
        """`earlier` secrets open what they closed, and close nothing any more."""
        self._keys = _Keys.of(secret, purpose)
        self._all_keys = (self._keys, *(_Keys.of(one, purpose) for one in earlier))
        self.close = remembered(self._close)
        """Return the token for a text."""
        self.open = remembered(self._open)
        """Return the text of a token, or raise `ForgedToken`."""

    def _close(self, text: str) -> str:
        payload = text.encode("utf-8", "surrogateescape")
        mac = self._keys.sign(payload)
        return urlsafe_b64encode(mac + self._keys.cover(payload, mac)).rstrip(b"=").decode()

    def _open(self, token: str) -> str:
        try:
            sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except ValueError as error:
            raise ForgedToken(f"no token: {token[:80]!r}") from error
        mac = sealed[:SEAL]
        for keys in self._all_keys:
            payload = keys.cover(sealed[SEAL:], mac)
            if hmac.compare_digest(mac, keys.sign(payload)):
                return payload.decode("utf-8", "surrogateescape")
        raise ForgedToken(f"forged token: {token[:80]!r}")
