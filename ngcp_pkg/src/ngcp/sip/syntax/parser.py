"""Bytes of one message to a `Request` or a `Response` (RFC 3261 §7, §25.1).

`head.py` frames: start line, header lines, body. What a header means is read later, when somebody asks, so
a message with one odd header can still be answered. It is bounded in size and in time.
"""

import re
from typing import Final

from ..errors import InvalidHeader, InvalidRequestLine, MalformedMessage, SipError, VersionNotSupported
from .message import Message, Request, Response

_TOKEN: Final = r"[A-Za-z0-9.!%*_+`'~-]"
_REQUEST_LINE: Final = re.compile(
    rf"({_TOKEN}{{1,64}}+) (\S{{1,4096}}+) (SIP/\d{{1,4}}\.\d{{1,4}})", re.IGNORECASE | re.ASCII
)
_STATUS_LINE: Final = re.compile(
    r"(SIP/\d{1,4}\.\d{1,4}) ([1-6]\d\d) (.*+)", re.IGNORECASE | re.ASCII | re.DOTALL
)
#: Enough of a request line to be answered: nothing else in it is sure.
_METHOD: Final = re.compile(rf"({_TOKEN}{{1,64}}+)[ \t]++(?=\S)", re.ASCII)
_VERSION: Final = re.compile(r"[ \t]SIP/\d\.\d[ \t]*+", re.IGNORECASE | re.ASCII)
#: The methods of RFC 3261 and its extensions: the first look at a request line knows them.
METHODS: Final = frozenset(
    {
        *("ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK"),
        *("PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"),
    }
)
_STATUSES: Final = {str(status): status for status in range(100, 700)}


def parse(data: bytes) -> Request | Response:
    """Read one whole message; bytes behind its Content-Length are cut off (§18.3).

    Raises `MalformedMessage` or `MessageTooLarge`, to which there is no answer, or another `SipError`
    whose `request` can be answered.
    """
    message: Request | Response
    if data.startswith(b"SIP/") or data.lstrip(b"\r\n")[:4].upper() == b"SIP/":  # no method has a slash
        message = Response.__new__(Response)
        version = _read_status_line(message, message.scan(data))
    else:
        message = Request.__new__(Request)
        version = _read_request_line(message, message.scan(data))
    if version != "SIP/2.0" and version.upper() != "SIP/2.0":
        raise _unknown(version, message)
    if message.body:
        _cut_body(message)
    return message


def _read_status_line(response: Response, line: str) -> str:
    if line.startswith("SIP/2.0 ") and line[11:12] == " " and line[8:11] in _STATUSES:
        response.status, response.reason = _STATUSES[line[8:11]], line[12:]
        return "SIP/2.0"
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise MalformedMessage(f"no status line: {line[:80]!r}")
    version, status, response.reason = match.groups()
    response.status = int(status)
    return version


def _read_request_line(request: Request, line: str) -> str:
    words = line.split(" ")
    if len(words) == 3 and words[0] in METHODS and words[2] == "SIP/2.0" and _is_plain(words[1]):
        request.method, request.uri = words[0], words[1]
        return "SIP/2.0"
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise _unreadable(request, line)
    request.method, request.uri, version = match.groups()
    return version


def _is_plain(uri: str) -> bool:
    return uri.isascii() and uri.isprintable() and 0 < len(uri) <= 4096


def _unreadable(request: Request, line: str) -> MalformedMessage:
    """Return the error that a bad request line is; the request can be answered if it is one at all."""
    method = _METHOD.match(line)
    if method is None or not _VERSION.fullmatch(line, line.upper().rfind(" SIP/")):
        return MalformedMessage(f"neither a request line nor a status line: {line[:80]!r}")
    request.method, request.uri = method[1], line[method.end() :]
    error = InvalidRequestLine(f"invalid request line {line[:80]!r}")
    error.request = request
    return error


def _unknown(version: str, message: Request | Response) -> SipError:
    error = VersionNotSupported(version)
    error.request = message if isinstance(message, Request) else None
    return error


def _cut_body(message: Message) -> None:
    """Drop what follows the announced body; a short or badly announced one is left to be refused."""
    try:
        length = message.content_length
    except InvalidHeader:
        return
    if length is not None:
        message.cut_body(length)
