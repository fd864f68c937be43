"""Bencode: integers, strings, lists and dictionaries to bytes and back.

Strings are text as everywhere in this project: UTF-8, with surrogates for foreign bytes, so every byte
string survives a round trip. The decoder is strict (one encoding per value) and bounded in size, depth
and time; the only liberty is the order of dictionary keys, which clients of the ng protocol do not sort.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING, Final

#: What a UDP datagram can carry.
MAX_SIZE: Final = 65_535
#: The deepest reply of the protocol (`query`: tags, tag, medias, media, streams, stream, stats) nests 8.
MAX_DEPTH: Final = 16
#: Digits of an integer: more than any counter of 64 bits has.
MAX_DIGITS: Final = 20
_ZERO: Final = ord("0")

Value = int | str | list["Value"] | dict[str, "Value"]


class BencodeError(ValueError):
    """The bytes are not one bencoded value."""


if TYPE_CHECKING:

    def _fast_encode(value: Value) -> bytes | None: ...

    def _fast_decode(data: bytes) -> Value | None: ...

else:
    try:  # the plainest values in C, where it is installed; None for all others
        from ngcp_bencode import decode as _fast_decode
        from ngcp_bencode import encode as _fast_encode
    except ImportError:

        def _fast_encode(value: Value) -> None:
            return None

        _fast_decode = _fast_encode


def encode(value: Value) -> bytes:
    """Write `value`, the keys of dictionaries sorted."""
    plain = _fast_encode(value)
    if plain is not None:
        return plain
    parts: list[bytes] = []
    _write(value, parts)
    return b"".join(parts)


def decode(data: bytes) -> Value:
    """Read the one value that `data` holds, or raise `BencodeError`."""
    plain = _fast_decode(data)
    if plain is not None:
        return plain
    if len(data) > MAX_SIZE:
        raise BencodeError(f"{len(data)} bytes are too many")
    value, end = _read(data, 0, MAX_DEPTH)
    if end != len(data):
        raise BencodeError(f"{len(data) - end} bytes behind the value")
    return value


def decode_at(data: bytes, at: int) -> Value:
    """Read the value that begins at `at`, whatever is behind it, or raise `BencodeError`."""
    return _read(data, at, MAX_DEPTH)[0]


def _write(value: Value, parts: list[bytes]) -> None:
    if isinstance(value, str):
        parts.append(_string(value))
    elif isinstance(value, int):
        parts.append(b"i%de" % value)
    elif isinstance(value, list):
        parts.append(b"l")
        for item in value:
            _write(item, parts)
        parts.append(b"e")
    else:
        parts.append(b"d")
        for key in _sorted(value):
            item = value[key]
            parts.append(_known_string(key))
            if type(item) is int:  # most are, in a report: this is half of its time
                parts.append(b"i%de" % item)
            else:
                _write(item, parts)
        parts.append(b"e")


def _string(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return b"%d:%b" % (len(data), data)


#: For keys: a few dozen names, again and again.
_known_string: Final = lru_cache(1024)(_string)


def _sorted(keys: Collection[str]) -> list[str]:
    """Sort by bytes, as which surrogates come earlier than as text."""
    if "".join(keys).isascii():
        return sorted(keys)
    return sorted(keys, key=lambda key: key.encode("utf-8", "surrogateescape"))


def _read(data: bytes, at: int, depth: int) -> tuple[Value, int]:
    """Return the value that begins at `at`, and where it ends."""
    if depth == 0:
        raise BencodeError(f"nested deeper than {MAX_DEPTH}")
    mark = data[at : at + 1]
    if mark == b"d":
        return _read_dictionary(data, at + 1, depth - 1)
    if mark == b"l":
        return _read_list(data, at + 1, depth - 1)
    if mark == b"i":
        return _read_integer(data, at + 1)
    return _read_string(data, at)


def _read_integer(data: bytes, at: int) -> tuple[int, int]:
    end = _find(data, b"e", at)
    if data[at : at + 1] != b"-":
        return _number(data[at:end]), end + 1
    number = _number(data[at + 1 : end])
    if number == 0:
        raise BencodeError("negative zero")
    return -number, end + 1


def _read_string(data: bytes, at: int) -> tuple[str, int]:
    colon = data.find(b":", at, at + MAX_DIGITS + 2)
    digits = data[at:colon]
    if (
        colon < 0
        or not digits.isdigit()
        or len(digits) > MAX_DIGITS
        or (digits[0] == _ZERO and digits != b"0")
    ):
        raise BencodeError(f"no value at byte {at}")
    end = colon + 1 + int(digits)
    if end > len(data):
        raise BencodeError("a string reaches behind the end")
    return data[colon + 1 : end].decode("utf-8", "surrogateescape"), end


def _read_list(data: bytes, at: int, depth: int) -> tuple[list[Value], int]:
    items: list[Value] = []
    while data[at : at + 1] != b"e":
        item, at = _read(data, at, depth)
        items.append(item)
    return items, at + 1


def _read_dictionary(data: bytes, at: int, depth: int) -> tuple[dict[str, Value], int]:
    items: dict[str, Value] = {}
    while data[at : at + 1] != b"e":
        key, at = _read_string(data, at)
        if key in items:
            raise BencodeError("a key appears twice")
        items[key], at = _read(data, at, depth)
    return items, at + 1


def _find(data: bytes, mark: bytes, at: int) -> int:
    """Return where the digits that begin at `at` end."""
    end = data.find(mark, at, at + MAX_DIGITS + 2)
    if end < 0:
        raise BencodeError(f"no value at byte {at}")
    return end


def _number(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > MAX_DIGITS or (digits.startswith(b"0") and digits != b"0"):
        raise BencodeError("malformed number")
    return int(digits)
