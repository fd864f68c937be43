"""Header field values (RFC 3261 §20): Via, CSeq, name-addr, lists and authentication parameters.

Patterns are linear by construction, since strangers choose what they read: every repetition without a bound
is possessive (`*+`, `++`), so a match never goes back, and a quote or bracket left open reaches to the end.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self
from urllib.parse import unquote

from ..errors import InvalidHeader
from .uri import LWS, Uri, format_params, parse_params
from .usual import Params, read_cseq, read_name_addr, read_via

_TOKEN: Final = r"[A-Za-z0-9.!%*_+`'~-]++"
_QUOTED: Final = r'"(?:[^"\\]++|\\.)*+'  # without its closing quote
_VIA: Final = re.compile(
    rf"SIP\s*+/\s*+2\.0\s*+/\s*+({_TOKEN})\s++"
    r"(\[[0-9A-F:.]++\]|[A-Z0-9_.-]++)\s*+(?::\s*+(\d{1,5}))?\s*+((?:;.*+)?)",
    re.IGNORECASE | re.ASCII,
)
_CSEQ: Final = re.compile(rf"([0-9]{{1,10}})[ \t]++({_TOKEN})")
_DISPLAY: Final = re.compile(
    rf'\s*+({_QUOTED}"|[^"<>;,:@]*+)\s*+<([^<>]*+)>\s*+((?:;.*+)?)', re.DOTALL | re.ASCII
)
_AUTH_PARAM: Final = re.compile(
    rf'\s*+([A-Za-z0-9_*-]++)\s*+=\s*+({_QUOTED}"|[^\s,"]++)\s*+(?:,|$)', re.DOTALL | re.ASCII
)
_ESCAPED: Final = re.compile(r"\\(.)")
_SEPARATORS: Final = {
    ",": re.compile(rf'{_QUOTED}"?|<[^>]*+>?|,', re.DOTALL),
    ";": re.compile(rf'{_QUOTED}"?|;', re.DOTALL),
}


def split_outside(text: str, separator: str) -> list[str]:
    """Split at `,` or `;` where it stands neither in a quoted string nor (commas) in angle brackets."""
    parts, start = [], 0
    for match in _SEPARATORS[separator].finditer(text):
        if match[0] == separator:
            parts.append(text[start : match.start()].strip(LWS))
            start = match.end()
    parts.append(text[start:].strip(LWS))
    return [part for part in parts if part]


def split_list(text: str) -> list[str]:
    """Split the values of a list header (§7.3.1)."""
    return split_outside(text, ",") if "," in text else [text]


def split_first(text: str) -> tuple[str, str]:
    """Return the first value of a list header and the text of the others (§7.3.1)."""
    start = 0
    for match in _SEPARATORS[","].finditer(text) if "," in text else ():
        if match[0] == ",":
            first = text[start : match.start()].strip(LWS)
            start = match.end()
            if first:
                return first, text[start:].lstrip(f",{LWS}").rstrip(LWS)
    return text[start:].strip(LWS), ""


def unquote_string(text: str) -> str:
    """Return what a quoted-string means; any other text means itself (§25.1)."""
    if len(text) > 1 and text[0] == '"' == text[-1]:
        return _ESCAPED.sub(r"\1", text[1:-1])
    return text


def quote_string(text: str) -> str:
    """Write `text` as a quoted-string (§25.1)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _field_params(text: str, header: str) -> Params:
    if '"' not in text:
        if ";;" in text:
            raise InvalidHeader(header, text)
        return parse_params(text)
    params: Params = {}
    for part in split_outside(text, ";"):
        name, equals, value = part.partition("=")
        params.setdefault(name.strip(LWS).lower(), value.strip(LWS) if equals else None)
    return params


