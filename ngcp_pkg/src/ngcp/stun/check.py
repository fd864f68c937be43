"""Connectivity checks as a lite agent answers them (RFC 8445 §2.5, §7.3): a request in, a verdict out.

A lite agent sends no checks and is always controlled. Only who knows the password that our description told
may have its source believed.
"""

from typing import Final, NamedTuple

from .message import (
    ERROR,
    ICE_CONTROLLED,
    REQUEST,
    SUCCESS,
    USE_CANDIDATE,
    USERNAME,
    Address,
    Message,
    error,
    mapped,
    read,
    unknown_attributes,
    write,
)

#: Longest and shortest user fragment and password (RFC 8839 §5.4).
UFRAG: Final = range(4, 257)
PASSWORD: Final = range(22, 257)


class Credentials(NamedTuple):
    """What one agent's description tells those who check it."""

    ufrag: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials({self.ufrag!r}, …)"


class Verdict(NamedTuple):
    """What a datagram on a media port means for the checks."""

    answer: bytes | None = None
    """What to send back to its source."""
    is_valid: bool = False
    """Whether it comes from the peer: its source may be believed."""
    is_nominated: bool = False
    """Whether the peer wants media to go this way."""


NOTHING: Final = Verdict()


def judge(data: bytes, source: Address, ours: Credentials, their_ufrag: str | None = None) -> Verdict:
    """Answer a check of the peer that has `their_ufrag`; without, of any peer that knows our password."""
    request = read(data)
    if request is None or request.kind != REQUEST:
        return NOTHING
    if USERNAME not in request.attributes or not request.signed:
        return _refused(request, 400, "Bad Request")
    key = ours.password.encode()
    if not _is_for(request, ours.ufrag, their_ufrag) or not request.is_signed_by(key):
        return _refused(request, 401, "Unauthorized")
    if request.unknown:
        return Verdict(write(ERROR, request.transaction, unknown_attributes(request.unknown), key))
    if ICE_CONTROLLED in request.attributes:
        return Verdict(write(ERROR, request.transaction, [error(487, "Role Conflict")], key))
    success = write(SUCCESS, request.transaction, [mapped(source, request.transaction)], key)
    return Verdict(success, True, USE_CANDIDATE in request.attributes)


def _is_for(request: Message, our_ufrag: str, their_ufrag: str | None) -> bool:
    """Whether the user name is ours, a colon, theirs (RFC 8445 §7.2.2)."""
    ours, colon, theirs = request.attributes[USERNAME].decode("utf-8", "replace").partition(":")
    return bool(colon) and ours == our_ufrag and their_ufrag in (None, theirs)


def _refused(request: Message, code: int, reason: str) -> Verdict:
    return Verdict(write(ERROR, request.transaction, [error(code, reason)]))
