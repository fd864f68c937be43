"""Errors of the SIP core: each one knows the status a peer should see."""

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from .syntax.message import Request


class SipError(Exception):
    """Something a peer sent us cannot be processed; `reason` is the phrase that the peer may read."""

    status: ClassVar[int] = 400
    reason: str = "Bad Request"
    headers: tuple[tuple[str, str], ...] = ()
    """What the answer must carry besides."""
    request: "Request | None" = None
    """The request to answer, where the error came before anybody held it."""


class MalformedMessage(SipError):
    """The bytes are no SIP message: there is nobody to answer (§7)."""


class InvalidRequestLine(MalformedMessage):
    """A request line whose blanks are wrong, as nobody can tell what it asks for (§7.1)."""

    reason = "Invalid Request-Line"


class MessageTooLarge(SipError):
    """A message exceeds the bounds of `parser` (§21.5.7)."""

    status = 513
    reason = "Message Too Large"


class VersionNotSupported(SipError):
    """A start line names another version than SIP/2.0 (§21.5.6)."""

    status = 505
    reason = "Version Not Supported"


class MissingHeader(SipError):
    """A header that §8.1.1 makes mandatory is absent."""

    def __init__(self, name: str) -> None:
        super().__init__(f"mandatory header {name} is missing")
        self.name = name
        self.reason = f"Missing {name} Header"


class InvalidHeader(SipError):
    """A header value does not follow its grammar (§25.1)."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"header {name} is invalid: {value[:100]!r}")
        self.name = name
        self.reason = f"Invalid {name} Header"


class InvalidUri(SipError):
    """A URI does not follow its grammar (§19.1)."""

    def __init__(self, text: str) -> None:
        super().__init__(f"invalid URI {text[:100]!r}")
        self.reason = "Invalid URI"
