"""The load-balancer without sockets and clock: bytes in, bytes out.

bytes ─► parse ─► sanity ─► transaction ─► corridor ─► Decision ─► bytes, and responses back the same way.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from ngcp.lb import corridor
from ngcp.lb.agents import Unwanted
from ngcp.lb.config import Configuration
from ngcp.lb.contact import mask_answer
from ngcp.lb.dispatcher import Dispatcher
from ngcp.lb.edge import Edge
from ngcp.lb.exchange import Exchange
from ngcp.lb.headers import FROM_OUTSIDE, TO_OUTSIDE, keep_private
from ngcp.lb.pings import HEADER, Pings
from ngcp.lb.probes import Probes
from ngcp.lb.protection import Protection
from ngcp.lb.sanity import check_message, check_request, is_answerable
from ngcp.lb.topology import restore_record_route, show_outside
from ngcp.service.statistics import name_of_request
from ngcp.sip.core.decision import Decision, Reply
from ngcp.sip.core.proxy import Forsaken, Incoming, Returning, StatefulProxy
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import parse
from ngcp.sip.syntax.message import Request, Response
from ngcp.sip.syntax.uri import Uri
from ngcp.sip.transport.flow import Flow

_log = logging.getLogger(__name__)


class Tap(Protocol):
    """Looks at messages on their way; `lb.trace` is one."""

    def __call__(self, data: bytes, flow: Flow, *, outbound: bool) -> None:
        """Take one message as it is on the wire."""


class LoadBalancer:
    """Drives one `StatefulProxy` along the corridor (a `ngcp.net.driver.Core`)."""

    def __init__(
        self,
        configuration: Configuration,
        secret: bytes,
        ids: Callable[[], str],
        today: Callable[[], float] = time.time,
        exchange: Exchange | None = None,
    ) -> None:
        """`secret` seals masked Contacts; `ids` returns unguessable tokens, `today` Unix time for people.

        `exchange` is for one of several workers.
        """
        self._connections: set[Flow] = set()
        is_connected: Callable[[Flow], bool] = self._connections.__contains__
        if exchange is not None:
            ids, is_connected = exchange.naming(ids), exchange.connected(self._connections)
        self.exchange = exchange
        """What passes between us and the other workers."""
        self._proxy = StatefulProxy(ids, server=configuration.server_header, translate_503=False)
        worker = exchange.number if exchange else 0
        self._edge = Edge.of(configuration, secret, is_connected, self._proxy.origin, worker)
        self._probes = Probes(self._edge.dispatcher, ids, configuration.server_header)
        self._pings = Pings(self._edge)
        self.protection = Protection(configuration, today)
        if exchange is not None:
            exchange.share(self.protection.shared)
        self._inside = self._edge.internal
        self.counters: Counter[str] = Counter()
        """Messages by way and kind; what was refused and dropped, in all and by reason."""
        self.tap: Tap | None = None
        """Sees every message that comes in or goes out, as long as somebody traces."""

    @property
    def transactions(self) -> int:
        """Transactions alive now."""
        return self._proxy.transactions

    @property
    def connections(self) -> int:
        """TCP and TLS connections alive now."""
        return len(self._connections)

    @property
    def dispatcher(self) -> Dispatcher:
        """The proxies behind us."""
        return self._edge.dispatcher

    @property
    def flows(self) -> Collection[Flow]:
        """The flows of these connections."""
        return self._connections

    def rekey(self, secret: bytes, earlier: Sequence[bytes]) -> None:
        """Seal with another secret from now on; `earlier` ones still open what they sealed."""
        self._edge = self._edge.rekeyed(secret, earlier)
        self._pings.edge = self._edge

    # ngcp.net.driver.Core

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message; one that is no SIP is dropped, one that is wrong is refused."""
        if self.tap is not None:  # first of all: also what is banned is worth seeing
            self.tap(data, flow, outbound=False)
        if flow.local != self._inside and self.protection.refuses(data, flow.remote[0], now):
            self.counters["banned"] += 1
            return
        self.counters[f"received.{flow.transport}"] += 1
        if not data.strip(b"\r\n\0 "):  # RFC 5626 §4.4.1 over UDP, and what phones send for it
            self.counters["keepalives"] += 1
            return
        try:
            message = parse(data)
        except SipError as error:
            self._turn_away(error.request, error, flow)
            return
        try:
            self._admit(message, flow, now)
        except SipError as error:
            self._turn_away(message if isinstance(message, Request) else None, error, flow)
        self._work(now)

    def connected(self, flow: Flow) -> None:
        """Learn of a TCP or TLS connection."""
        self._connections.add(flow)
        if self.exchange is not None:
            self.exchange.note_opened(flow)

    def transport_failed(self, flow: Flow, now: float) -> None:
        """Learn that a flow carries nothing any more."""
        if flow in self._connections:
            self._connections.discard(flow)
            if self.exchange is not None:
                self.exchange.note_closed(flow)
        else:
            self.counters["send_failures"] += 1
        self._proxy.transport_failed(flow, now)
        self._work(now)

    def unreachable(self, flow: Flow, now: float) -> None:
        """Learn that nobody listens at a proxy's port."""
        self._proxy.target_unreachable(flow, now)
        self._work(now)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self._proxy.handle_timer(now)
        for data, flow in self._probes.handle_timer(now):
            self._proxy.send(data, flow)
        self._work(now)

    def next_timer(self) -> float | None:
        """Return when `handle_timer` wants to be called."""
        timer, probe = self._proxy.next_timer(), self._probes.next_timer()
        return timer if probe is None or (timer is not None and timer < probe) else probe

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        """Hand over, once, what goes out."""
        outbox = self._proxy.messages_to_send() + self._pings.messages_to_send()
        self.counters["sent"] += len(outbox)
        if self.tap is not None:
            for data, flow in outbox:
                self.tap(data, flow, outbound=True)
        return outbox if self.exchange is None else self.exchange.route(outbox)

    # ngcp.lb.exchange

    def receive_packet(self, packet: bytes, sender: int, now: float) -> None:
        """Take what another worker says; `ValueError` if it is no packet."""
        assert self.exchange is not None, "somebody speaks, so there are others"
        self.exchange.receive(packet, sender)
        for flow in self.exchange.lost():
            self._proxy.transport_failed(flow, now)
        for response, flow in self.exchange.responses():
            try:
                self._proxy.receive(response, flow, now)
            except SipError as error:
                self._turn_away(None, error, flow)
        self._work(now)

    # Requests

    def _admit(self, message: Request | Response, flow: Flow, now: float) -> None:
        check_message(message)
        if isinstance(message, Request):
            self.counters[name_of_request(message.method)] += 1
            check_request(message)
            if not self._edge.is_internal(flow):
                self.protection.check(message, now)
            if message.method == "OPTIONS" and self._take_ping(message, flow):
                return
        elif message.cseq.method == "OPTIONS" and (
            self._probes.receive(message, flow) or self._pings.receive_answer(message)
        ):
            return
        elif self.exchange is not None and self.exchange.hands_over(message, flow):
            self.counters["handed_over"] += 1
            return
        self._proxy.receive(message, flow, now)

    def _take_ping(self, request: Request, flow: Flow) -> bool:
        """Whether this is a keep-alive, to ourselves or of the proxy to a phone: nothing is kept of it."""
        if HEADER in request and self._edge.is_internal(flow):
            is_answered = self._pings.receive(request, flow)
        else:
            uri = Uri.parse(request.uri)
            is_answered = uri.user is None and "route" not in request and self._edge.is_own(uri)
            if not is_answered:
                return False
        if is_answered:
            self._proxy.reject(request, flow, 200)
        return True

    def _turn_away(self, request: Request | None, error: SipError, flow: Flow) -> None:
        """Answer what has no transaction, if it says where an answer belongs."""
        is_silent = isinstance(error, Unwanted) and self.protection.is_silent
        if request is None or is_silent or not is_answerable(request):
            self._note("dropped", request, error, flow)
            return
        self._proxy.reject(request, flow, error.status, error.reason)
        self._note("refused", request, error, flow)

    def _decide(self, incoming: Incoming) -> Decision:
        try:
            return corridor.decide(incoming.request, incoming.flow, self._edge)
        except SipError as error:
            self._note("refused", incoming.request, error, incoming.flow)
            return Reply(error.status, error.reason, error.headers)

    def _note(self, fate: str, request: Request | None, error: SipError, flow: Flow) -> None:
        """Write the one line that an unwanted message leaves behind."""
        self.counters[fate] += 1
        self.counters[f"{fate}.{error.status} {error.reason}"] += 1  # reasons are few: our own words
        what = "a message" if request is None else request  # written only if the line is: a flood is not
        _log.info("%s %s from %s %s:%d: %s", fate, what, flow.transport, *flow.remote, error)

    # Events

    def _work(self, now: float) -> None:
        while (event := self._proxy.next_event()) is not None:
            if isinstance(event, Incoming):
                self._proxy.execute(event, self._decide(event), now)
            elif isinstance(event, Returning):
                self._edit(event, now)
                self._proxy.forward(event, now)
            elif isinstance(event, Forsaken):
                self._note_forsaken(event)

    def _note_forsaken(self, event: Forsaken) -> None:
        """Count a call that went to another proxy; one that said 503 is busy, not out of order."""
        self.counters["dispatcher.failovers"] += 1
        destination = self.dispatcher.destinations.get(event.flow.remote)
        if destination is not None and event.is_silent:
            self._probes.note_failure(destination)

    def _edit(self, returning: Returning, now: float) -> None:
        """Let a response cross the edge as requests do."""
        response = returning.response
        self.counters[f"responses.{response.status // 100}xx"] += 1
        incoming = returning.context.incoming
        if not self._edge.is_internal(incoming.flow):
            self.protection.note_answer(incoming.request, incoming.flow.remote[0], response, now)
            keep_private(response, TO_OUTSIDE)
            show_outside(response, incoming, self._edge)
        elif returning.branch is not None:
            keep_private(response, FROM_OUTSIDE)
            restore_record_route(response, incoming.request, self._edge)
            # a redirection names somebody else, a registrar repeats what it was told
            if response.status < 300 and response.cseq.method != "REGISTER":
                mask_answer(response, returning.branch.target.flow, self._edge)
