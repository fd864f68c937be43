"""The proxy without sockets and clock: messages in, decisions carried out, messages out.

A request goes through the corridor and what it decided through the exit door here: a registration is
stored before it is answered, a session is anchored at the media relay before it goes on.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.service.statistics import name_of_request
from ngcp.sip.core.decision import Decision, Relay, Reply
from ngcp.sip.core.proxy import Ended, Forsaken, Incoming, Returning, StatefulProxy
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.syntax.names import phrase
from ngcp.sip.transport import Flow

from .batches import Spawn
from .corridor import Corridor
from .desk import UNAVAILABLE, Desk, Visit
from .directory import Directory
from .lanes import Lanes, Work
from .locations import Locations
from .media import Media
from .pings import BRANCH, Pings
from .rounds import Rounds
from .stations import Store

_log = logging.getLogger(__name__)

#: Headers that an answer takes over from its request (§8.2.6.2).
COPIED: Final = frozenset({"via", "from", "to", "call-id", "cseq"})


class Clock(NamedTuple):
    """Both times a proxy lives in."""

    monotonic: Callable[[], float]
    """Seconds, the loop's time: timers."""
    unix: Callable[[], float]
    """Seconds since 1970: registrations, nonces."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a `ProxyCore` is composed of."""

    engine: StatefulProxy
    corridor: Corridor
    locations: Locations
    media: Media
    pings: Pings
    round: float
    """Seconds in which all bindings are visited once."""
    clock: Clock
    spawn: Spawn
    """Starts a coroutine."""
    server: str
    """The Server header of answers that we give ourselves."""
    tag: str
    """The To tag of answers without a transaction: all alike, as §8.2.7 wants it."""


class ProxyCore:
    """Drives one `StatefulProxy` along the corridor (a `ngcp.net.driver.Core`)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._engine = parts.engine
        self._lanes = Lanes(parts.spawn)
        self._desk = Desk(parts.corridor, parts.locations, parts.clock.unix, self._answer)
        self._outbox: list[tuple[bytes, Flow]] = []
        self._is_receiving = False
        self._closing = f"Server: {parts.server}\r\nContent-Length: 0"
        self._rounds = Rounds(parts.locations, parts.pings, parts.round, self._ping, parts.clock.monotonic())
        self.progressed: Callable[[], None] = lambda: None
        """Called when work that had to wait left messages to send."""
        self.counters: Counter[str] = Counter()
        """Requests by method, own replies by status class, drops."""

    @property
    def transactions(self) -> int:
        """Transactions alive now."""
        return self._engine.transactions

    @property
    def directory(self) -> Directory:
        """What is remembered of subscribers."""
        return self._parts.corridor.gatherer.directory

    @property
    def registrations(self) -> int:
        """Bindings held now."""
        return len(self._parts.locations.registrar)

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one datagram; what cannot be parsed is dropped with one log line, or answered if it can be."""
        self._is_receiving = True  # whoever drains the socket lets the answers go
        try:
            message = parse(data)
            if isinstance(message, Request) and message.method == "REGISTER":
                self.counters["requests.REGISTER"] += 1
                self._desk.receive(message, flow)
                return
            if isinstance(message, Response) and message.via.branch.startswith(BRANCH):
                self._rounds.hear(message, self._parts.clock.unix())
                return
            self._engine.receive(message, flow, now)
        except SipError as error:
            self.counters["malformed"] += 1
            _log.warning("malformed message from %s:%d: %s", *flow.remote, error)
            if error.request is not None:
                self._engine.reject(error.request, flow, error.status, error.reason)
            return
        finally:
            self._is_receiving = False
        self._take_events()

    def handle_timer(self, now: float) -> None:
        """Let transactions time out, expired registrations go and pings leave."""
        unix = self._parts.clock.unix()
        if self._rounds.visit(now, unix):
            self._parts.spawn(self._parts.locations.sweep(unix))
        self._engine.handle_timer(now)
        self._take_events()

    def next_timer(self) -> float | None:
        """Return when `handle_timer` wants to be called."""
        return min(self._rounds.due, self._engine.next_timer() or self._rounds.due)

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        """Hand over what goes out."""
        messages, self._outbox = self._outbox + self._engine.messages_to_send(), []
        return messages

    def transport_failed(self, flow: Flow, now: float) -> None:
        """Let the transactions over `flow` fail."""
        self._engine.transport_failed(flow, now)
        self._take_events()

    def _take_events(self) -> None:
        while (event := self._engine.next_event()) is not None:
            match event:
                case Incoming():
                    self.counters[name_of_request(event.request.method)] += 1
                    self._enter(event, partial(self._decide, event))
                case Returning():
                    self._enter(event.context.incoming, partial(self._return, event))
                case Ended() | Forsaken():
                    pass

    def _enter(self, incoming: Incoming, work: Work) -> None:
        self._lanes.enter(incoming.request.get("Call-ID") or "", work)

    async def _decide(self, incoming: Incoming) -> None:
        try:
            outcome = await self._parts.corridor.decide(incoming.request, self._parts.clock.unix())
            assert not isinstance(outcome, Store), "a REGISTER goes to the desk"
            if isinstance(outcome, Relay):  # what must be done before a decision becomes visible
                await self._parts.media.follow_request(incoming.request)
            decision: Decision = outcome
        except SipError as error:
            decision = _refuse(incoming.request, error, Reply(error.status, error.reason, error.headers))
        except DatabaseUnavailable as error:
            decision = _refuse(incoming.request, error, UNAVAILABLE)
        except Exception:
            _log.exception("%s: %s failed", incoming.request.get("Call-ID"), incoming.request.method)
            decision = Reply(500)
        if isinstance(decision, Reply):
            self.counters[f"replies.{decision.status // 100}xx"] += 1
        self._engine.execute(incoming, decision, self._parts.clock.monotonic())
        self._finish()

    async def _return(self, returning: Returning) -> None:
        response = returning.response
        if response.status == 430:  # the edge lost the flow of every phone that was left (RFC 5626 §5.3)
            response.status, response.reason = 480, "Offline"
        try:
            await self._parts.media.follow_response(returning.context.incoming.request, response)
        except Exception:
            _log.exception("%s: media of a response", response.get("Call-ID"))
        self._engine.forward(returning, self._parts.clock.monotonic())
        self._finish()

    def _answer(self, visit: Visit, reply: Reply) -> None:
        """Answer without a transaction."""
        self.counters[f"replies.{reply.status // 100}xx"] += 1
        self._outbox.append((self._write(visit.request, reply), visit.flow))
        if not self._is_receiving:
            self.progressed()

    def _write(self, request: Request, reply: Reply) -> bytes:
        """Write an answer (§8.2.6): `Request.reply`, without the object in between."""
        reason = phrase(reply.status) if reply.reason is None else reply.reason
        lines = [f"SIP/2.0 {reply.status} {reason}"]
        for name, line in zip(request.shape, request.lines, strict=True):
            if name in COPIED:
                lines.append(f"{line};tag={self._parts.tag}" if name == "to" and not request.to.tag else line)
        lines += [f"{name}: {value}" for name, value in reply.headers]
        lines += (self._closing, "", "")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape")

    def _ping(self, data: bytes, flow: Flow) -> None:
        self.counters["pings"] += 1
        self._outbox.append((data, flow))

    def _finish(self) -> None:
        """Go on with what that work caused, and let it be sent."""
        self._take_events()
        self.progressed()


def _refuse(request: Request, error: Exception, reply: Reply) -> Reply:
    _log.warning("%s: %s refused: %s", request.get("Call-ID"), request.method, error)
    return reply
