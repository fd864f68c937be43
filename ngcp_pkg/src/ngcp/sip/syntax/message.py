"""SIP messages that keep the received lines (RFC 3261 §7): headers are read on demand, an edit is a splice.

`head.py` holds the lines; here are the start line and the fields that nearly everybody asks for.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Self

from ..errors import InvalidHeader
from .fields import CSeq, NameAddr, Via, split_first
from .memory import remembered
from .names import phrase

if TYPE_CHECKING:
    from .head import Head
else:
    try:
        from ngcp_speed import Head  # the same in C, where it is installed
    except ImportError:
        from .head import Head

#: Headers that a UAS copies from request to response (§8.2.6.2).
_COPIED: Final = frozenset({"via", "from", "to", "call-id", "cseq"})

_read_cseq: Final = remembered(CSeq.parse)
_read_from: Final = remembered(lambda text: NameAddr.parse(text, "From"))
_read_to: Final = remembered(lambda text: NameAddr.parse(text, "To"))


def _read_via(text: str) -> Via:
    return Via.parse(split_first(text)[0] if "," in text else text)


def _read_length(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise InvalidHeader("Content-Length", text)
    return int(text)


class Message(Head):
    """What requests and responses share: header lines and a body."""

    __slots__ = ()

    @property
    def start_line(self) -> str:
        """Request-line or status-line, without its line end."""
        raise NotImplementedError

    def __bytes__(self) -> bytes:
        return self.write(self.start_line)

    def __repr__(self) -> str:
        return f"<{self.start_line!r} {self.get('call-id')!r}>"

    # Fields nearly everybody asks for; the values are shared, treat them as read-only.

    @property
    def via(self) -> Via:
        """The topmost Via."""
        return self.view("via", _read_via)

    @property
    def cseq(self) -> CSeq:
        """The CSeq."""
        return self.view("cseq", _read_cseq)

    @property
    def from_(self) -> NameAddr:
        """The From header."""
        return self.view("from", _read_from)

    @property
    def to(self) -> NameAddr:
        """The To header."""
        return self.view("to", _read_to)

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.first("call-id")

    @property
    def content_length(self) -> int | None:
        """What Content-Length says, None where it is absent (§20.14)."""
        return self.view("content-length", _read_length) if "content-length" in self else None


class Request(Message):
    """A request line, headers and a body (§7.1)."""

    __slots__ = ("method", "uri")

    def __init__(self, method: str, uri: str, lines: Iterable[str] = (), body: bytes = b"") -> None:
        super().__init__(lines, body)
        self.method = method
        self.uri = uri

    @property
    def start_line(self) -> str:
        """`METHOD uri SIP/2.0`."""
        return f"{self.method} {self.uri} SIP/2.0"

    def copy(self) -> Self:
        """Return a request that can be edited without changing this one."""
        twin = self.twin()
        twin.method, twin.uri = self.method, self.uri
        return twin

    def reply(self, status: int, reason: str | None = None, to_tag: str | None = None) -> "Response":
        """Build the response a UAS sends to this request; `to_tag` is added where To has none (§8.2.6)."""
        response = Response(status, reason)
        response.adopt(self, _COPIED)
        response.append("Content-Length", "0")
        if to_tag and ";tag=" not in (self.get("to") or "").replace(" ", "").lower():
            response.set("To", f"{response.get('to')};tag={to_tag}")
        return response


class Response(Message):
    """A status line, headers and a body (§7.2)."""

    __slots__ = ("reason", "status")

    def __init__(
        self, status: int, reason: str | None = None, lines: Iterable[str] = (), body: bytes = b""
    ) -> None:
        super().__init__(lines, body)
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
        twin = self.twin()
        twin.status, twin.reason = self.status, self.reason
        return twin
