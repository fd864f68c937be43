"""Bytes of a session description to its sections, and back (RFC 4566 §5, RFC 3264).

Lines stay as they came, line ends and all; an edit changes, adds or takes out single lines, so what nobody
edited leaves byte-identical. Only what the routing of media needs is read: o=, c=, m=, the direction and
`a=rtcp` (RFC 3605); lines nobody asks for may hold anything.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple, Self

from .connection import Connection
from .errors import SdpError

#: A SIP message over UDP cannot carry more.
MAX_SIZE: Final = 65_535
#: Each media section costs a relay ports; phones offer one to four.
MAX_MEDIA: Final = 32
#: The directions of RFC 3264 §5.1.
DIRECTIONS: Final = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})

_LINE: Final = re.compile(r"[^\n]*+\n|[^\n]++")
_ORIGIN: Final = re.compile(r"(o=\S++ ++\S++ ++\S++ ++)(IN ++IP[46] ++\S++)( *+)")
_MEDIA: Final = re.compile(
    r"(m=(?P<kind>\S++) ++)(?P<port>[0-9]{1,5})(?:/[0-9]++)?( ++(?P<protocol>\S++))(?P<formats>(?: .*+)?)"
)
_RTCP: Final = re.compile(r"([0-9]{1,5})(?: ++(\S.*+))?")


class _Attributes(NamedTuple):
    """What the lines a= of a section say."""

    all: list[tuple[int, str, str]]
    """Place, name and value."""
    values: dict[str, list[str]]
    """Values by name."""


class Section:
    """The lines of the session, or of one media description."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.connection = self._read_connection()

    @property
    def lines(self) -> Sequence[str]:
        """All lines with their ends; edits go by the methods, or put others in their place."""
        return self._lines

    @lines.setter
    def lines(self, lines: list[str]) -> None:
        self._lines = lines
        self._known: _Attributes | None = None

    @property
    def own_direction(self) -> str | None:
        """The direction that this section itself states."""
        return next((name for _, name, _ in self._attributes().all if name in DIRECTIONS), None)

    def has_attribute(self, name: str) -> bool:
        """Whether an attribute called `name` is here (§5.13)."""
        return name in self._attributes().values

    @property
    def names(self) -> set[str]:
        """What attributes there are."""
        return {*self._attributes().values}

    def attributes(self, name: str) -> Iterator[str]:
        """Go through the values of the attributes called `name`."""
        return iter(self._attributes().values.get(name, ()))

    def attribute(self, name: str) -> str | None:
        """Return the value of the first attribute called `name`."""
        return next(self.attributes(name), None)

    def append_attribute(self, name: str, value: str = "") -> None:
        """Put an attribute behind all that is here."""
        end = _end(self.lines[0]) or "\r\n"
        last = _content(self.lines[-1]) + end
        self.lines = [*self.lines[:-1], last, f"a={name}:{value}{end}" if value else f"a={name}{end}"]

    def replace_direction(self, direction: str) -> None:
        """State `direction` (RFC 3264 §5.1)."""
        self.remove_attributes(DIRECTIONS)
        self.append_attribute(direction)

    def replace_connection(self, connection: Connection) -> None:
        """Put `connection` in the place of the c= lines; a section without any stays as it is."""
        for index in self._starting("c="):
            self.replace_line(index, f"c={connection}")

    def remove_attributes(self, names: Collection[str]) -> None:
        """Take out every attribute whose name is in `names`."""
        doomed = {index for index, name, _ in self._attributes().all if name in names}
        if doomed:
            self.lines = [line for index, line in enumerate(self.lines) if index not in doomed]

    def _read_connection(self) -> Connection | None:
        index = next(self._starting("c="), None)
        return None if index is None else Connection.parse(_content(self.lines[index])[2:])

    def _attributes(self) -> "_Attributes":
        """Read them once for all who ask, until a line changes."""
        known = self._known
        if known is None:
            known = self._known = _Attributes([], {})
            for index, line in enumerate(self._lines):
                if line.startswith("a="):
                    name, _, value = line[2:].partition(":")
                    name, value = name.strip(), value.strip()
                    known.all.append((index, name, value))
                    known.values.setdefault(name, []).append(value)
        return known

    def _starting(self, prefix: str) -> Iterator[int]:
        return (index for index, line in enumerate(self.lines) if line.startswith(prefix))

    def replace_line(self, index: int, content: str) -> None:
        """Put `content` in the place of a line, whose end stays."""
        self._lines[index] = content + _end(self._lines[index])
        self._known = None


