"""Session descriptions of what the node itself says (RFC 3264): one audio stream, and keys."""

from typing import Final, NamedTuple

from ngcp.sdp import Description, Media, SdpError
from ngcp.sdp.formats import Format, read_formats
from ngcp.sip.errors import SipError
from ngcp.sip.transport.flow import Address

from .speech import G722, PCMA, PCMU, SPEECH, Speech
from .stream import Language

CONTENT_TYPE: Final = "Content-Type: application/sdp"
#: A port where nothing is sent to.
DISCARD: Final = 9
#: What each direction is answered with (RFC 3264 §6.1), when we would both send and receive.
_MIRRORED: Final = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_EVENTS: Final = Format(101, "telephone-event", 8000, 1, "0-15")


def _format(speech: Speech) -> Format:
    return Format(speech.payload_type, speech.name, 8000)


_SPOKEN: Final = frozenset(_format(speech).encoding for speech in SPEECH.values())
#: What we offer, the best first: what the node says by itself is of telephone quality anyway.
_OFFERED: Final = (*map(_format, (PCMA, PCMU, G722)), _EVENTS)


class NotAcceptableHere(SipError):
    """A session without a stream that we speak (RFC 3261 §21.4.26)."""

    status = 488


class Offer(NamedTuple):
    """What the other side said of its session, and what becomes of it."""

    description: Description
    place: int
    """Of the media section that we take part in; all others are rejected."""
    language: Language
    remote: Address
    """Where it wants packets."""
    direction: str
    """What we say of ours."""

    @property
    def may_talk(self) -> bool:
        """Whether it wants to hear us."""
        return self.direction in ("sendrecv", "sendonly")


def read(body: bytes) -> Offer:
    """Read an offer or an answer, or raise `NotAcceptableHere`."""
    try:
        description = Description.parse(body)
        for place, media in enumerate(description.media):
            language = _language(media)
            if language is not None:
                connection = media.effective_connection
                direction = "inactive" if connection.is_unspecified else _MIRRORED[media.direction]
                return Offer(description, place, language, (connection.host, media.port), direction)
    except SdpError as error:
        raise NotAcceptableHere(str(error)) from error
    raise NotAcceptableHere(f"no audio by RTP/AVP in {', '.join(SPEECH)}")


def answer(offer: Offer, local: Address, number: int, version: int) -> bytes:
    """Answer an offer: we are at `local`; `number` names our session, `version` counts its descriptions."""
    lines = _head(local, number, version)
    for place, media in enumerate(offer.description.media):
        if place == offer.place:
            lines += _section(local, offer.language, offer.direction)
        else:
            lines.append(f"m={media.kind} 0 {media.protocol} {media.formats}")
    return _text(lines)


def propose(local: Address, number: int, version: int) -> bytes:
    """Offer what we speak."""
    formats = " ".join(str(one.payload_type) for one in _OFFERED)
    return _text(
        [
            *_head(local, number, version),
            f"m=audio {local[1]} RTP/AVP {formats}",
            *(f"a=rtpmap:{one.rtpmap}" for one in _OFFERED),
            f"a=fmtp:{_EVENTS.payload_type} {_EVENTS.parameters}",
            "a=ptime:20",
            "a=sendrecv",
        ]
    )


def wait(body: bytes, number: int) -> bytes:
    """Answer an offer so that nothing flows yet (RFC 3725 §4.2), or raise `NotAcceptableHere`."""
    try:
        description = Description.parse(body)
    except SdpError as error:
        raise NotAcceptableHere(str(error)) from error
    if not description.media:
        raise NotAcceptableHere("no media")
    lines = _head(("0.0.0.0", 0), number, 1)
    for media in description.media:
        is_taken = media.protocol in ("RTP/AVP", "RTP/AVPF") and not media.is_rejected
        lines.append(f"m={media.kind} {DISCARD if is_taken else 0} {media.protocol} {media.formats}")
        if is_taken:
            lines += (f"a=rtpmap:{value}" for value in media.attributes("rtpmap"))
            lines.append("a=inactive")
    return _text(lines)


def _language(media: Media) -> Language | None:
    if media.is_rejected or media.kind != "audio" or media.protocol != "RTP/AVP":
        return None
    formats = read_formats(media)
    speech = next((one for one in formats if one.encoding in _SPOKEN), None)
    if speech is None:
        return None
    events = next((one for one in formats if one.encoding == _EVENTS.encoding), None)
    return Language(speech.name.upper(), speech.payload_type, events.payload_type if events else None)


def _section(local: Address, language: Language, direction: str) -> list[str]:
    formats, lines = [str(language.payload_type)], [f"a=rtpmap:{language.payload_type} {language.codec}/8000"]
    if language.event_type is not None:
        formats.append(str(language.event_type))
        lines += [
            f"a=rtpmap:{language.event_type} telephone-event/8000",
            f"a=fmtp:{language.event_type} 0-15",
        ]
    return [f"m=audio {local[1]} RTP/AVP {' '.join(formats)}", *lines, "a=ptime:20", f"a={direction}"]


def _head(local: Address, number: int, version: int) -> list[str]:
    host = f"IP6 {local[0]}" if ":" in local[0] else f"IP4 {local[0]}"
    return ["v=0", f"o=- {number} {version} IN {host}", "s=-", f"c=IN {host}", "t=0 0"]


def _text(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
