"""Bencode both ways."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.ng.bencode import MAX_DEPTH, MAX_SIZE, BencodeError, Value, decode, encode

#: Text as the decoder makes it: any bytes, the foreign ones as surrogates.
TEXTS = st.binary(max_size=50).map(lambda data: data.decode("utf-8", "surrogateescape"))
INTEGERS = st.integers(-(2**63), 2**64 - 1)
VALUES: st.SearchStrategy[Value] = st.recursive(
    TEXTS | INTEGERS,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(TEXTS, children, max_size=4),
    max_leaves=20,
)

PAIRS: list[tuple[Value, bytes]] = [
    (0, b"i0e"),
    (-1, b"i-1e"),
    (2**64 - 1, b"i18446744073709551615e"),
    ("", b"0:"),
    ("ping", b"4:ping"),
    ("é", b"2:\xc3\xa9"),
    ("\udcff", b"1:\xff"),
    ([], b"le"),
    (["a", 1], b"l1:ai1ee"),
    ({}, b"de"),
    ({"b": 1, "a": ["x"]}, b"d1:al1:xe1:bi1ee"),
]


@pytest.mark.parametrize(("value", "data"), PAIRS)
def test_value_and_bytes(value: Value, data: bytes) -> None:
    assert encode(value) == data
    assert decode(data) == value


def test_unsorted_dictionary_is_read() -> None:
    """The clients of the ng protocol write keys in the order of their own interest."""
    assert decode(b"d7:command4:ping3:abci1ee") == {"command": "ping", "abc": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"e",
        b"i",
        b"ie",
        b"i-e",
        b"i-0e",
        b"i01e",
        b"i+1e",
        b"i1_0e",
        b"i1",
        b"i" + b"9" * 21 + b"e",
        b"4:abc",
        b"04:abcd",
        b"-1:a",
        b"4abcd",
        b"99999999999999999999:a",
        b"l",
        b"l4:ping",
        b"d",
        b"d1:ae",
        b"di1e1:ae",
        b"d1:ai1e1:ai2ee",
        b"i1ei2e",
        b"4:ping ",
        b"l" * MAX_DEPTH + b"le" + b"e" * MAX_DEPTH,
        b"l" * (MAX_SIZE + 1),
    ],
)
def test_malformed_is_refused(data: bytes) -> None:
    with pytest.raises(BencodeError):
        decode(data)


def test_deepest_value_is_read() -> None:
    data = b"l" * MAX_DEPTH + b"e" * MAX_DEPTH
    assert encode(decode(data)) == data


@given(VALUES)
def test_round_trip(value: Value) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_an_error(data: bytes) -> None:
    try:
        value = decode(data)
    except BencodeError:
        return
    assert len(encode(value)) == len(data)


def test_largest_datagrams_take_milliseconds() -> None:
    """Time is linear in size, whatever the bytes: nobody keeps the relay busy with one datagram."""
    hostile = [b"l" * MAX_SIZE, b"l" + b"0:" * 32_766 + b"e", b"9" * MAX_SIZE, b"d" + b"1:a" * 21_000]
    started = time.process_time()
    for data in hostile:
        try:
            decode(data)
        except BencodeError:
            continue
    assert time.process_time() - started < 1.0
