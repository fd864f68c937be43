"""Certificates in session descriptions: the attribute `fingerprint` (RFC 8122 §5)."""

import re
from typing import Final, NamedTuple, Self

from .errors import SdpError

#: Bytes of a digest, by the name of its hash function.
HASHES: Final = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}

_FINGERPRINT: Final = re.compile(
    r"(?P<hash>[A-Za-z0-9-]{1,16}+) ++(?P<digest>[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){0,63}+) *+"
)


class Fingerprint(NamedTuple):
    """What a certificate digests to."""

    function: str
    """One of `HASHES`."""
    digest: bytes

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the value of the attribute, or raise `SdpError`."""
        match = _FINGERPRINT.fullmatch(value)
        if match is None:
            raise SdpError(f"malformed a=fingerprint {value[:100]!r}")
        function, digest = match["hash"].lower(), bytes.fromhex(match["digest"].replace(":", ""))
        if HASHES.get(function) != len(digest):
            raise SdpError(f"a=fingerprint {value[:100]!r} is none of a hash that we know")
        return cls(function, digest)

    def __str__(self) -> str:
        return f"{self.function} {self.digest.hex(':').upper()}"
