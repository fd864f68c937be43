"""What protects a stream: the suites of SRTP by their names in session descriptions, and their keys."""

from typing import Final, NamedTuple


class Suite(NamedTuple):
    """A cipher and an authentication (RFC 4568 §6.2, RFC 6188, RFC 7714); lengths in bytes."""

    key_length: int
    """The master key."""
    salt_length: int
    """The master salt behind it."""
    tag_length: int
    """The authentication tag of SRTP; that of SRTCP is never shorter than 10 (RFC 4568 §6.2.2)."""
    is_aead: bool = False
    """Whether the cipher itself authenticates."""

    @property
    def master_length(self) -> int:
        """Master key and salt."""
        return self.key_length + self.salt_length


#: The most preferred first.
SUITES: Final = {
    "AEAD_AES_256_GCM": Suite(32, 12, 16, True),
    "AEAD_AES_128_GCM": Suite(16, 12, 16, True),
    "AES_256_CM_HMAC_SHA1_80": Suite(32, 14, 10),
    "AES_256_CM_HMAC_SHA1_32": Suite(32, 14, 4),
    "AES_192_CM_HMAC_SHA1_80": Suite(24, 14, 10),
    "AES_192_CM_HMAC_SHA1_32": Suite(24, 14, 4),
    "AES_CM_128_HMAC_SHA1_80": Suite(16, 14, 10),
    "AES_CM_128_HMAC_SHA1_32": Suite(16, 14, 4),
}
#: Longest master key identifier (RFC 4568 §6.1).
MAX_MKI: Final = 128


class Keys(NamedTuple):
    """What protects one direction of a stream (RFC 3711)."""

    suite: str
    """One of `SUITES`."""
    key: bytes
    """Master key and master salt behind it."""
    mki: bytes = b""
    """The master key identifier that packets carry; empty without."""

    def __repr__(self) -> str:
        """Keep the key out of logs."""
        return f"Keys({self.suite})"
