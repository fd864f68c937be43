"""Header lines as they came, beside their canonical names: found by name, changed by splice (RFC 3261 §7.3).

Bytes of one message come in (`scan`), bytes go out (`write`), and what nobody edited leaves as it arrived.
Text is UTF-8 with surrogates for foreign bytes (§7.3.1). This is the specification of `ngcp_speed.Head`,
the same in C: `message.py` takes that one where it is installed.
"""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, Final, Self, TypeVar

from ..errors import MalformedMessage, MessageTooLarge, MissingHeader
from .fields import split_first, split_list
from .names import KNOWN, LISTS, canonical

_Value = TypeVar("_Value")

#: A UDP datagram cannot be larger; TCP messages get the same bound.
MAX_SIZE: Final = 65_535
#: Phones send 10 to 25 header lines; a call that crossed many proxies stays below 80.
MAX_LINES: Final = 256

_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,128}+[ \t]*+")
#: How most lines begin: one look-up, which finds nothing where the colon is missing.
_USUAL: Final = {f"{spelling}:": name for spelling, name in KNOWN.items()}


class Head:
    """The header lines of one message, and its body."""

    __slots__ = ("_body", "_lines", "_names", "_views")

    def __init__(self, lines: Iterable[str] = (), body: bytes = b"") -> None:
        self._lines = list(lines)
        self._names = [canonical(line.partition(":")[0].rstrip(" \t")) for line in self._lines]
        self._views: dict[str, Any] = {}
        self._body = body

    def scan(self, data: bytes) -> str:
        """Take the lines and the body of a received message and return its start line.

        Raises `MalformedMessage` or `MessageTooLarge`.
        """
        if len(data) > MAX_SIZE:
            raise MessageTooLarge(f"{len(data)} bytes")
        head, end, self._body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
        if not end:
            raise MalformedMessage("no empty line behind the headers")
        start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        if not head.count(b"\n") == head.count(b"\r") == len(lines) or _has_bare_nul(head):
            # Two parsers could see two different messages in it.
            raise MalformedMessage("a line does not end in CRLF, or holds NUL")
        if len(lines) > MAX_LINES:
            raise MessageTooLarge(f"{len(lines)} header lines")
        if b"\r\n " in head or b"\r\n\t" in head:
            lines = _join_folded(lines)
        self._names = [_USUAL.get(line[: line.find(":") + 1]) or _read_name(line) for line in lines]
        self._lines, self._views = lines, {}
        return start

    def write(self, start_line: str) -> bytes:
        """Return the message as it goes on the wire."""
        head = "\r\n".join((start_line, *self._lines, "", ""))
        return head.encode("utf-8", "surrogateescape") + self._body

    def twin(self) -> Self:
        """Return a copy whose lines can be edited without changing this one's."""
        twin = self.__class__.__new__(self.__class__)
        twin._lines, twin._names = self._lines.copy(), self._names.copy()
        twin._views, twin._body = self._views.copy(), self._body
        return twin

    def adopt(self, other: "Head", names: Collection[str]) -> None:
        """Have those lines of `other` and no others that are called one of `names` (canonical); no body."""
        kept = [index for index, name in enumerate(other._names) if name in names]
        self._lines = [other._lines[index] for index in kept]
        self._names = [other._names[index] for index in kept]
        self._views, self._body = {}, b""

    @property
    def lines(self) -> list[str]:
        """The header lines as they stand on the wire."""
        return self._lines.copy()

    @property
    def shape(self) -> tuple[str, ...]:
        """The canonical name of each line, in order: lower case, never the compact form."""
        return tuple(self._names)

    # Reading

    def __contains__(self, name: str) -> bool:
        return name in self._names or canonical(name) in self._names

    def get(self, name: str) -> str | None:
        """Return the value of the first line called `name`, unfolded, or None."""
        if name not in self._names:  # most callers know the canonical name
            name = canonical(name)
            if name not in self._names:
                return None
        return self._value(self._names.index(name))

    def first(self, name: str) -> str:
        """Return the first value of `name` (of a list header: its first member), or raise `MissingHeader`."""
        value = self.get(name)
        if value is None:
            raise MissingHeader(name)
        if "," in value and canonical(name) in LISTS:
            return split_first(value)[0]
        return value

    def all(self, name: str) -> list[str]:
        """Return every value of `name` in wire order; the lines of list headers are split at their commas."""
        if name not in self._names:
            name = canonical(name)
            if name not in self._names:
                return []
        values = [self._value(i) for i, known in enumerate(self._names) if known == name]
        if name not in LISTS:
            return values
        return [member for value in values for member in split_list(value) if member]

    def view(self, name: str, parse: Callable[[str], _Value]) -> _Value:
        """Return what `parse` makes of the first line called `name` (canonical), and remember it.

        Raises `MissingHeader`, and whatever `parse` does.
        """
        if name in self._views:
            found: _Value = self._views[name]
            return found
        if name not in self._names:
            raise MissingHeader(name)
        self._views[name] = value = parse(self._value(self._names.index(name)))
        return value

    def _value(self, index: int) -> str:
        value = self._lines[index].partition(":")[2].strip(" \t\r\n")
        return " ".join(part.strip(" \t") for part in value.split("\r\n")) if "\r\n" in value else value

    # Editing

    def prepend(self, name: str, value: str) -> None:
        """Put a line before the first one called `name`; the first such line goes to the top."""
        key = canonical(name)
        self._insert(self._names.index(key) if key in self._names else 0, key, f"{name}: {value}")

    def append(self, name: str, value: str) -> None:
        """Put a line after all others."""
        self._insert(len(self._lines), canonical(name), f"{name}: {value}")

    def set(self, name: str, value: str) -> None:
        """Let `name` have this one value, where its first line stood or at the end."""
        key = canonical(name)
        if self._names.count(key) == 1:
            self._views.pop(key, None)
            self._lines[self._names.index(key)] = f"{name}: {value}"
            return
        place = self._names.index(key) if key in self._names else len(self._names)
        self.remove(name)
        self._insert(place, key, f"{name}: {value}")

    def remove(self, name: str) -> None:
        """Take out every line called `name`."""
        name = canonical(name)
        while name in self._names:
            index = self._names.index(name)
            self._views.pop(name, None)
            del self._lines[index], self._names[index]

    def pop_first(self, name: str) -> str:
        """Take out the first value of `name`, leave what else its line has, or raise `MissingHeader`."""
        return self._replace_first(name, None)

    def replace_first(self, name: str, value: str) -> None:
        """Put `value` in the place of the first value of `name`, or raise `MissingHeader`."""
        self._replace_first(name, value)

    def drop_first(self, name: str, count: int) -> None:
        """Take out the first `count` values of `name`, in however many lines, or raise `MissingHeader`."""
        while count > 0:
            index = self._index(name)
            members = [member for member in split_list(self._value(index)) if member]
            self._rewrite(index, name, ", ".join(members[count:]))
            count -= len(members)

    def _replace_first(self, name: str, value: str | None) -> str:
        index = self._index(name)
        old = self._value(index)
        first, others = split_first(old) if self._names[index] in LISTS else (old, "")
        self._rewrite(index, name, ", ".join(text for text in (value, others) if text))
        return first

    def _index(self, name: str) -> int:
        """Return where the first line called `name` is, or raise `MissingHeader`."""
        key = canonical(name)
        if key not in self._names:
            raise MissingHeader(name)
        return self._names.index(key)

    def _rewrite(self, index: int, name: str, value: str) -> None:
        """Let a line have another value; without any it goes."""
        self._views.pop(self._names[index], None)
        if value:
            self._lines[index] = f"{name}: {value}"
        else:
            del self._lines[index], self._names[index]

    def _insert(self, index: int, key: str, line: str) -> None:
        self._views.pop(key, None)
        self._lines.insert(index, line)
        self._names.insert(index, key)

    @property
    def body(self) -> bytes:
        """The body; setting it sets Content-Length too."""
        return self._body

    @body.setter
    def body(self, body: bytes) -> None:
        self._body = body
        self.set("Content-Length", str(len(body)))

    def cut_body(self, length: int) -> None:
        """Drop what the body has beyond `length` bytes."""
        if length < len(self._body):
            self._body = self._body[:length]


def _has_bare_nul(head: bytes) -> bool:
    """Whether NUL stands anywhere but in a quoted-pair, the one place where it may (§25.1)."""
    return b"\0" in head and b"\0" in head.replace(b"\\\0", b"")


def _join_folded(lines: list[str]) -> list[str]:
    """Keep a header that spans several lines as one entry, its line ends inside (§7.3.1)."""
    joined: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and joined:
            joined[-1] = f"{joined[-1]}\r\n{line}"
        else:
            joined.append(line)
    return joined


def _read_name(line: str) -> str:
    name, colon, _ = line.partition(":")
    if _HEADER_NAME.fullmatch(name) is None:
        raise MalformedMessage(f"no header name in line {line[:80]!r}")
    if not colon:
        raise MalformedMessage(f"no colon in line {line[:80]!r}")
    return canonical(name.rstrip(" \t"))
