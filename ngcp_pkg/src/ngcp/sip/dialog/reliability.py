"""Reliable provisional responses (RFC 3262): what their headers say."""

import re
from typing import Final, NamedTuple

from ..errors import InvalidHeader
from ..syntax.message import Message, Response

OPTION: Final = "100rel"
_RACK: Final = re.compile(r"([0-9]{1,10})[ \t]++([0-9]{1,10})[ \t]++(\S{1,64}+)")
_RSEQ: Final = re.compile(r"[0-9]{1,10}")


class RAck(NamedTuple):
    """What a PRACK acknowledges: RSeq of the response, CSeq of its request (§7.2)."""

    rseq: int
    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> "RAck":
        """Read `776656 1 INVITE`, or raise `InvalidHeader`."""
        match = _RACK.fullmatch(text)
        if match is None:
            raise InvalidHeader("RAck", text)
        return cls(int(match[1]), int(match[2]), match[3])

    def __str__(self) -> str:
        return f"{self.rseq} {self.number} {self.method}"


def options_of(message: Message, header: str) -> list[str]:
    """Return the option tags that Supported or Require names, in lower case."""
    return [value.lower() for value in message.all(header)] if header in message else []


def rseq_of(response: Response) -> int | None:
    """Return the RSeq of a provisional response that wants a PRACK; None: it wants none (§4)."""
    if not 100 < response.status < 200 or OPTION not in options_of(response, "require"):
        return None
    text = response.first("rseq")
    if _RSEQ.fullmatch(text) is None:
        raise InvalidHeader("RSeq", text)
    return int(text)