class Media(Section):
    """One media description: an m= line and what belongs to it (§5.14)."""

    def __init__(self, lines: list[str], session: Section) -> None:
        super().__init__(lines)
        self._session = session
        match = _MEDIA.fullmatch(_content(lines[0]))
        if match is None or int(match["port"]) > 65_535:
            raise SdpError(f"malformed media line {lines[0][:100]!r}")
        self.kind = match["kind"]
        self.port = int(match["port"])
        self.protocol = match["protocol"]
        self.formats = match["formats"].strip()
        self._around_port = match[1], match[4]
        self._spaced_formats = match["formats"]

    @property
    def is_rejected(self) -> bool:
        """Whether port 0 disables this stream (RFC 3264 §5.1, §6)."""
        return self.port == 0

    @property
    def effective_connection(self) -> Connection:
        """The connection data in force: its own, else the session's (§5.7)."""
        connection = self.connection or self._session.connection
        if connection is None:
            raise SdpError(f"no connection data for {self.kind[:100]!r}")
        return connection

    @property
    def direction(self) -> str:
        """The direction in force (RFC 3264 §5.1)."""
        return self.own_direction or self._session.own_direction or "sendrecv"

    @property
    def rtcp(self) -> tuple[int, Connection]:
        """Where RTCP is wanted: what `a=rtcp` says, else at the next port (RFC 3605 §2.1)."""
        stated = self._read_rtcp()
        if stated is None:
            return min(self.port + 1, 65_535), self.effective_connection
        _, port, connection = stated
        return port, connection or self.effective_connection

    def replace_port(self, port: int) -> None:
        """Put `port`, and no count of ports, in the m= line."""
        self.port = port
        self._write()

    def replace_formats(self, formats: str) -> None:
        """Put `formats` at the end of the m= line."""
        self.formats, self._spaced_formats = formats, f" {formats}"
        self._write()

    def _write(self) -> None:
        before, behind = self._around_port
        self.replace_line(0, f"{before}{self.port}{behind}{self._spaced_formats}")

    def replace_protocol(self, protocol: str) -> None:
        """Put `protocol` in the m= line."""
        before, behind = self._around_port
        self._around_port = before, behind.replace(self.protocol, protocol, 1)
        self.protocol = protocol
        self.replace_port(self.port)

    def replace_rtcp(self, port: int, connection: Connection) -> None:
        """Let `a=rtcp`, where there is one, name `port`, and `connection` if it named an address."""
        stated = self._read_rtcp()
        if stated is not None:
            index, _, named = stated
            self.replace_line(index, f"a=rtcp:{port} {connection}" if named else f"a=rtcp:{port}")

    def insert_connection(self, connection: Connection) -> None:
        """Add a c= line where the grammar wants it: behind m= and i= (§5)."""
        place = 2 if len(self.lines) > 1 and self.lines[1].startswith("i=") else 1
        end = _end(self.lines[0]) or "\r\n"
        self._replace_end(place - 1, end)
        self.lines = [*self.lines[:place], f"c={connection}{end}", *self.lines[place:]]
        self.connection = connection

    def _replace_end(self, index: int, end: str) -> None:
        self._lines[index] = _content(self._lines[index]) + end

    def _read_rtcp(self) -> tuple[int, int, Connection | None] | None:
        for index, name, value in self._attributes().all:
            if name == "rtcp":
                match = _RTCP.fullmatch(value)
                if match is None or not 0 < int(match[1]) <= 65_535:
                    raise SdpError(f"malformed a=rtcp {value[:100]!r}")
                return index, int(match[1]), Connection.parse(match[2]) if match[2] else None
        return None


class Description:
    """A whole session description; `bytes()` gives it back with its edits."""

    def __init__(self, lines: list[str]) -> None:
        starts = [index for index, line in enumerate(lines) if line.startswith("m=")]
        if len(starts) > MAX_MEDIA:
            raise SdpError(f"{len(starts)} media sections are too many")
        bounds = [*starts, len(lines)]
        self.session = Section(lines[: bounds[0]])
        self.media = tuple(
            Media(lines[start:stop], self.session) for start, stop in zip(starts, bounds[1:], strict=True)
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a session description, or raise `SdpError`."""
        if len(data) > MAX_SIZE:
            raise SdpError(f"{len(data)} bytes are too many")
        text = data.decode("utf-8", "surrogateescape")
        if "\0" in text or "\r" in text.replace("\r\n", ""):
            raise SdpError("a line holds NUL or CR")
        if not text.startswith("v=0"):
            raise SdpError("the first line is not v=0")
        return cls(_LINE.findall(text))

    def __bytes__(self) -> bytes:
        lines = [line for section in (self.session, *self.media) for line in section.lines]
        return "".join(lines).encode("utf-8", "surrogateescape")

    def replace_origin(self, connection: Connection) -> None:
        """Put the address of `connection` in the o= line (§5.2)."""
        for index, line in enumerate(self.session.lines):
            if line.startswith("o="):
                match = _ORIGIN.fullmatch(_content(line))
                if match is None:
                    raise SdpError(f"malformed origin {line[:100]!r}")
                self.session.replace_line(index, f"{match[1]}{connection}{match[3]}")

    def remove_attributes(self, names: Collection[str]) -> None:
        """Take out every attribute, of the session or of a media section, whose name is in `names`."""
        for section in (self.session, *self.media):
            section.remove_attributes(names)


def _content(line: str) -> str:
    return line.rstrip("\r\n")


def _end(line: str) -> str:
    return line[len(_content(line)) :]
