"""Keys in session descriptions: the attribute `crypto` (RFC 4568)."""

import binascii
import re
from typing import Final, NamedTuple, Self

from .errors import SdpError

#: Longest base64 text of a key: that of 64 bytes.
_KEY: Final = r"[A-Za-z0-9+/]{1,88}+={0,2}+"
_LIFETIME: Final = r"(?:2\^)?+[0-9]{1,20}+"
_CRYPTO: Final = re.compile(
    rf"(?P<tag>[0-9]{{1,9}}+) ++(?P<suite>[A-Za-z0-9_]{{1,64}}+) ++inline:(?P<key>{_KEY})(?:\|{_LIFETIME})?"
    r"(?:\|(?P<mki>[0-9]{1,310}+):(?P<length>[0-9]{1,3}+))?+(?P<more>;\S++)?(?P<parameters>(?: ++\S++)*+) *+"
)
#: Longest master key identifier (§6.1).
MAX_MKI: Final = 128


class Crypto(NamedTuple):
    """A suite with its key, as an offer or an answer names it (§4)."""

    tag: int
    """What an answer refers to."""
    suite: str
    """Cipher and authentication, such as `AES_CM_128_HMAC_SHA1_80` (§6.2)."""
    key: bytes
    """Master key and master salt behind it."""
    mki: bytes = b""
    """The master key identifier that packets carry; empty without."""
    parameters: tuple[str, ...] = ()
    """Session parameters (§6.3), as they stand."""
    has_more_keys: bool = False
    """Whether further keys follow, to which the sender may change (§6.1)."""

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the value of the attribute, or raise `SdpError`, which does not show the key."""
        match = _CRYPTO.fullmatch(value)
        if match is None:
            raise SdpError("malformed a=crypto")
        return cls(
            int(match["tag"]),
            match["suite"],
            _decode(match["key"]),
            _identifier(match["mki"], match["length"]),
            tuple(match["parameters"].split()),
            match["more"] is not None,
        )

    def write(self, *, is_padded: bool = True, lifetime: str = "") -> str:
        """Return the value of the attribute, with or without the `=` that ends base64."""
        key = binascii.b2a_base64(self.key, newline=False).decode()
        parts = [f"inline:{key if is_padded else key.rstrip('=')}"]
        parts += [lifetime] if lifetime else []
        parts += [f"{int.from_bytes(self.mki, 'big')}:{len(self.mki)}"] if self.mki else []
        return " ".join([str(self.tag), self.suite, "|".join(parts), *self.parameters])

    def __repr__(self) -> str:
        """Keep the key out of logs."""
        return f"Crypto({self.tag} {self.suite})"


def _decode(text: str) -> bytes:
    bare = text.rstrip("=")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        raise SdpError("a=crypto holds a key that is no base64") from None


def _identifier(value: str | None, length: str | None) -> bytes:
    if value is None or length is None:
        return b""
    try:
        if 0 < int(length) <= MAX_MKI:
            return int(value).to_bytes(int(length), "big")
    except OverflowError:
        pass
    raise SdpError(f"a=crypto holds a key identifier that is not {length} bytes long")
