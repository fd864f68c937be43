"""Messages of the ng protocol in a stream: pieces of it in, whole messages out.

Nothing stands between two messages, so the end of one is where its dictionary ends; white space may follow.
"""

import re
from typing import Final

from .bencode import MAX_DEPTH, MAX_DIGITS, MAX_SIZE
from .commands import MAX_COOKIE, NgError, NoCookie

#: What opens or closes something in JSON, strings being passed over whole.
_JSON_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|["{}\[\]]', re.DOTALL)
#: Digits of the length of a string that fits into a message.
_LENGTH_DIGITS: Final = len(str(MAX_SIZE))


class Framer:
    """Cuts one direction of one connection into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        """How far the first message is known; 0 if not even its cookie is whole."""
        self._depth = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that `data` completes; raise `NgError` if no more can be found."""
        self._buffer += data
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        if len(self._buffer) > MAX_COOKIE + 1 + MAX_SIZE:
            raise NgError("a message does not end")
        return messages

    def _next(self) -> bytes | None:
        if self._at == 0 and not self._pass_cookie():
            return None
        follow = self._follow_json if self._first in b"{[" else self._follow_bencode
        if not follow():
            return None
        message = bytes(self._buffer[: self._at])
        del self._buffer[: self._at]
        self._at = self._depth = 0
        return message

    @property
    def _first(self) -> bytes:
        """The byte that the dictionary begins with."""
        start = self._buffer.index(b" ") + 1
        return bytes(self._buffer[start : start + 1])

    def _pass_cookie(self) -> bool:
        """Go behind cookie and space; whether the first byte of the dictionary is there."""
        buffer = self._buffer
        del buffer[: len(buffer) - len(buffer.lstrip())]
        space = buffer.find(b" ", 0, MAX_COOKIE + 1)
        if space < 0 and len(buffer) > MAX_COOKIE:
            raise NoCookie("no cookie")
        if space < 0 or len(buffer) == space + 1:
            return False
        self._at = space + 1
        return True

    def _follow_bencode(self) -> bool:
        """Go on to the end of the value; whether it is there."""
        buffer = self._buffer
        while self._at < len(buffer):
            mark = chr(buffer[self._at])
            if mark in "dle":
                self._enter(-1 if mark == "e" else 1)
            else:
                end = self._end_of_integer() if mark == "i" else self._end_of_string()
                if end is None or end > len(buffer):
                    return False
                self._at = end
            if self._depth == 0:
                return True
        return False

    def _follow_json(self) -> bool:
        for token in _JSON_TOKEN.finditer(self._buffer, self._at):
            mark = token[0]
            if mark == b'"':  # of a string that has not come to its end
                self._at = token.start()
                return False
            self._at = token.end() - 1
            if len(mark) == 1:
                self._enter(1 if mark in (b"{", b"[") else -1)
            else:
                self._at += 1
            if self._depth == 0:
                return True
        return False

    def _enter(self, levels: int) -> None:
        """Step over a mark that opens or closes something."""
        self._at += 1
        self._depth += levels
        if not 0 <= self._depth <= MAX_DEPTH:
            raise NgError("brackets do not match")

    def _end_of_integer(self) -> int | None:
        end = self._find(b"e", MAX_DIGITS + 2)
        return None if end is None else end + 1

    def _end_of_string(self) -> int | None:
        colon = self._find(b":", _LENGTH_DIGITS)
        digits = self._buffer[self._at : colon]
        if not digits.isdigit():
            raise NgError(f"no value at byte {self._at}")
        return None if colon is None else colon + 1 + int(digits)

    def _find(self, mark: bytes, most: int) -> int | None:
        """Return where `mark` is, None if it may still come, or raise `NgError` if it is not near enough."""
        found = self._buffer.find(mark, self._at, self._at + most + 1)
        if found < 0 and len(self._buffer) - self._at > most:
            raise NgError(f"no value at byte {self._at}")
        return None if found < 0 else found
