"""A call as long as it lives: its dialog, as far as ending it needs that (RFC 3261 §12), and its records.

It is kept in Redis as text, so that a proxy that starts again knows it.
"""

import json
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Final, Self
from zlib import crc32

from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr, Request, Response
from ngcp.sip.syntax.message import Message

from .records import LegRecord
from .sessions import FOREVER

#: As many buckets as Kamailio has: an operator names a dialog by bucket and number.
BUCKETS: Final = 4096


class Stage(IntEnum):
    """Where a call stands, in Kamailio's numbers."""

    EARLY = 2
    """The INVITE has no final answer yet."""
    CONFIRMED = 4
    """It was answered."""
    ENDED = 5


@dataclass(slots=True)
class Side:
    """What a request to, or in the name of, one side of the dialog needs."""

    value: str = ""
    """Its From or To, with the tag, as the caller knows it."""
    tag: str = ""
    target: str = ""
    """The remote target (§12.1.1)."""
    routes: list[str] = field(default_factory=list)
    """The way from us to it."""
    cseq: int = 0
    """The last number that it used."""
    shown: str = ""
    """The same as the callee knows it: an anonymous caller is anonymous to the last request."""

    def values(self) -> tuple[str, str, str, list[str], int, str]:
        """Return the fields in their order."""
        return self.value, self.tag, self.target, self.routes, self.cseq, self.shown

    def move(self, message: Message) -> None:
        """Take a new remote target (§12.2)."""
        self.target = _target(message) or self.target


@dataclass(slots=True)
class LiveCall:
    """One INVITE and the dialog that it made."""

    name: str
    """Unique among those alive: the Call-ID, unless another call has it, too."""
    number: int
    """Counts calls since the first one."""
    call_id: str
    caller: Side
    callee: Side
    uri: str
    """The Request-URI of the INVITE as received."""
    began: float
    """Unix time."""
    ends: float
    """Unix time at which it is ended."""
    stage: Stage = Stage.EARLY
    answered: float = 0.0
    """Unix time."""
    session_ends: float = FOREVER
    """Unix time at which it is ended if nobody refreshes the session."""
    moved: list[str] = field(default_factory=list)
    """The counters that it moved, each as often as it did."""
    legs: list[LegRecord] = field(default_factory=list)
    """For the INVITE's records, until they are written."""
    clock: float | None = field(default=None, compare=False)
    """Monotonic time at which it was answered; None: an earlier process saw that."""

    @property
    def entry(self) -> int:
        """The bucket."""
        return bucket(self.call_id)

    @property
    def from_uri(self) -> str:
        """The caller's URI."""
        return _address(self.caller.value)

    @property
    def to_uri(self) -> str:
        """The callee's, as the INVITE had it."""
        return _address(self.callee.value)

    @property
    def deadline(self) -> float:
        """Unix time at which it is ended, as things are."""
        return min(self.ends, self.session_ends or self.ends)

    @property
    def tags(self) -> tuple[str, str]:
        """Those of the INVITE's From and To."""
        return self.caller.tag, self.callee.tag

    @classmethod
    def begin(cls, request: Request, name: str, number: int, times: tuple[float, float]) -> Self:
        """Begin with an INVITE; `times` are now and when the call is to end."""
        from_ = request.from_
        caller = Side(request.first("From"), from_.tag or "", _target(request), request.all("Record-Route"))
        caller.cseq = request.cseq.number
        callee = Side(request.first("To"))
        return cls(name, number, request.call_id, caller, callee, request.uri, *times)

    def confirm(self, response: Response, own_route: str, now: float, clock: float) -> None:
        """Take the 2xx as the callee wrote it; `own_route` is what our Record-Route begins with (§12.1.2).

        It is `now` in Unix time, and `clock` in monotonic time.
        """
        self.stage, self.answered, self.clock = Stage.CONFIRMED, now, clock
        routes = list(reversed(response.all("Record-Route")))
        ours = max((i for i, route in enumerate(routes) if route.startswith(own_route)), default=-1)
        callee = self.callee
        callee.tag, callee.shown = response.to.tag or "", response.first("To")
        callee.value, self.caller.shown = f"{callee.value};tag={callee.tag}", response.first("From")
        callee.target, callee.routes = _target(response), routes[ours + 1 :]

    def until(self, now: float, clock: float) -> float:
        """Return the Unix time at which it ends if it does now: it lasted as long as nobody set a clock."""
        if self.clock is None:
            return max(now, self.answered)
        return self.answered + clock - self.clock

    def sides(self, request: Request) -> tuple[Side, Side] | None:
        """Return whose request in the dialog this is, and whom it is for; None: it belongs to another."""
        tags = (request.from_.tag, request.to.tag)
        if tags == (self.caller.tag, self.callee.tag):
            return self.caller, self.callee
        if tags == (self.callee.tag, self.caller.tag):
            return self.callee, self.caller
        return None

    def goodbye(self, sender: Side, receiver: Side) -> Request:
        """Return the BYE that ends the call for `receiver` in the name of the other side (§15)."""
        lines = [f"Route: {route}" for route in receiver.routes]
        is_for_caller = receiver is self.caller
        lines += [
            "Max-Forwards: 70",
            f"From: {sender.value if is_for_caller else sender.shown}",
            f"To: {receiver.value if is_for_caller else receiver.shown}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {sender.cseq + 1} BYE",
            "Content-Length: 0",
        ]
        return Request("BYE", receiver.target, lines)

    def text(self) -> str:
        """Write it, for Redis."""
        values = {name: getattr(self, name) for name in _PLAIN}
        return _ENCODE(values | {"caller": self.caller.values(), "callee": self.callee.values()})

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `text` wrote; ValueError if it did not."""
        try:
            values = json.loads(text)
            values["caller"], values["callee"] = Side(*values["caller"]), Side(*values["callee"])
            values["stage"] = Stage(values["stage"])
            values["legs"] = [LegRecord(*leg) for leg in values["legs"]]
            return cls(**values)
        except (TypeError, KeyError) as error:
            raise ValueError(f"no call: {error}") from error


_PLAIN: Final = tuple(one.name for one in fields(LiveCall) if one.name not in ("caller", "callee", "clock"))
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def bucket(call_id: str) -> int:
    """Return the bucket of a call."""
    return crc32(call_id.encode("utf-8", "surrogateescape")) % BUCKETS


def _address(value: str) -> str:
    """Return the URI in a header's value; where it cannot be read, all of it."""
    try:
        return NameAddr.parse(value, "From").address
    except SipError:
        return value


def _target(message: Message) -> str:
    """Return the remote target that a message names, empty if none."""
    contacts = message.all("Contact")
    try:
        return NameAddr.parse(contacts[0], "Contact").address if contacts else ""
    except SipError:
        return ""
