"""Messages of the ng protocol: a cookie, a space, a dictionary in bencode or in JSON.

Datagram in, `Message` out, and back. The cookie joins a reply to its request and marks retransmissions;
a request names its `command`, a reply its `result`, in the form of the request.
"""

from dataclasses import dataclass
from typing import Final, Self

from . import bencode, jsontext
from .bencode import Value

#: The real clients use 10 to 40 characters.
MAX_COOKIE: Final = 255


class NgError(Exception):
    """A datagram is no message of the ng protocol."""


class NoCookie(NgError):
    """There is no cookie, so there is nobody to answer."""


class MalformedDictionary(NgError):
    """What follows the cookie is no dictionary."""

    def __init__(self, cookie: str, problem: str, *, is_json: bool = False) -> None:
        super().__init__(problem)
        self.cookie = cookie
        self.is_json = is_json


@dataclass(slots=True)
class Message:
    """A request or a reply; strings are text with surrogates for bytes that are not UTF-8."""

    cookie: str
    fields: dict[str, Value]
    is_json: bool = False
    """Whether it is written in JSON."""

    @classmethod
    def parse(cls, datagram: bytes) -> Self:
        """Read one datagram, or raise `NgError`."""
        head, space, body = datagram.partition(b" ")
        if not space or not 0 < len(head) <= MAX_COOKIE:
            raise NoCookie("no cookie")
        cookie = head.decode("utf-8", "surrogateescape")
        is_json = body.startswith(b"{")
        try:
            fields = jsontext.decode(body) if is_json else bencode.decode(body)
        except ValueError as error:
            raise MalformedDictionary(cookie, str(error), is_json=is_json) from error
        if not isinstance(fields, dict):
            raise MalformedDictionary(cookie, "the value is no dictionary")
        return cls(cookie, fields, is_json)

    def __bytes__(self) -> bytes:
        body = jsontext.encode(self.fields) if self.is_json else bencode.encode(self.fields)
        return self.cookie.encode("utf-8", "surrogateescape") + b" " + body

    def text(self, name: str) -> str | None:
        """Return the string called `name`; None where it is absent, empty or no string."""
        value = self.fields.get(name)
        return value if isinstance(value, str) and value else None

    def texts(self, name: str) -> list[str]:
        """Return the strings in the list called `name`; the protocol allows one string in place of a list."""
        value = self.fields.get(name, [])
        members = value if isinstance(value, list) else [value]
        return [member for member in members if isinstance(member, str)]
