"""What a trace looks for: a line of terms in, a test of messages as they are on the wire out.

Every term must hold. `ip=ADDRESS` or `ip=NETWORK` is who is at the other end, `user=`, `call-id=`, `method=`
and `status=` (486, 4xx) are what a message says; any other word is a text somewhere in it. Nothing that an
operator types becomes a regular expression: those below are ours and take time in proportion to the message,
so that a trace cannot stall the daemon.
"""

import re
import shlex
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from ngcp.sip.transport.flow import Flow

LONGEST: Final = 200
MOST_TERMS: Final = 8

#: What a term of each kind finds, with its escaped value in place of `%b`.
_FINDS: Final = {
    "user": rb'(?i:sips?:|tel:|username=")%b(?=[@;>":\s])',
    "call-id": rb"(?m)^(?i:call-id|i)[ \t]*:[ \t]*%b[ \t]*\r?$",
    "method": rb"(?m)\A%b |^(?i:cseq)[ \t]*:[ \t]*[0-9]+[ \t]+%b\r?$",
    "status": rb"\A(?i:SIP/2\.0) %b ",
    "text": rb"(?i)%b",
}
_STATUS: Final = re.compile(r"[1-6][0-9xX]{2}")


class BadPattern(ValueError):
    """No trace can look for this."""


class Find(NamedTuple):
    """One thing that a message must have in it."""

    needle: bytes
    """What is in every message that the expression finds, and quicker to look for."""
    expression: re.Pattern[bytes]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a message must be and must have in it."""

    text: str
    """As it was typed."""
    networks: tuple[IPv4Network | IPv6Network, ...]
    finds: tuple[Find, ...]

    @classmethod
    def parse(cls, text: str) -> "Pattern":
        """Read a line of terms; an empty one lets every message through."""
        if len(text) > LONGEST:
            raise BadPattern(f"a pattern has at most {LONGEST} characters, not {len(text)}")
        try:
            terms = shlex.split(text)
        except ValueError as error:
            raise BadPattern(f"{text}: {error}") from error
        if len(terms) > MOST_TERMS:
            raise BadPattern(f"a pattern has at most {MOST_TERMS} terms, not {len(terms)}")
        networks = [_network(term[3:]) for term in terms if term.startswith("ip=")]
        finds = [_find(term) for term in terms if not term.startswith("ip=")]
        return cls(text, tuple(networks), tuple(finds))

    def matches(self, data: bytes, flow: Flow) -> bool:
        """Whether everything holds of a message that came or goes by `flow`."""
        if self.networks:
            remote = ip_address(flow.remote[0])
            if not all(remote in network for network in self.networks):
                return False
        return all(find.needle in data and find.expression.search(data) for find in self.finds)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise BadPattern(f"ip={text}: neither an address nor a network") from error


def _find(term: str) -> Find:
    kind, equals, value = term.partition("=")
    if not equals or kind not in _FINDS:
        kind, value = "text", term
    if not value:
        raise BadPattern(f"{term}: a value is missing")
    needle = value.encode("utf-8", "surrogateescape")
    escaped = re.escape(needle)
    if kind == "status":
        if not _STATUS.fullmatch(value):
            raise BadPattern(f"{term}: a status is 486 or 4xx, for example")
        escaped = re.sub(rb"[xX]", b"[0-9]", needle)
    expression = re.compile(_FINDS[kind].replace(b"%b", escaped))
    return Find(b"" if kind in ("status", "text") else needle, expression)
