"""Lists and groups of keys as operators type them for `ngcpcfg set`: in the manner of Perl.

    list:    ['a', "b", 3, ['c']]
    group:   {a => 'b', 'c' => 3}, {'a', 'b', 'c', 3} or {a: 'b'}

Text must be in quotes. `undef` is nothing. A comma may stand behind the last element.
"""

import re
from typing import Final

from ngcpcfg.problems import RefusedError
from ngcpcfg.values import Switch, Value

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<mark>=>|[\[\]{},:])|(?P<word>[^\s\[\]{},:='"]+))""",
    re.DOTALL,
)
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_MAX_DEPTH: Final = 20


def is_number(text: str) -> bool:
    """Tell whether this is a number that is written in one way only: not 0431, which is a phone number."""
    return (_INT.fullmatch(text) or _FLOAT.fullmatch(text)) is not None


def number(text: str) -> Value:
    """Read a number."""
    return int(text) if _INT.fullmatch(text) else float(text)


def text_value(text: str) -> Value:
    """Take text; yes, no, on and off are words of their own."""
    return Switch(text) if text in Switch.WORDS else text


def parse(text: str) -> Value:
    """Read a list or a group of keys; RefusedError if it is none."""
    reader = _Reader(text)
    value = reader.value(0)
    if not reader.is_at_end():
        raise reader.refusal()
    return value


class _Reader:
    """Reads one literal from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def refusal(self) -> RefusedError:
        return RefusedError(f"can't parse '{self._text}'")

    def is_at_end(self) -> bool:
        return not self._text[self._at :].strip()

    def _next(self) -> tuple[str, str]:
        match = _TOKEN.match(self._text, self._at)
        if match is None or match.lastgroup is None:
            raise self.refusal()
        self._at = match.end()
        return match.lastgroup, match[match.lastgroup]

    def _peek(self) -> str:
        at = self._at
        _, token = self._next()
        self._at = at
        return token

    def value(self, depth: int) -> Value:
        kind, token = self._next()
        if depth > _MAX_DEPTH:
            raise self.refusal()
        if kind == "text":
            return text_value(_unquoted(token))
        if token == "[":
            return self._elements(depth)
        if token == "{":
            return self._group(depth)
        if kind == "mark":
            raise self.refusal()
        return self._word(token)

    def _word(self, word: str) -> Value:
        if is_number(word):
            return number(word)
        if word == "undef":
            return None
        kind = "array" if self._text.lstrip().startswith("[") else "hash"
        raise RefusedError(f"Elements in {kind} '{self._text}' should be quoted")

    def _elements(self, depth: int) -> list[Value]:
        found: list[Value] = []
        while self._peek() != "]":
            found.append(self.value(depth + 1))
            self._separate("]")
        self._next()
        return found

    def _group(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while self._peek() != "}":
            kind, token = self._next()
            if kind == "mark":
                raise self.refusal()
            key = _unquoted(token) if kind == "text" else token
            follower = self._next()[1]
            if follower not in ("=>", ":", ",") or (follower == "," and kind != "text"):
                raise self.refusal()
            found[key] = self.value(depth + 1)
            self._separate("}")
        self._next()
        return found

    def _separate(self, end: str) -> None:
        if self._peek() != end and self._next()[1] != ",":
            raise self.refusal()


def _unquoted(token: str) -> str:
    inner = token[1:-1]
    if token.startswith("'"):
        return re.sub(r"\\(['\\])", r"\1", inner)
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), inner, flags=re.DOTALL)
