"""Bytes of a session description to its sections, and back (RFC 4566 §5, RFC 3264).

Lines stay as they came, line ends and all; an edit changes, adds or takes out single lines, so what nobody
edited leaves byte-identical. Only what the routing of media needs is read: o=, c=, m=, the direction and
`a=rtcp` (RFC 3605); lines nobody asks for may hold anything.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final, Self

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
    r"(m=(?P<kind>\S++) ++)(?P<port>[0-9]{1,5})(?:/[0-9]++)?( ++(?P<protocol>\S++)(?: .*+)?)"
)
_RTCP: Final = re.compile(r"([0-9]{1,5})(?: ++(\S.*+))?")


class Section:
    """The lines of the session, or of one media description."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.connection = self._read_connection()

    @property
    def own_direction(self) -> str | None:
        """The direction that this section itself states."""
        return next((name for _, name, _ in self._attributes() if name in DIRECTIONS), None)

    def has_attribute(self, name: str) -> bool:
        """Whether an attribute called `name` is here (§5.13)."""
        return any(name == known for _, known, _ in self._attributes())

    def replace_connection(self, connection: Connection) -> None:
        """Put `connection` in the place of the c= lines; a section without any stays as it is."""
        for index in self._starting("c="):
            self._replace(index, f"c={connection}")

    def remove_attributes(self, names: Collection[str]) -> None:
        """Take out every attribute whose name is in `names`."""
        doomed = {index for index, name, _ in self._attributes() if name in names}
        self.lines = [line for index, line in enumerate(self.lines) if index not in doomed]

    def _read_connection(self) -> Connection | None:
        index = next(self._starting("c="), None)
        return None if index is None else Connection.parse(_content(self.lines[index])[2:])

    def _attributes(self) -> Iterator[tuple[int, str, str]]:
        for index in self._starting("a="):
            name, _, value = _content(self.lines[index])[2:].partition(":")
            yield index, name.strip(), value.strip()

    def _starting(self, prefix: str) -> Iterator[int]:
        return (index for index, line in enumerate(self.lines) if line.startswith(prefix))

    def _replace(self, index: int, content: str) -> None:
        self.lines[index] = content + _end(self.lines[index])


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
        self._around_port = match[1], match[4]

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
        before, behind = self._around_port
        self._replace(0, f"{before}{port}{behind}")
        self.port = port

    def replace_rtcp(self, port: int, connection: Connection) -> None:
        """Let `a=rtcp`, where there is one, name `port`, and `connection` if it named an address."""
        stated = self._read_rtcp()
        if stated is not None:
            index, _, named = stated
            self._replace(index, f"a=rtcp:{port} {connection}" if named else f"a=rtcp:{port}")

    def insert_connection(self, connection: Connection) -> None:
        """Add a c= line where the grammar wants it: behind m= and i= (§5)."""
        place = 2 if len(self.lines) > 1 and self.lines[1].startswith("i=") else 1
        end = _end(self.lines[0]) or "\r\n"
        self._replace_end(place - 1, end)
        self.lines.insert(place, f"c={connection}{end}")
        self.connection = connection

    def _replace_end(self, index: int, end: str) -> None:
        self.lines[index] = _content(self.lines[index]) + end

    def _read_rtcp(self) -> tuple[int, int, Connection | None] | None:
        for index, name, value in self._attributes():
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
                self.session.lines[index] = f"{match[1]}{connection}{match[3]}{_end(line)}"

    def remove_attributes(self, names: Collection[str]) -> None:
        """Take out every attribute, of the session or of a media section, whose name is in `names`."""
        for section in (self.session, *self.media):
            section.remove_attributes(names)


def _content(line: str) -> str:
    return line.rstrip("\r\n")


def _end(line: str) -> str:
    return line[len(_content(line)) :]
