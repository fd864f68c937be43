"""JSON of the ng protocol."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngcp.ng.bencode import Value
from ngcp.ng.jsontext import JsonError, decode, encode

TEXTS = st.binary(max_size=40).map(lambda data: data.decode("utf-8", "surrogateescape"))
NUMBERS = st.integers(-(10**19), 10**19)
VALUES: st.SearchStrategy[Value] = st.recursive(
    TEXTS | NUMBERS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


@settings(deadline=None)
@given(VALUES)
def test_what_is_written_is_read(value: Value) -> None:
    assert decode(encode(value)) == value


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = decode(b"{" + data)
    except JsonError:
        return
    assert encode(decode(encode(value))) == encode(value)


def test_keys_are_sorted_and_nothing_is_spaced() -> None:
    assert encode({"b": [1, "ü"], "a": {}}) == '{"a":{},"b":[1,"ü"]}'.encode()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "Expecting value"),
        (b"{} {}", "Extra data"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": 1.5}', "whole number"),
        (b'{"a": NaN}', "whole number"),
        (b'{"a": true}', "true is neither"),
        (b'{"a": [null]}', "null is neither"),
        (b'{"a": ' + b"1" * 5000 + b"}", "malformed number"),
        (b"[" * 17 + b"]" * 17, "nested"),
        (b"[" * 60_000, "nested"),
        (b'{"\\ud800": 1}', "half a character"),
        (b'["\\udc00"]', "half a character"),
        (b"[" + b" " * 70_000 + b"]", "too many"),
    ],
)
def test_what_bencode_could_not_say_is_refused(text: bytes, problem: str) -> None:
    with pytest.raises(JsonError, match=problem):
        decode(text)