class CSeq(NamedTuple):
    """A sequence number and the method it counts (§20.16)."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> "CSeq":
        """Read `314159 INVITE`, or raise `InvalidHeader`."""
        usual = read_cseq(text)
        if usual is not None:
            return cls(*usual)
        match = _CSEQ.fullmatch(text)
        if match is None or int(match[1]) >= 2**32:
            raise InvalidHeader("CSeq", text)
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(slots=True)
class Via:
    """One hop of a request's path (§20.42); transport in lower case, as in `Flow`."""

    transport: str
    host: str
    port: int | None = None
    params: Params = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one Via value, or raise `InvalidHeader`."""
        usual = read_via(text)
        if usual is not None:
            return cls(*usual)
        match = _VIA.fullmatch(text)
        if match is None or (match[3] and not 0 < int(match[3]) < 65536):
            raise InvalidHeader("Via", text)
        transport, host, port, params = match.groups()
        return cls(transport.lower(), host.lower(), int(port) if port else None, _field_params(params, "Via"))

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport.upper()} {self.host}{port}{format_params(self.params)}"

    @property
    def branch(self) -> str:
        """The transaction's identifier; empty where an RFC 2543 element left it out."""
        return self.params.get("branch") or ""

    @property
    def sent_by(self) -> tuple[str, int]:
        """Host and port, with the transport's default port filled in (§18.1.1)."""
        return self.host, self.port or (5061 if self.transport == "tls" else 5060)


@dataclass(slots=True)
class NameAddr:
    """`"Display" <address>;params` as in From, To, Contact, Route (§20.10); `display` is unquoted."""

    display: str
    address: str
    params: Params = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, header: str = "Contact") -> Self:
        """Read a name-addr or a bare addr-spec, or raise `InvalidHeader` naming `header`."""
        usual = read_name_addr(text)
        if usual is not None:
            return cls(*usual)
        if "<" not in text:  # §20.10: without brackets, parameters belong to the header, and "?" is forbidden
            address, _, params = text.partition(";")
            address = address.strip(LWS)
            if not address or "?" in address:
                raise InvalidHeader(header, text)
            return cls("", address, _field_params(params, header))
        match = _DISPLAY.fullmatch(text)
        if match is None:
            raise InvalidHeader(header, text)
        return cls(unquote_string(match[1].strip(LWS)), match[2], _field_params(match[3], header))

    def __str__(self) -> str:
        display = f"{quote_string(self.display)} " if self.display else ""
        return f"{display}<{self.address}>{format_params(self.params)}"

    @property
    def uri(self) -> Uri:
        """The address as a value; raises `InvalidUri`."""
        return Uri.parse(self.address)

    @property
    def tag(self) -> str | None:
        """The dialog tag of From and To (§19.3)."""
        return self.params.get("tag")


def parse_auth(text: str) -> tuple[str, dict[str, str]]:
    """Read `Digest name="value", …` into scheme (lower case) and unquoted parameters (§25.1)."""
    scheme, _, rest = text.strip(LWS).partition(" ")
    params: dict[str, str] = {}
    position = 0
    while position < len(rest):
        match = _AUTH_PARAM.match(rest, position)
        if match is None:
            raise InvalidHeader("Authorization", text)
        params.setdefault(match[1].lower(), unquote_string(match[2]))
        position = match.end()
    return scheme.lower(), params


def parse_username(params: Mapping[str, str]) -> str | None:
    """Return the username of digest credentials, from `username` or `username*` (RFC 7616 §3.4.4)."""
    extended = params.get("username*")
    if extended is None or "username" in params:
        return params.get("username")
    charset, _, rest = extended.partition("'")
    try:
        if charset.upper() != "UTF-8":
            raise LookupError(charset)
        return unquote(rest.partition("'")[2], errors="strict")
    except (LookupError, UnicodeDecodeError) as error:
        raise InvalidHeader("Authorization", extended) from error


def user_in(username: str, realm: str) -> str:
    """Return the user that `username` means in `realm`: phones say `user` or `user@realm`."""
    user, at, domain = username.rpartition("@")
    return user if at and domain.lower() == realm.lower() else username
