"""Messages out of a byte stream by Content-Length (RFC 3261 §18.3), and keep-alives (RFC 5626 §4.4.1)."""

import re
from typing import Final

from ..errors import MalformedMessage, MessageTooLarge
from ..syntax.head import MAX_SIZE

#: Header section larger than this ends the connection: Kamailio's and Asterisk's limits are 64 KiB for all.
MAX_HEAD: Final = 32_768

_CONTENT_LENGTH: Final = re.compile(
    rb"\r\n(?:Content-Length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*(?=\r\n)", re.IGNORECASE
)


class StreamFramer:
    """Cuts one connection's bytes into messages; a peer that breaks framing cannot be followed further.

    A node keeps one for each phone: between messages it holds no buffer.
    """

    __slots__ = ("_buffer", "_pongs", "_searched", "_size")

    def __init__(self) -> None:
        self._buffer: bytes | bytearray = b""
        self._searched = 0
        self._size = 0
        self._pongs = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Take received bytes and return the messages they complete, or raise `SipError` to hang up."""
        if self._buffer:
            self._buffer += data
        else:
            self._buffer = data
        messages: list[bytes] = []
        position = self._skip_keep_alives(0)
        while (end := self._find_end(position)) is not None:
            messages.append(bytes(self._buffer[position:end]))
            position = self._skip_keep_alives(end)
        self._keep_from(position)
        return messages

    @property
    def pending(self) -> int:
        """Bytes of an incomplete message held back."""
        return len(self._buffer)

    @property
    def is_over(self) -> bool:
        """Whether the peer has said that it will say no more: a plain stream has no such word."""
        return False

    def answer(self) -> bytes:
        """Hand over, once, what the framing itself sends back: CRLF for each ping (a double CRLF)."""
        if not self._pongs:
            return b""
        pongs, self._pongs = b"\r\n" * self._pongs, 0
        return pongs

    def wrap(self, message: bytes) -> bytes:
        """Return a message as it goes over the connection."""
        return message

    def _find_end(self, position: int) -> int | None:
        """Return where the message that begins at `position` ends; None if more bytes are needed."""
        if not self._size:
            end = self._buffer.find(b"\r\n\r\n", max(position, self._searched - 3))
            if end < 0:
                self._searched = len(self._buffer)
                if self._searched - position > MAX_HEAD:
                    raise MessageTooLarge(f"no end of headers within {MAX_HEAD} bytes")
                return None
            self._size = end + 4 - position + self._body_length(position, end + 2)
            if self._size > MAX_SIZE:
                raise MessageTooLarge(f"{self._size} bytes")
        if len(self._buffer) < position + self._size:
            return None
        end = position + self._size
        self._searched = self._size = 0
        return end

    def _keep_from(self, position: int) -> None:
        """Forget what has been read, and the buffer with it if nothing is left."""
        if position == len(self._buffer):
            self._buffer = b""
        elif isinstance(self._buffer, bytes):
            self._buffer = bytearray(self._buffer[position:])
        else:
            del self._buffer[:position]
        self._searched = max(0, self._searched - position)

    def _skip_keep_alives(self, position: int) -> int:
        if self._size:
            return position
        while self._buffer.startswith(b"\r\n\r\n", position):
            self._pongs += 1
            position += 4
        if self._buffer.startswith(b"\r\n", position) and self._buffer[position + 2 : position + 3] not in (
            b"",
            b"\r",
        ):
            position += 2
        return position

    def _body_length(self, position: int, end: int) -> int:
        lengths = {int(value) for value in _CONTENT_LENGTH.findall(self._buffer, position, end)}
        if len(lengths) != 1:
            raise MalformedMessage("a stream needs one Content-Length (§18.3)")
        return lengths.pop()
