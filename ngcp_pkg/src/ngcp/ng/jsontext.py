"""JSON in place of bencode: the same values, for clients that prefer to read what they send (RFC 8259).

Of JSON, only what bencode can say: objects, lists, strings and whole numbers. Foreign bytes in strings
survive a round trip as they do in bencode, although they are no UTF-8.
"""

import json
from typing import Any, Final, NoReturn

from .bencode import MAX_DEPTH, MAX_DIGITS, MAX_SIZE, Value


class JsonError(ValueError):
    """The bytes are no JSON text of which bencode could say the same."""


def encode(value: Value) -> bytes:
    """Write `value`, the keys of objects sorted."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf-8", "surrogateescape")


def decode(data: bytes) -> Value:
    """Read the one value that `data` holds, or raise `JsonError`."""
    if len(data) > MAX_SIZE:
        raise JsonError(f"{len(data)} bytes are too many")
    try:
        value = _DECODER.decode(data.decode("utf-8", "surrogateescape"))
    except json.JSONDecodeError as error:
        raise JsonError(f"{error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise JsonError(f"nested deeper than {MAX_DEPTH}") from error
    return _checked(value, MAX_DEPTH)


def _checked(value: Any, depth: int) -> Value:  # noqa: ANN401 - whatever JSON can say
    """Return `value` if it is one of ours, through and through."""
    if depth == 0:
        raise JsonError(f"nested deeper than {MAX_DEPTH}")
    match value:
        case str():
            _check_bytes(value)
            return value
        case bool() | None:
            raise JsonError(f"{json.dumps(value)} is neither text nor number")
        case int():
            return value
        case list():
            return [_checked(item, depth - 1) for item in value]
        case _:
            for key in value:
                _check_bytes(key)
            return {key: _checked(item, depth - 1) for key, item in value.items()}


def _check_bytes(text: str) -> None:
    r"""Refuse what could not leave as bytes again: a lone surrogate, written as `\ud800`."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise JsonError("half a character") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonError("a key appears twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS + 1:
        raise JsonError("malformed number")
    return int(digits)


def _no_number(text: str) -> NoReturn:
    raise JsonError(f"{text[:20]} is no whole number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_no_number, parse_constant=_no_number
)
