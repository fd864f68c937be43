"""Tokens: what goes in comes out, what was touched does not, and nobody else reads them."""

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sip.syntax.seal import ForgedToken, Seal

SECRET = bytes(range(32))
SEAL = Seal(SECRET, "test")
TEXTS = st.text(st.characters(exclude_categories=()), max_size=300)


@given(TEXTS)
def test_what_is_closed_opens(text: str) -> None:
    """Surrogates stand for foreign bytes; others than those cannot come out of a message."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return
    token = SEAL.close(text)

    assert SEAL.open(token).encode("utf-8", "surrogateescape") == text.encode("utf-8", "surrogateescape")
    assert token == Seal(SECRET, "test").close(text), "another process makes the same"


@given(st.integers(0, 30), st.integers(1, 255))
def test_a_token_that_was_touched_is_forged(place: int, flip: int) -> None:
    sealed = bytearray(urlsafe_b64decode(SEAL.close("sip:alice@10.0.0.5 one") + "=="))
    sealed[place % len(sealed)] ^= flip
    text = urlsafe_b64encode(bytes(sealed)).decode().rstrip("=")

    with pytest.raises(ForgedToken):
        SEAL.open(text)


@given(st.text(max_size=40))
def test_nothing_else_than_an_error_comes_of_nonsense(text: str) -> None:
    with pytest.raises(ForgedToken):
        SEAL.open(text)


@pytest.mark.parametrize("other", [Seal(SECRET, "other"), Seal(bytes(32), "test")])
def test_tokens_of_another_purpose_or_secret_are_foreign(other: Seal) -> None:
    with pytest.raises(ForgedToken):
        SEAL.open(other.close("text"))


def test_a_token_shows_neither_text_nor_what_two_have_in_common() -> None:
    texts = ("sip:127.0.0.1:5062;a", "sip:127.0.0.1:5062;b")
    one, two = (urlsafe_b64decode(SEAL.close(text) + "==") for text in texts)

    assert b"127.0.0.1" not in one
    assert sum(a == b for a, b in zip(one, two, strict=True)) < 6
