"""Bencode in C is that of its specification, which decides what is not plain."""

import random
import sys
from typing import Any

import ngcp_bencode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.mutation import mutate
from ng.test_bencode import PAIRS, VALUES
from ngcp.ng import bencode
from ngcp.ng.bencode import BencodeError, Value

REPLY: Value = {"result": "ok", "totals": {"RTP": {"packets": 20, "bytes": 3440}}, "tags": ["a", {"b": -1}]}


def specified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the module in C out."""
    monkeypatch.setattr(bencode, "_fast_decode", lambda data: None)
    monkeypatch.setattr(bencode, "_fast_encode", lambda value: None)


def outcome(data: bytes) -> object:
    try:
        return bencode.decode(data)
    except BencodeError as error:
        return str(error)


@given(VALUES)
def test_values_are_written_and_read_as_specified(value: Value) -> None:
    with pytest.MonkeyPatch.context() as patch:
        specified(patch)
        data = bencode.encode(value)

    assert ngcp_bencode.encode(value) in (data, None)
    assert ngcp_bencode.decode(data) in (value, None)


@pytest.mark.parametrize(("value", "data"), PAIRS)
def test_plain_values_are_its_own_business(value: Value, data: bytes) -> None:
    is_plain = data.isascii() and len(data) < 22

    assert ngcp_bencode.encode(value) == (data if data.isascii() and value != 2**64 - 1 else None)
    assert ngcp_bencode.decode(data) == (value if is_plain or not data.isascii() else None)


def test_broken_data_are_refused_as_specified() -> None:
    whole, chance = bencode.encode(REPLY), random.Random(1)
    broken = [mutate(whole, chance) for _ in range(3000)]

    found = [outcome(data) for data in broken]

    with pytest.MonkeyPatch.context() as patch:
        specified(patch)
        assert found == [outcome(data) for data in broken]


@given(st.integers())
def test_integers_of_any_size_are_not_wrong(number: int) -> None:
    assert ngcp_bencode.encode(number) in (b"i%de" % number, None)


@pytest.mark.parametrize("value", [None, 1.5, True, b"x", (1,), {1: 2}, {"a": None}, [object()], {"é": 1}])
def test_what_is_not_plain_is_left_to_the_specification(value: Any) -> None:  # noqa: ANN401 # nothing it knows
    assert ngcp_bencode.encode(value) is None


def test_depth_is_bounded() -> None:
    deep: Value = "x"
    for _ in range(sys.getrecursionlimit() * 10):
        deep = [deep]

    assert ngcp_bencode.encode(deep) is None
    assert ngcp_bencode.decode(b"l" * 60_000) is None
    while isinstance(deep, list):  # one by one: a deep value ends with deep recursion
        deep = deep.pop()


def test_nothing_but_bytes_is_read() -> None:
    with pytest.raises(TypeError):
        ngcp_bencode.decode("d")
