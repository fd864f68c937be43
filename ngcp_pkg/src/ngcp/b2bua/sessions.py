"""Session descriptions on their way from leg to leg: which media and which codecs the operator lets pass.

A stream that may not be is refused by port 0 and stays in its place: both sides count streams (RFC 3264 §6).
"""

from dataclasses import dataclass
from typing import Final

from ngcp.sdp import Description, Media, SdpError
from ngcp.sdp.formats import Format, read_formats, write_formats
from ngcp.sip.syntax.message import Message

#: The body that is looked into; any other one, one of several parts too, passes as it is.
_SDP: Final = "application/sdp"


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """What a session may be made of; names in any case, as `audio`, `PCMA`, `telephone-event`."""

    media: tuple[str, ...] = ()
    """Kinds of media that pass; empty: all."""
    codecs: tuple[str, ...] = ()
    """Codecs that pass; empty: all."""
    without: tuple[str, ...] = ()
    """Codecs that do not."""

    @property
    def is_open(self) -> bool:
        """Whether everything passes."""
        return not (self.media or self.codecs or self.without)


class Sessions:
    """Applies one filter."""

    def __init__(self, rules: SessionFilter) -> None:
        self._is_open = rules.is_open
        self._media = frozenset(name.lower() for name in rules.media)
        self._codecs = frozenset(name.lower() for name in rules.codecs)
        self._without = frozenset(name.lower() for name in rules.without)

    def pass_on(self, message: Message) -> bytes:
        """Return the body for the other leg; one that cannot be read passes as it is."""
        body = message.body
        if self._is_open or not body or not (message.get("content-type") or "").lower().startswith(_SDP):
            return body
        try:
            description = Description.parse(body)
            for media in description.media:
                self._restrict(media)
        except SdpError:
            return body
        return bytes(description)

    def _restrict(self, media: Media) -> None:
        if media.is_rejected:
            return
        if self._media and media.kind.lower() not in self._media:
            media.replace_port(0)
        elif "RTP/" in media.protocol:
            formats = read_formats(media)
            kept = [one for one in formats if self._may(one)]
            if kept:
                write_formats(media, kept)
            else:
                media.replace_port(0)

    def _may(self, one: Format) -> bool:
        name = one.name.lower()
        return name not in self._without and (not self._codecs or name in self._codecs)
