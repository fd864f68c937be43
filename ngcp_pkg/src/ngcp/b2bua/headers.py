"""Header lines of a message on one leg in, those that the other leg shows out."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from ngcp.sip.syntax.memory import remembered_shape
from ngcp.sip.syntax.message import Message

from .profile import HeaderFilter

#: What each leg has of its own; and what is between us and the proxy.
OWN: Final = frozenset(
    {
        *("via", "route", "record-route", "path", "service-route", "from", "to", "call-id", "cseq"),
        *("contact", "max-forwards", "content-length", "authorization", "proxy-authorization"),
        *("rseq", "rack", "supported", "require", "proxy-require", "session-expires", "min-se"),
        *(
            "p-app-name",
            "p-app-param",
            "p-proxy-uri",
            "replaces",
            "refer-to",
            "event",
            "target-dialog",
            "join",
        ),
    }
)
#: Option tags that mean the way to us, and no further one.
_HOP: Final = frozenset({"path", "outbound", "gruu", "sec-agree"})


class Sieve:
    """Chooses lines by the names of their headers."""

    def __init__(self, headers: HeaderFilter) -> None:
        allowed, denied = _any_of(headers.allow), _any_of(headers.deny)

        def places(shape: tuple[str, ...]) -> tuple[int, ...]:
            return tuple(
                place
                for place, name in enumerate(shape)
                if name not in OWN and allowed.fullmatch(name) and not denied.fullmatch(name)
            )

        self._places = remembered_shape(places)

    def pass_on(self, message: Message) -> list[str]:
        """Return the lines of `message` that the other leg may see."""
        places = self._places(message.shape)
        if not places:
            return []
        lines = message.lines
        return [lines[place] for place in places]


def options(message: Message, without: Collection[str], also: Collection[str] = ()) -> list[str]:
    """Return Supported and Require for the other leg: `without` some tags, but `also` with some."""
    lines = []
    supported = [tag for tag in _tags(message, "supported") if tag not in without and tag not in also]
    if supported or also:
        lines.append(f"Supported: {', '.join((*supported, *also))}")
    required = [tag for tag in _tags(message, "require") if tag not in without]
    if required:
        lines.append(f"Require: {', '.join(required)}")
    return lines


def _tags(message: Message, header: str) -> list[str]:
    if header not in message:
        return []
    return [tag for value in message.all(header) if (tag := value.lower()) not in _HOP]


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern for canonical names; a star is bounded like a name is."""
    words = (re.escape(pattern.lower()).replace(r"\*", "[^:]{0,128}") for pattern in patterns)
    return re.compile("|".join(words) or r"(?!)")
