"""Bencode: integers, strings, lists and dictionaries to bytes and back.

Strings are text as everywhere in this project: UTF-8, with surrogates for foreign bytes, so every byte
string survives a round trip. The decoder is strict (one encoding per value) and bounded in size, depth
and time; the only liberty is the order of dictionary keys, which clients of the ng protocol do not sort.
"""

from typing import Final

#: What a UDP datagram can carry.
MAX_SIZE: Final = 65_535
#: The deepest reply of the protocol (`query`: tags, tag, medias, media, streams, stream, stats) nests 8.
MAX_DEPTH: Final = 16
#: Digits of an integer: more than any counter of 64 bits has.
MAX_DIGITS: Final = 20

Value = int | str | list["Value"] | dict[str, "Value"]


class BencodeError(ValueError):
    """The bytes are not one bencoded value."""


def encode(value: Value) -> bytes:
    """Write `value`, the keys of dictionaries sorted."""
    parts: list[bytes] = []
    _write(value, parts)
    return b"".join(parts)


def decode(data: bytes) -> Value:
    """Read the one value that `data` holds, or raise `BencodeError`."""
    if len(data) > MAX_SIZE:
        raise BencodeError(f"{len(data)} bytes are too many")
    reader = _Reader(data)
    value = reader.value(MAX_DEPTH)
    if reader.at != len(data):
        raise BencodeError(f"{len(data) - reader.at} bytes behind the value")
    return value


def _write(value: Value, parts: list[bytes]) -> None:
    match value:
        case str():
            text = value.encode("utf-8", "surrogateescape")
            parts.append(b"%d:%b" % (len(text), text))
        case int():
            parts.append(b"i%de" % value)
        case list():
            parts.append(b"l")
            for item in value:
                _write(item, parts)
            parts.append(b"e")
        case dict():
            parts.append(b"d")
            for key in sorted(value, key=lambda key: key.encode("utf-8", "surrogateescape")):
                _write(key, parts)
                _write(value[key], parts)
            parts.append(b"e")


class _Reader:
    """A position in the bytes being decoded."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def value(self, depth: int) -> Value:
        if depth == 0:
            raise BencodeError(f"nested deeper than {MAX_DEPTH}")
        match self.data[self.at : self.at + 1]:
            case b"i":
                return self._integer()
            case b"l":
                return self._list(depth)
            case b"d":
                return self._dictionary(depth)
            case _:
                return self._string()

    def _integer(self) -> int:
        self.at += 1
        digits = self._until(b"e")
        number = _number(digits.removeprefix(b"-"))
        if not digits.startswith(b"-"):
            return number
        if number == 0:
            raise BencodeError("negative zero")
        return -number

    def _string(self) -> str:
        length = _number(self._until(b":"))
        start, self.at = self.at, self.at + length
        if self.at > len(self.data):
            raise BencodeError("a string reaches behind the end")
        return self.data[start : self.at].decode("utf-8", "surrogateescape")

    def _list(self, depth: int) -> list[Value]:
        self.at += 1
        items: list[Value] = []
        while not self._is_end():
            items.append(self.value(depth - 1))
        return items

    def _dictionary(self, depth: int) -> dict[str, Value]:
        self.at += 1
        items: dict[str, Value] = {}
        while not self._is_end():
            key = self._string()
            if key in items:
                raise BencodeError("a key appears twice")
            items[key] = self.value(depth - 1)
        return items

    def _is_end(self) -> bool:
        """Step over the `e` that ends a list or dictionary, if that is what comes."""
        found = self.data[self.at : self.at + 1] == b"e"
        self.at += found
        return found

    def _until(self, mark: bytes) -> bytes:
        end = self.data.find(mark, self.at, self.at + MAX_DIGITS + 2)
        if end < 0:
            raise BencodeError(f"no value at byte {self.at}")
        start, self.at = self.at, end + 1
        return self.data[start:end]


def _number(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > MAX_DIGITS or (digits.startswith(b"0") and digits != b"0"):
        raise BencodeError("malformed number")
    return int(digits)
