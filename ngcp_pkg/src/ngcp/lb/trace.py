"""Traces: messages that an operator wants to see, kept for the tool that fetches them.

Messages come from the core's tap, before they are parsed and after they are written: also those that are
refused. Everything is bounded: traces at a time, messages and bytes in each, seconds without a reader.
With no trace there is no tap, and the core asks one attribute per message.
"""

import base64
import itertools
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ngcp.lb.core import LoadBalancer
from ngcp.lb.trace_pattern import BadPattern, Pattern
from ngcp.service.commands import CommandError, CommandTable, Json
from ngcp.sip.transport.flow import Flow, format_address

#: Traces at a time.
MAXIMUM: Final = 4
#: Messages and bytes that one trace keeps; of more, the oldest are lost, and counted.
MESSAGES: Final = 2000
BYTES: Final = 4 * 1024 * 1024
#: Seconds after which a trace that nobody reads ends.
UNREAD: Final = 10.0
#: Messages and bytes handed over at a time: the daemon has other things to do.
BATCH: Final = 200
BATCH_BYTES: Final = 256 * 1024

#: What lets somebody else register, or listen in: digests (an offline guess at the password), Basic
#: credentials, keys of SRTP. Replaced by as many x, so that every length stays true.
_SECRETS: Final = re.compile(
    rb'(?im)(\bresponse[ \t]*=[ \t]*"?)([^",\s]+)'
    rb"|(\binline:)([^\s|;]+)"
    rb"|(^(?:proxy-)?authorization[ \t]*:[ \t]*basic[ \t]+)(\S+)"
)


class Seen(NamedTuple):
    """A message on its way."""

    at: float
    """Unix time."""
    outbound: bool
    flow: Flow
    data: bytes


@dataclass(slots=True)
class Trace:
    """One operator's view."""

    pattern: Pattern
    read_at: float
    kept: deque[Seen] = field(default_factory=deque)
    size: int = 0
    lost: int = 0

    def take(self, seen: Seen) -> None:
        """Keep a message if it is looked for."""
        if not self.pattern.matches(seen.data, seen.flow):
            return
        self.kept.append(seen)
        self.size += len(seen.data)
        while len(self.kept) > MESSAGES or self.size > BYTES:
            self._pop()
            self.lost += 1

    def read(self, now: float) -> list[Seen]:
        """Hand over the oldest messages, once."""
        self.read_at = now
        batch: list[Seen] = []
        size = 0
        while self.kept and len(batch) < BATCH and size < BATCH_BYTES:
            batch.append(self._pop())
            size += len(batch[-1].data)
        return batch

    def _pop(self) -> Seen:
        seen = self.kept.popleft()
        self.size -= len(seen.data)
        return seen


class Traces:
    """All traces of one load-balancer (a `ngcp.lb.core.Tap` while there are any)."""

    def __init__(self, core: LoadBalancer, unix: Callable[[], float]) -> None:
        """`unix` returns the time of day."""
        self._core = core
        self._unix = unix
        self._numbers = itertools.count(1)
        self._traces: dict[int, Trace] = {}

    def __call__(self, data: bytes, flow: Flow, *, outbound: bool) -> None:
        """Show a message to every trace."""
        now = self._unix()
        self._end_unread(now)
        for trace in self._traces.values():
            trace.take(Seen(now, outbound, flow, data))

    def start(self, pattern: str = "") -> int:
        """Begin a trace and return its number, or fail with 400 or 503."""
        now, number = self._unix(), next(self._numbers)  # a failure counts, too: workers count alike
        self._end_unread(now)
        if len(self._traces) >= MAXIMUM:
            raise CommandError(503, f"there are {MAXIMUM} traces already")
        try:
            trace = Trace(Pattern.parse(pattern), now)
        except BadPattern as error:
            raise CommandError(400, str(error)) from error
        self._traces[number] = trace
        self._core.tap = self
        return number

    def read(self, number: int) -> dict[str, Json]:
        """Return what came since the last time, or fail with 404 if the trace has ended."""
        now = self._unix()
        self._end_unread(now)
        trace = self._traces.get(number)
        if trace is None:
            raise CommandError(404, f"no trace {number}: one that nobody reads for {UNREAD:.0f} s ends")
        messages = [_as_json(seen) for seen in trace.read(now)]
        lost, trace.lost = trace.lost, 0
        return {"messages": messages, "lost": lost, "more": bool(trace.kept)}

    def running(self) -> list[Json]:
        """Return what is looked for by whom: each trace with its pattern, and what waits to be read."""
        self._end_unread(self._unix())
        return [
            {
                "number": number,
                "pattern": trace.pattern.text,
                "kept": len(trace.kept),
                "bytes": trace.size,
            }
            for number, trace in self._traces.items()
        ]

    def stop(self, number: int) -> bool:
        """End a trace; return whether there was one."""
        found = self._traces.pop(number, None) is not None
        if not self._traces:
            self._core.tap = None
        return found

    def _end_unread(self, now: float) -> None:
        for number in [number for number, trace in self._traces.items() if now > trace.read_at + UNREAD]:
            self.stop(number)


def add_traces(table: CommandTable, traces: Traces) -> None:
    """Offer the traces as commands; `ngcp-sercmd lb core.trace` is their reader."""
    table.add("trace.start", traces.start, "[PATTERN]: begin a trace, and return its NUMBER")
    table.add("trace.read", traces.read, "NUMBER: what a trace saw since the last time")
    table.add("trace.list", traces.running, "the traces there are, and what waits to be read")
    table.add("trace.stop", traces.stop, "NUMBER: end a trace")


def hide_secrets(data: bytes) -> bytes:
    """Return a message of the same length that nobody can misuse."""
    return _SECRETS.sub(_hide, data)


def _hide(found: re.Match[bytes]) -> bytes:
    name, value = (group for group in found.groups() if group is not None)
    return name + b"x" * len(value)


def _as_json(seen: Seen) -> Json:
    return {
        "at": seen.at,
        "direction": "out" if seen.outbound else "in",
        "transport": seen.flow.transport,
        "local": format_address(seen.flow.local),
        "remote": format_address(seen.flow.remote),
        "data": base64.b64encode(hide_secrets(seen.data)).decode(),
    }
