"""Messages out of a byte stream by Content-Length (RFC 3261 §18.3), and keep-alives (RFC 5626 §4.4.1)."""

import re
from typing import Final

from ..errors import MalformedMessage, MessageTooLarge
from ..syntax.parser import MAX_SIZE

#: Header section larger than this ends the connection: Kamailio's and Asterisk's limits are 64 KiB for all.
MAX_HEAD: Final = 32_768

_CONTENT_LENGTH: Final = re.compile(
    rb"\r\n(?:Content-Length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*(?=\r\n)", re.IGNORECASE
)


class StreamFramer:
    """Cuts one connection's bytes into messages; a peer that breaks framing cannot be followed further."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self.pongs = 0
        """Keep-alive pings (double CRLF) that wait for their CRLF answer; the caller sets it back to 0."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take received bytes and return the messages they complete, or raise `SipError` to hang up."""
        self._buffer += data
        messages: list[bytes] = []
        while (message := self._cut()) is not None:
            messages.append(message)
        return messages

    @property
    def pending(self) -> int:
        """Bytes of an incomplete message held back."""
        return len(self._buffer)

    def _cut(self) -> bytes | None:
        self._skip_keep_alives()
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        if end < 0:
            self._searched = len(self._buffer)
            if self._searched > MAX_HEAD:
                raise MessageTooLarge(f"no end of headers within {MAX_HEAD} bytes")
            return None
        size = end + 4 + self._body_length(end + 2)
        if size > MAX_SIZE:
            raise MessageTooLarge(f"{size} bytes")
        if len(self._buffer) < size:
            self._searched = end
            return None
        message = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._searched = 0
        return message

    def _skip_keep_alives(self) -> None:
        while self._buffer.startswith(b"\r\n\r\n"):
            self.pongs += 1
            del self._buffer[:4]
        if self._buffer.startswith(b"\r\n") and len(self._buffer) > 2 and self._buffer[2:3] != b"\r":
            del self._buffer[:2]

    def _body_length(self, end: int) -> int:
        lengths = {int(value) for value in _CONTENT_LENGTH.findall(self._buffer, 0, end)}
        if len(lengths) != 1:
            raise MalformedMessage("a stream needs one Content-Length (§18.3)")
        return lengths.pop()
