"""Candidates in session descriptions: the attribute `candidate` (RFC 8839 §5.1)."""

import re
from typing import Final, NamedTuple, Self

from .errors import SdpError

_CANDIDATE: Final = re.compile(
    r"(?P<foundation>[A-Za-z0-9+/]{1,32}+) ++(?P<component>[0-9]{1,3}+) ++"
    r"(?P<transport>[A-Za-z0-9-]{1,16}+) ++(?P<priority>[0-9]{1,10}+) ++"
    r"(?P<host>[^ ]{1,255}+) ++(?P<port>[0-9]{1,5}+) ++typ ++(?P<kind>[a-z]{1,16}+)"
    r"(?P<more>(?: .*+)?)"
)
#: How much each kind is liked (RFC 8445 §5.1.2.2).
PREFERENCES: Final = {"host": 126, "prflx": 110, "srflx": 100, "relay": 0}


class Candidate(NamedTuple):
    """An address at which an agent may be reached."""

    foundation: str
    component: int
    """1 for RTP, 2 for RTCP."""
    transport: str
    """`UDP`, `tcp` …"""
    priority: int
    host: str
    port: int
    kind: str
    """`host`, `srflx`, `prflx`, `relay`."""
    more: str = ""
    """What follows, as it stands."""

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the value of the attribute, or raise `SdpError`."""
        match = _CANDIDATE.fullmatch(value)
        if match is None or int(match["port"]) > 65_535 or int(match["priority"]) >= 1 << 32:
            raise SdpError(f"malformed a=candidate {value[:100]!r}")
        return cls(
            match["foundation"],
            int(match["component"]),
            match["transport"],
            int(match["priority"]),
            match["host"],
            int(match["port"]),
            match["kind"],
            match["more"].strip(),
        )

    @classmethod
    def of(cls, component: int, host: str, port: int, kind: str = "host") -> Self:
        """Describe an address of ours (RFC 8445 §5.1.2.1); there is one of each family at most."""
        local = 65_535 if ":" in host else 65_534
        priority = PREFERENCES[kind] << 24 | local << 8 | 256 - component
        return cls("6" if ":" in host else "4", component, "UDP", priority, host, port, kind)

    def __str__(self) -> str:
        text = f"{self.foundation} {self.component} {self.transport} {self.priority} {self.host} {self.port}"
        return f"{text} typ {self.kind} {self.more}".rstrip()
