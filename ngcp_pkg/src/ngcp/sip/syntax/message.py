"""SIP messages that keep the received lines (RFC 3261 §7): headers are read on demand, an edit is a splice.

Header lines stay as they came, in wire order, beside their canonical names; `bytes(message)` joins them
again, so what nobody edited leaves as it arrived. Text is UTF-8 with surrogates for foreign bytes (§7.3.1).
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Self, TypeVar

from ..errors import InvalidHeader, MissingHeader
from .fields import CSeq, NameAddr, Via, split_first, split_list
from .memory import remembered
from .names import LISTS, canonical, phrase

_Value = TypeVar("_Value")

_FOLD: Final = re.compile(r"[ \t]*\r\n[ \t]+")

#: Headers that a UAS copies from request to response (§8.2.6.2).
_COPIED: Final = frozenset({"via", "from", "to", "call-id", "cseq"})

_read_cseq: Final = remembered(CSeq.parse)
_read_from: Final = remembered(lambda text: NameAddr.parse(text, "From"))
_read_to: Final = remembered(lambda text: NameAddr.parse(text, "To"))


def _read_via(text: str) -> Via:
    return Via.parse(split_first(text)[0])


def _read_length(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidHeader("Content-Length", text)
    return int(text)


def _name_of(line: str) -> str:
    return canonical(line.partition(":")[0].rstrip(" \t"))


class Message:
    """What requests and responses share: header lines and a body."""

    __slots__ = ("_body", "_lines", "_names", "_views")

    def __init__(self, lines: Iterable[str], body: bytes, names: Iterable[str] | None) -> None:
        self._lines = list(lines)
        self._names = list(names) if names is not None else [_name_of(line) for line in self._lines]
        self._views: dict[str, Any] = {}
        self._body = body

    @property
    def start_line(self) -> str:
        """Request-line or status-line, without its line end."""
        raise NotImplementedError

    @property
    def lines(self) -> Sequence[str]:
        """The header lines as they stand on the wire; not to be changed in place."""
        return self._lines

    @property
    def names(self) -> Sequence[str]:
        """The canonical name of each line: lower case, never the compact form."""
        return self._names

    def __contains__(self, name: str) -> bool:
        return canonical(name) in self._names

    def __bytes__(self) -> bytes:
        head = "\r\n".join((self.start_line, *self._lines, "", ""))
        return head.encode("utf-8", "surrogateescape") + self._body

    def __repr__(self) -> str:
        return f"<{self.start_line!r} {self.get('call-id')!r}>"

    def copy(self) -> Self:
        """Return a message that can be edited without changing this one."""
        twin = self.__class__.__new__(self.__class__)
        twin._lines, twin._names = self._lines.copy(), self._names.copy()
        twin._views, twin._body = self._views.copy(), self._body
        return twin

    # Reading

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
        name = canonical(name)
        if name not in self._names:
            return []
        values = [self._value(i) for i, known in enumerate(self._names) if known == name]
        if name not in LISTS:
            return values
        return [member for value in values for member in split_list(value) if member]

    def _value(self, index: int) -> str:
        value = self._lines[index].partition(":")[2].strip(" \t\r\n")
        return _FOLD.sub(" ", value) if "\r\n" in value else value

    def _view(self, name: str, parse: Callable[[str], _Value]) -> _Value:
        if name in self._views:
            found: _Value = self._views[name]
            return found
        if name not in self._names:
            raise MissingHeader(name)
        self._views[name] = value = parse(self._value(self._names.index(name)))
        return value

    # Fields nearly everybody asks for; the values are shared, treat them as read-only.

    @property
    def via(self) -> Via:
        """The topmost Via."""
        return self._view("via", _read_via)

    @property
    def cseq(self) -> CSeq:
        """The CSeq."""
        return self._view("cseq", _read_cseq)

    @property
    def from_(self) -> NameAddr:
        """The From header."""
        return self._view("from", _read_from)

    @property
    def to(self) -> NameAddr:
        """The To header."""
        return self._view("to", _read_to)

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.first("call-id")

    @property
    def content_length(self) -> int | None:
        """What Content-Length says, None where it is absent (§20.14)."""
        return self._view("content-length", _read_length) if "content-length" in self._names else None

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
        if name in self._names:
            self.remove_if(lambda known: known == name)

    def remove_if(self, predicate: Callable[[str], bool]) -> None:
        """Take out every line whose canonical name satisfies `predicate`."""
        doomed = [i for i, name in enumerate(self._names) if predicate(name)]
        for index in reversed(doomed):
            self._views.pop(self._names[index], None)
            del self._lines[index], self._names[index]

    def pop_first(self, name: str) -> str:
        """Take out the first value of `name`, leave what else its line has, or raise `MissingHeader`."""
        return self._replace_first(name, None)

    def drop_first(self, name: str, count: int) -> None:
        """Take out the first `count` values of `name`, in however many lines, or raise `MissingHeader`."""
        while count > 0:
            index = self._index(name)
            members = split_list(self._value(index))
            self._rewrite(index, name, ", ".join(members[count:]))
            count -= len(members)

    def replace_first(self, name: str, value: str) -> None:
        """Put `value` in the place of the first value of `name`, or raise `MissingHeader`."""
        self._replace_first(name, value)

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


class Request(Message):
    """A request line, headers and a body (§7.1)."""

    __slots__ = ("method", "uri")

    def __init__(
        self,
        method: str,
        uri: str,
        lines: Iterable[str] = (),
        body: bytes = b"",
        names: Iterable[str] | None = None,
    ) -> None:
        super().__init__(lines, body, names)
        self.method = method
        self.uri = uri

    @property
    def start_line(self) -> str:
        """`METHOD uri SIP/2.0`."""
        return f"{self.method} {self.uri} SIP/2.0"

    def copy(self) -> Self:
        """Return a request that can be edited without changing this one."""
        twin = super().copy()
        twin.method, twin.uri = self.method, self.uri
        return twin

    def reply(self, status: int, reason: str | None = None, to_tag: str | None = None) -> "Response":
        """Build the response a UAS sends to this request; `to_tag` is added where To has none (§8.2.6)."""
        kept = [index for index, name in enumerate(self._names) if name in _COPIED]
        lines = [*(self._lines[index] for index in kept), "Content-Length: 0"]
        names = [*(self._names[index] for index in kept), "content-length"]
        response = Response(status, reason, lines, b"", names)
        if to_tag and ";tag=" not in (self.get("to") or "").replace(" ", "").lower():
            response.set("To", f"{response.get('to')};tag={to_tag}")
        return response


class Response(Message):
    """A status line, headers and a body (§7.2)."""

    __slots__ = ("reason", "status")

    def __init__(
        self,
        status: int,
        reason: str | None = None,
        lines: Iterable[str] = (),
        body: bytes = b"",
        names: Iterable[str] | None = None,
    ) -> None:
        super().__init__(lines, body, names)
        self.status = status
        self.reason = phrase(status) if reason is None else reason

    @property
    def start_line(self) -> str:
        """`SIP/2.0 status reason`."""
        return f"SIP/2.0 {self.status} {self.reason}"

    @property
    def is_final(self) -> bool:
        """Whether this response ends its transaction (§7.2)."""
        return self.status >= 200

    def copy(self) -> Self:
        """Return a response that can be edited without changing this one."""
        twin = super().copy()
        twin.status, twin.reason = self.status, self.reason
        return twin
