"""Formats of a media section: payload types and what they mean (RFC 4566 §6, RFC 3551 §6, RFC 3264 §6.1).

Read from m=, a=rtpmap and a=fmtp; written by splicing: lines of formats that stay are left as they are.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from .description import Media
from .errors import SdpError

#: More than any body of use has; the m= line is bounded by the body's own size.
MAX_FORMATS: Final = 128
#: Payload types that a body may give any meaning (RFC 3551 §6).
DYNAMIC: Final = range(96, 128)
#: Milliseconds of media in a packet where nothing else is said (RFC 3551 §4.2).
USUAL_PTIME: Final = 20

#: Characters about formats that are worth remembering; who says more is no phone.
MAX_KEPT: Final = 2000
_DESCRIBING: Final = ("a=rtpmap", "a=fmtp")
_RTPMAP: Final = re.compile(r"([0-9]{1,3}) ++([^\s/]++)/([0-9]{1,6})(?:/([0-9]{1,2}))?")
_PTIME: Final = re.compile(r"([0-9]{1,4})(?:\.[0-9]*+)?")
#: Attributes whose value begins with a payload type.
_OF_FORMATS: Final = frozenset({"rtpmap", "fmtp", "rtcp-fb"})


class Format(NamedTuple):
    """What one payload type stands for."""

    payload_type: int
    name: str
    clock: int
    """Ticks a second of its timestamps."""
    channels: int = 1
    parameters: str = ""
    """The value of a=fmtp behind the payload type."""

    @property
    def encoding(self) -> tuple[str, int, int]:
        """What makes two formats the same codec: names are the same in upper and lower case."""
        return self.name.lower(), self.clock, self.channels

    @property
    def rtpmap(self) -> str:
        """The value of its a=rtpmap."""
        channels = f"/{self.channels}" if self.channels > 1 else ""
        return f"{self.payload_type} {self.name}/{self.clock}{channels}"


#: What static payload types stand for without an a=rtpmap (RFC 3551 §6, tables 4 and 5).
STATIC: Final = {
    one.payload_type: one
    for one in (
        Format(0, "PCMU", 8000),
        Format(3, "GSM", 8000),
        Format(4, "G723", 8000),
        Format(5, "DVI4", 8000),
        Format(6, "DVI4", 16_000),
        Format(7, "LPC", 8000),
        Format(8, "PCMA", 8000),
        Format(9, "G722", 8000),
        Format(10, "L16", 44_100, 2),
        Format(11, "L16", 44_100),
        Format(12, "QCELP", 8000),
        Format(13, "CN", 8000),
        Format(14, "MPA", 90_000),
        Format(15, "G728", 8000),
        Format(16, "DVI4", 11_025),
        Format(17, "DVI4", 22_050),
        Format(18, "G729", 8000),
        Format(25, "CelB", 90_000),
        Format(26, "JPEG", 90_000),
        Format(28, "nv", 90_000),
        Format(31, "H261", 90_000),
        Format(32, "MPV", 90_000),
        Format(33, "MP2T", 90_000),
        Format(34, "H263", 90_000),
    )
}


def read_formats(media: Media) -> list[Format]:
    """Return the formats of an RTP section in their order; raises `SdpError`.

    One that nothing describes has an empty name.
    """
    lines = tuple([line for line in media.lines if line.startswith(_DESCRIBING)])
    is_usual = len(media.formats) + sum(map(len, lines)) < MAX_KEPT
    return list((_read if is_usual else _read.__wrapped__)(media.formats, lines))


@lru_cache(4096)
def _read(types: str, lines: tuple[str, ...]) -> tuple[Format, ...]:
    """Read the formats that some lines describe: phones say the same of them again and again."""
    numbers = types.split()
    if len(numbers) > MAX_FORMATS:
        raise SdpError(f"{len(numbers)} formats are too many")
    maps = _by_type(lines, "a=rtpmap")
    parameters = _by_type(lines, "a=fmtp")
    return tuple([_format(_number(text), maps, parameters) for text in numbers])


def write_formats(media: Media, formats: Sequence[Format]) -> None:
    """Let the section offer `formats`, in this order; there has to be one at least."""
    if formats == (known := read_formats(media)):
        return
    kept = set(known) & set(formats)
    stale = {one.payload_type for one in known if one not in kept}
    media.lines = [line for line in media.lines if _type_of(line) not in stale]
    media.replace_formats(" ".join(str(one.payload_type) for one in formats))
    for one in formats:
        if one not in kept:
            media.append_attribute("rtpmap", one.rtpmap)
            if one.parameters:
                media.append_attribute("fmtp", f"{one.payload_type} {one.parameters}")


def read_ptime(media: Media) -> int | None:
    """Return the milliseconds of media that a packet to who wrote this shall hold; None if it is not said."""
    said = next((line for line in media.lines if line.startswith("a=ptime:")), "")
    match = _PTIME.fullmatch(said[8:].strip())
    return int(match[1]) or None if match else None


def write_ptime(media: Media, ptime: int) -> None:
    """Ask for packets of `ptime` milliseconds; a=maxptime goes if it contradicts."""
    if read_ptime(media) != ptime:
        media.remove_attributes({"ptime"})
        media.append_attribute("ptime", str(ptime))
    longest = _PTIME.fullmatch(media.attribute("maxptime") or "")
    if longest and int(longest[1]) < ptime:
        media.remove_attributes({"maxptime"})


def free_type(taken: Iterable[int]) -> int:
    """Return a payload type that is not `taken`, or raise `SdpError`."""
    used = set(taken)
    for number in DYNAMIC:
        if number not in used:
            return number
    raise SdpError("no payload type is left")


def find(formats: Iterable[Format], wanted: Format) -> Format | None:
    """Return the one of `formats` that is the same codec: the same payload type if there are several."""
    same = [one for one in formats if one.encoding == wanted.encoding]
    return next((one for one in same if one.payload_type == wanted.payload_type), same[0] if same else None)


def with_types_of(answered: Collection[Format], offered: Collection[Format]) -> list[Format]:
    """Return the answered formats that were offered, by the payload types of the offer (RFC 3264 §6.1).

    An answer may have payload types of its own; it says what the answerer wants to get.
    """
    found = [find(offered, one) for one in answered]
    return list(dict.fromkeys(one for one in found if one is not None))


def _format(number: int, maps: dict[int, str], parameters: dict[int, str]) -> Format:
    said = parameters.get(number, "")
    if number not in maps:
        return STATIC.get(number, Format(number, "", 0))._replace(parameters=said)
    match = _RTPMAP.fullmatch(f"{number} {maps[number]}")
    if match is None or int(match[3]) == 0:
        raise SdpError(f"malformed a=rtpmap {maps[number][:100]!r}")
    return Format(number, match[2], int(match[3]), int(match[4] or 1) or 1, said)


def _by_type(lines: Iterable[str], name: str) -> dict[int, str]:
    """Return the values of attributes called `name` by the payload type that they begin with."""
    found: dict[int, str] = {}
    for line in lines:
        known, _, value = line.partition(":")
        number, _, rest = value.strip().partition(" ")
        if known.rstrip() == name and number.isascii() and number.isdecimal() and len(number) <= 3:
            found.setdefault(int(number), rest.strip())
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) < 128):
        raise SdpError(f"payload type {text[:20]!r} is no number below 128")
    return int(text)


def _type_of(line: str) -> int | None:
    """Return the payload type that an attribute line is about."""
    name, colon, value = line.partition(":")
    number = value.split(maxsplit=1)[0] if colon and value.strip() else ""
    is_one = name.startswith("a=") and name[2:].strip() in _OF_FORMATS
    return int(number) if is_one and number.isascii() and number.isdecimal() and len(number) <= 3 else None
