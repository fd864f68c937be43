"""What the kernel module needs to know of SRTP: which suites it has, and keys in its own words."""

from typing import Final

from ngcp.rtp.suites import SUITES, Keys

from .flows import Flow, Kind
from .layout import Cipher, Hmac, Srtp

_CIPHERS: Final = {
    "AES_CM_128_HMAC_SHA1_80": Cipher.AES_CM_128,
    "AES_CM_128_HMAC_SHA1_32": Cipher.AES_CM_128,
    "AES_192_CM_HMAC_SHA1_80": Cipher.AES_CM_192,
    "AES_192_CM_HMAC_SHA1_32": Cipher.AES_CM_192,
    "AES_256_CM_HMAC_SHA1_80": Cipher.AES_CM_256,
    "AES_256_CM_HMAC_SHA1_32": Cipher.AES_CM_256,
    "AEAD_AES_128_GCM": Cipher.AEAD_AES_GCM_128,
    "AEAD_AES_256_GCM": Cipher.AEAD_AES_GCM_256,
}


def is_protected(flow: Flow) -> bool:
    """Whether packets change on their way."""
    return flow.decrypt is not None or flow.encrypt is not None


def is_known(flow: Flow) -> bool:
    """Whether the module is able to protect such a flow as it says.

    It takes RTP only: what it makes of SRTCP under the short tags, or behind a key identifier under AEAD, is
    wrong, so that RTCP of a multiplexed port is left to our socket.
    """
    keys = [one for one in (flow.decrypt, flow.encrypt) if one is not None]
    has_suites = all(one.suite in _CIPHERS and not (SUITES[one.suite].is_aead and one.mki) for one in keys)
    return flow.kind in (Kind.RTP, Kind.MUXED) and has_suites


def srtp(keys: Keys | None) -> Srtp:
    """Translate keys; none are `NULL` twice."""
    if keys is None:
        return Srtp(Cipher.NULL, Hmac.NULL)
    suite = SUITES[keys.suite]
    key, salt = keys.key[: suite.key_length], keys.key[suite.key_length :]
    return Srtp(
        cipher=_CIPHERS[keys.suite],
        hmac=Hmac.NULL if suite.is_aead else Hmac.SHA1,
        master_key=tuple(key),
        master_key_len=len(key),
        master_salt=tuple(salt),
        master_salt_len=len(salt),
        session_key_len=len(key),
        session_salt_len=len(salt),
        mki=tuple(keys.mki),
        mki_len=len(keys.mki),
        rtp_auth_tag_len=0 if suite.is_aead else suite.tag_length,
        rtcp_auth_tag_len=0 if suite.is_aead else max(suite.tag_length, 10),
    )
