"""Tokens that nobody but us can write or read: text in, a word for a URI parameter out.

The first octets are a MAC of the text (keyed BLAKE2, RFC 7693); they also start the key stream that covers it
(a synthetic IV, as in RFC 5297), so equal texts make equal tokens, which can be remembered.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from ngcp.sip.errors import SipError
from ngcp.sip.syntax.memory import remembered

#: Octets of MAC in front: a token must stay short, and guessing is online.
SEAL: Final = 8


class ForgedToken(SipError):
    """A masked Contact or folded route that we did not write."""

    status = 404
    reason = "Not Found"


class Seal:
    """Closes and opens tokens of one purpose; what it did lately it remembers."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._mac_key = hmac.digest(secret, f"{purpose} mac".encode(), "sha256")
        self._stream_key = hmac.digest(secret, f"{purpose} stream".encode(), "sha256")
        self.close = remembered(self._close)
        """Return the token for a text."""
        self.open = remembered(self._open)
        """Return the text of a token, or raise `ForgedToken`."""

    def _close(self, text: str) -> str:
        payload = text.encode("utf-8", "surrogateescape")
        mac = self._mac(payload)
        return urlsafe_b64encode(mac + self._cover(payload, mac)).rstrip(b"=").decode()

    def _open(self, token: str) -> str:
        try:
            sealed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except ValueError as error:
            raise ForgedToken(f"no token: {token[:80]!r}") from error
        mac = sealed[:SEAL]
        payload = self._cover(sealed[SEAL:], mac)
        if not hmac.compare_digest(mac, self._mac(payload)):
            raise ForgedToken(f"forged token: {token[:80]!r}")
        return payload.decode("utf-8", "surrogateescape")

    def _mac(self, payload: bytes) -> bytes:
        return hashlib.blake2b(payload, digest_size=SEAL, key=self._mac_key).digest()

    def _cover(self, payload: bytes, mac: bytes) -> bytes:
        """Exclusive-or with the stream that `mac` starts; twice is once too often."""
        size = len(payload)
        stream = hashlib.shake_256(self._stream_key + mac).digest(size)
        return (int.from_bytes(payload) ^ int.from_bytes(stream)).to_bytes(size)
