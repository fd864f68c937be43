"""The attribute `crypto` (RFC 4568)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sdp import SdpError
from ngcp.sdp.crypto import Crypto

KEY = bytes(range(30))
TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"


@pytest.mark.parametrize(
    ("value", "crypto"),
    [
        (f"1 AES_CM_128_HMAC_SHA1_80 inline:{TEXT}", Crypto(1, "AES_CM_128_HMAC_SHA1_80", KEY)),
        (
            f"12 AES_CM_128_HMAC_SHA1_32 inline:{TEXT}|2^20|1:4",
            Crypto(12, "AES_CM_128_HMAC_SHA1_32", KEY, b"\0\0\0\1"),
        ),
        (f"1 X inline:{TEXT}|1048576", Crypto(1, "X", KEY)),
        (f"1 X inline:{TEXT}|66051:3", Crypto(1, "X", KEY, b"\1\2\3")),
        (
            f"1 X inline:{TEXT}|2^20|1:4;inline:{TEXT}|2^20|2:4 FEC_ORDER=FEC_SRTP UNENCRYPTED_SRTCP",
            Crypto(1, "X", KEY, b"\0\0\0\1", ("FEC_ORDER=FEC_SRTP", "UNENCRYPTED_SRTCP"), True),
        ),
        ("1 X inline:AAE", Crypto(1, "X", b"\0\1")),
        ("1 X inline:AAE=", Crypto(1, "X", b"\0\1")),
        (f"1  X   inline:{TEXT} ", Crypto(1, "X", KEY)),
    ],
)
def test_values_are_read(value: str, crypto: Crypto) -> None:
    assert Crypto.parse(value) == crypto


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        "1 X",
        f"X inline:{TEXT}",
        f"1 X {TEXT}",
        f"1 X uri:{TEXT}",
        "1 X inline:",
        "1 X inline:A",
        "1 X inline:&&&&",
        f"1 X inline:{TEXT * 3}",
        f"1 X inline:{TEXT}|1:0",
        f"1 X inline:{TEXT}|1:129",
        f"1 X inline:{TEXT}|256:1",
        f"1 X inline:{TEXT}|" + "9" * 311 + ":128",
        f"{10**9} X inline:{TEXT}",
    ],
)
def test_broken_values_are_refused_without_showing_the_key(value: str) -> None:
    with pytest.raises(SdpError) as caught:
        Crypto.parse(value)
    assert TEXT[:8] not in str(caught.value)


def test_keys_are_not_shown() -> None:
    crypto = Crypto.parse(f"1 AES_CM_128_HMAC_SHA1_80 inline:{TEXT}")

    assert f"{crypto} {crypto!r} {[crypto]}".count("Crypto(1 AES_CM_128_HMAC_SHA1_80)") == 3


def test_padding_and_lifetime_as_wished() -> None:
    crypto = Crypto(1, "X", b"\0\1")

    assert crypto.write() == "1 X inline:AAE="
    assert crypto.write(is_padded=False, lifetime="2^31") == "1 X inline:AAE|2^31"


@given(
    st.integers(0, 10**9 - 1),
    st.binary(min_size=1, max_size=64),
    st.binary(max_size=128),
    st.lists(st.sampled_from(["UNENCRYPTED_SRTCP", "WSH=64"]), max_size=2),
    st.booleans(),
)
def test_what_is_written_is_read(tag: int, key: bytes, mki: bytes, more: list[str], is_padded: bool) -> None:
    crypto = Crypto(tag, "AES_256_CM_HMAC_SHA1_80", key, mki, tuple(more))

    assert Crypto.parse(crypto.write(is_padded=is_padded)) == crypto


@given(st.text(max_size=200))
def test_any_text_is_a_crypto_or_an_error(text: str) -> None:
    for value in (text, f"1 X inline:{text}", f"1 X inline:{TEXT}|{text}"):
        try:
            Crypto.parse(value)
        except SdpError:
            continue
