"""Bytes of one message to a `Request` or a `Response` (RFC 3261 §7, §25.1).

The parser frames: start line, header lines, body. What a header means is read later, when somebody
asks, so a message with one odd header can still be answered. It is bounded in size and in time.
"""

import re
from typing import Final

from ..errors import InvalidHeader, MalformedMessage, MessageTooLarge, VersionNotSupported
from .message import Request, Response
from .names import KNOWN, canonical

#: A UDP datagram cannot be larger; TCP messages get the same bound.
MAX_SIZE: Final = 65_535
#: Phones send 10 to 25 header lines; a call that crossed many proxies stays below 80.
MAX_LINES: Final = 256

_TOKEN: Final = r"[A-Za-z0-9.!%*_+`'~-]"
_REQUEST_LINE: Final = re.compile(
    rf"({_TOKEN}{{1,64}}) (\S{{1,4096}}) (SIP/\d{{1,4}}\.\d{{1,4}})", re.IGNORECASE
)
_STATUS_LINE: Final = re.compile(r"(SIP/\d{1,4}\.\d{1,4}) ([1-6]\d\d) (.*)", re.IGNORECASE)
_HEADER_NAME: Final = re.compile(rf"{_TOKEN}{{1,128}}[ \t]*")
#: How most lines begin: one look-up, which finds nothing where the colon is missing.
_USUAL: Final = {f"{spelling}:": name for spelling, name in KNOWN.items()}


def parse(data: bytes) -> Request | Response:
    """Read one whole message; bytes behind its Content-Length are cut off (§18.3).

    Raises `MalformedMessage` or `MessageTooLarge`, to which there is no answer, or another `SipError`
    whose `request` can be answered.
    """
    if len(data) > MAX_SIZE:
        raise MessageTooLarge(f"{len(data)} bytes")
    head, end, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not end:
        raise MalformedMessage("no empty line behind the headers")
    if _is_ambiguous(head):
        raise MalformedMessage("a line does not end in CRLF, or holds NUL")
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    if b"\r\n " in head or b"\r\n\t" in head:
        lines = _join_folded(lines)
    if len(lines) > MAX_LINES:
        raise MessageTooLarge(f"{len(lines)} header lines")
    return _build(start, lines, body)


def _is_ambiguous(head: bytes) -> bool:
    """Whether two parsers could see two different messages in it: a lone CR or LF, or NUL."""
    return not head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r") or b"\0" in head


def _join_folded(lines: list[str]) -> list[str]:
    """Keep a header that spans several lines as one entry, its line ends inside (§7.3.1)."""
    joined: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and joined:
            joined[-1] = f"{joined[-1]}\r\n{line}"
        else:
            joined.append(line)
    return joined


def _build(start: str, lines: list[str], body: bytes) -> Request | Response:
    names = _read_names(lines)
    status_line = _STATUS_LINE.fullmatch(start)
    if status_line is not None:
        version = status_line[1]
        message: Request | Response = Response(int(status_line[2]), status_line[3], lines, body, names)
    else:
        request_line = _REQUEST_LINE.fullmatch(start)
        if request_line is None:
            raise MalformedMessage(f"neither a request line nor a status line: {start[:80]!r}")
        version = request_line[3]
        message = Request(request_line[1], request_line[2], lines, body, names)
    if version.upper() != "SIP/2.0":
        error = VersionNotSupported(version)
        error.request = message if isinstance(message, Request) else None
        raise error
    _cut_body(message)
    return message


def _read_names(lines: list[str]) -> list[str]:
    return [_USUAL.get(line[: line.find(":") + 1]) or _read_name(line) for line in lines]


def _read_name(line: str) -> str:
    name, colon, _ = line.partition(":")
    if _HEADER_NAME.fullmatch(name) is None:
        raise MalformedMessage(f"no header name in line {line[:80]!r}")
    if not colon:
        raise MalformedMessage(f"no colon in line {line[:80]!r}")
    return canonical(name.rstrip(" \t"))


def _cut_body(message: Request | Response) -> None:
    """Drop what follows the announced body; a short or badly announced one is left to be refused."""
    try:
        length = message.content_length
    except InvalidHeader:
        return
    if length is not None:
        message.cut_body(length)
