"""The `KEY=VALUE` of `ngcpcfg set`: what it means, and what it does to values.

KEY is a dotted path; a number picks from a list and APPEND adds to one. VALUE is a number, text with or
without quotes, a list `['a', 'b']` or a group of keys `{a => 'b'}` (`ngcpcfg.literal`).
"""

import re
from typing import Final

from ngcpcfg import literal
from ngcpcfg.problems import RefusedError
from ngcpcfg.values import KeyPath, Value

_ARGUMENT: Final = re.compile(r"([\w.\[\]]+)=(.+)", re.DOTALL)
_QUOTES: Final = re.compile(r"""(['"])(.*)\1""", re.DOTALL)
_APPEND: Final = "APPEND"


def parse(argument: str) -> tuple[KeyPath, Value]:
    """Split an argument into the path of the key and its value; RefusedError if it is not `KEY=VALUE`."""
    match = _ARGUMENT.fullmatch(argument)
    if match is None:
        raise RefusedError(f"can't parse '{argument}'")
    key, text = match.groups()
    return tuple(key.split(".")), _parse_value(text)


def _parse_value(text: str) -> Value:
    if quoted := _QUOTES.fullmatch(text):
        return literal.text_value(quoted[2])
    if re.fullmatch(r"\[.*\]|\{.*\}", text, re.DOTALL):
        return literal.parse(text)
    return literal.number(text) if literal.is_number(text) else literal.text_value(text)


def assign(values: dict[str, Value], path: KeyPath, value: Value) -> KeyPath:
    """Put a value at its path, making groups on the way; returns the path with APPEND replaced by its index.

    Text and numbers are replaced by anything; a list only by a list, a group of keys only by a group.
    """
    here: Value = values
    taken: KeyPath = ()
    for i, part in enumerate(path):
        key = _step(here, part)
        taken = (*taken, str(key))
        if i == len(path) - 1:
            _put(here, key, value)
        else:
            here = _descend(here, key, path[i + 1])
    return taken


def _step(here: Value, part: str) -> str | int:
    if isinstance(here, dict):
        return part
    if not isinstance(here, list):
        raise RefusedError(f"Key resolved to a SCALAR at '{part}'; cannot continue.")
    if part == _APPEND:
        return len(here)
    if not part.isdecimal():
        raise RefusedError("Key resolved to a ARRAY reference; refusing to overwrite.")
    if int(part) > len(here):
        raise RefusedError(f"the list has {len(here)} elements; there can be no element {part} yet")
    return int(part)


def _get(here: Value, key: str | int) -> Value:
    if isinstance(here, list) and isinstance(key, int):
        return here[key] if key < len(here) else None
    return here.get(str(key)) if isinstance(here, dict) else None


def _put(here: Value, key: str | int, value: Value) -> None:
    old = _get(here, key)
    if isinstance(old, list | dict) and type(old) is not type(value):
        kind = "ARRAY" if isinstance(old, list) else "HASH"
        raise RefusedError(f"Key resolved to a {kind} reference; refusing to overwrite.")
    if isinstance(here, dict):
        here[str(key)] = value
    elif isinstance(here, list) and isinstance(key, int):
        here[key : key + 1] = [value]


def _descend(here: Value, key: str | int, following: str) -> Value:
    below = _get(here, key)
    if below is None:
        below = [] if following.isdecimal() or following == _APPEND else {}
        _put(here, key, below)
    return below
