"""One command of the ng protocol: what a request says, and what the table knows of its name."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, Self

from ngcp.ng.bencode import Value, decode, encode
from ngcp.ng.commands import Message

from ..bodies import Sender
from ..call import Signal
from ..errors import Incomplete, Malformed
from ..flags import Wishes, read

Fields = dict[str, Value]


class Request(NamedTuple):
    """A command as somebody sent it."""

    message: Message
    """With hyphens in the names of keys, where the protocol allows spaces in their place."""
    signal: Signal
    """What it says of a call."""
    ignored: list[str]
    """What none of us understands."""
    now: float

    @classmethod
    def read(cls, received: Message, now: float) -> Self:
        """Read what is common to all commands."""
        fields = {key.replace(" ", "-"): value for key, value in received.fields.items()}
        message = Message(received.cookie, fields, received.is_json)
        wishes, unknown = _wishes(fields)
        signal = Signal(
            call_id=message.text("call-id") or "",
            from_tag=message.text("from-tag") or "",
            to_tag=message.text("to-tag") or "",
            via_branch=message.text("via-branch") or "",
            sdp=(message.text("sdp") or "").encode("utf-8", "surrogateescape"),
            sender=Sender(
                _received_from(message),
                is_there="SIP-source-address" in wishes.flags,
                is_asymmetric="asymmetric" in wishes.flags,
            ),
            wishes=wishes,
        )
        return cls(message, signal, [*unknown], now)

    def require(self, *names: str) -> None:
        """Raise `Incomplete` unless all of these texts are there."""
        for name in names:
            if self.message.text(name) is None:
                raise Incomplete("SDP body" if name == "sdp" else name)

    def whole(self, name: str, usual: int) -> int:
        """Return the positive number called `name`, `usual` if there is none; else raise `Malformed`."""
        value = self.message.fields.get(name, usual)
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
            value = int(value)
        if not isinstance(value, int) or value < 1:
            raise Malformed(name)
        return value


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table."""

    execute: Callable[[Request], Fields]
    """Returns the fields of the reply, or raises `RelayError`."""
    needs: tuple[str, ...] = ()
    """Texts without which it is refused."""
    keys: frozenset[str] = frozenset()
    """Keys that it reads beside those that `Request` reads."""


Table = Mapping[str, Command]


#: What differs from call to call, and is no wish.
_OF_A_CALL: Final = frozenset(
    {"call-id", "command", "from-tag", "received-from", "sdp", "supports", "to-tag", "via-branch"}
)


def _wishes(fields: Mapping[str, Value]) -> tuple[Wishes, list[str]]:
    """Read what a proxy wishes of call after call in the same words; the words are remembered."""
    wished = {key: value for key, value in fields.items() if key not in _OF_A_CALL}
    return _remembered(encode(wished))


@lru_cache(512)
def _remembered(wished: bytes) -> tuple[Wishes, list[str]]:
    fields = decode(wished)
    assert isinstance(fields, dict), "what was encoded"
    return read(fields)


def _received_from(message: Message) -> str | None:
    """Return the literal address in `received-from: [IP4|IP6, address]`."""
    words = message.texts("received-from")
    try:
        return str(ipaddress.ip_address(words[1])) if len(words) == 2 else None
    except ValueError:
        return None
