"""SRTP of another implementation: libsrtp, which browsers use."""

from typing import Final

import pylibsrtp

from ngcp.rtp.suites import Keys

#: libsrtp has AES-256 and AES-192 in counter mode too, but derives the keys of the latter by AES-256.
PROFILES: Final = {
    "AES_CM_128_HMAC_SHA1_80": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    "AEAD_AES_128_GCM": pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    "AEAD_AES_256_GCM": pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}


class LibSrtp:
    """One direction of a stream."""

    def __init__(self, keys: Keys) -> None:
        inbound, outbound = (
            pylibsrtp.Session(pylibsrtp.Policy(keys.key, direction, srtp_profile=PROFILES[keys.suite]))
            for direction in (pylibsrtp.Policy.SSRC_ANY_INBOUND, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        )
        self._inbound, self._outbound = inbound, outbound

    def encrypt(self, packet: bytes) -> bytes:
        is_control = 192 <= packet[1] < 224
        return (self._outbound.protect_rtcp if is_control else self._outbound.protect)(packet)

    def decrypt(self, packet: bytes) -> bytes:
        is_control = 192 <= packet[1] < 224
        return (self._inbound.unprotect_rtcp if is_control else self._inbound.unprotect)(packet)
