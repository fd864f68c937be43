"""A user agent without sockets and clock that answers: calls go to the application that the proxy names."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from ngcp.service.statistics import name_of_request
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.core.uas import Answer, Incoming
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request, parse
from ngcp.sip.transaction import TransactionLayer
from ngcp.sip.transport import Flow
from ngcp.sip.transport.flow import Address

from .application import Application
from .registry import Registry
from .talk import ALLOW

_log = logging.getLogger(__name__)

#: Where a call is that names no application, or one that nobody knows.
UNKNOWN: Final = (404, "Unknown Application")
#: Makes applications, by name.
Applications = Callable[[UserAgent, Registry], Mapping[str, Application]]


class Switchboard:
    """All calls of one process (a `ngcp.net.driver.Core` and a `ngcp.sip.core.agent.Host`)."""

    def __init__(
        self,
        ids: Callable[[], str],
        local: Address,
        proxy: Address,
        applications: Applications,
        *,
        server: str,
        allow: str = ALLOW,
    ) -> None:
        """Receive at `local` and send by `proxy`; `server` is the Server header of our answers."""
        self._layer = TransactionLayer(ids, server=server)
        self.agent = UserAgent(self._layer, ids, local, proxy)
        self.agent.host, self.agent.name = self, server
        self.calls = Registry()
        """Calls alive."""
        self.progressed: Callable[[], None] = lambda: None
        """Called when work that had to wait left messages to send."""
        self._allow = allow
        self._applications = applications(self.agent, self.calls)
        self.others: dict[str, Callable[[Incoming, float], None]] = {}
        """Who takes requests, by method, that begin no call and belong to no dialog."""
        self.is_draining = False
        """Whether new calls are refused, as we are about to stop."""
        self.counters: Counter[str] = Counter()
        """Requests by method, calls by application, what was refused."""

    @property
    def transactions(self) -> int:
        """Transactions alive now."""
        return len(self._layer)

    def end(self, now: float) -> None:
        """End every call."""
        for call in self.calls:
            call.end(now)

    # ngcp.net.driver.Core

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one datagram; what cannot be parsed is dropped with one log line, or answered if it can be."""
        try:
            message = parse(data)
            if isinstance(message, Request):
                self.counters[name_of_request(message.method)] += 1
            self.agent.receive(message, flow, now)
        except SipError as error:
            self.counters["malformed"] += 1
            _log.warning("malformed message from %s:%d: %s", *flow.remote, error)
            if error.request is not None:
                self._layer.reject(error.request, flow, error.status, error.reason)

    def handle_timer(self, now: float) -> None:
        """Do what is due."""
        self.agent.handle_timer(now)

    def next_timer(self) -> float | None:
        """Return when `handle_timer` wants to be called."""
        return self._layer.next_timer()

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        """Hand over, once, what goes out."""
        return self._layer.messages_to_send()

    def transport_failed(self, flow: Flow, now: float) -> None:
        """Count what waits for an answer over `flow` as failed."""
        self.agent.transport_failed(flow, now)

    # ngcp.sip.core.agent.Host

    def invited(self, incoming: Incoming, now: float) -> None:
        """Give a call to its application."""
        name = (incoming.request.get("p-app-name") or "").strip()
        application = self._applications.get(name)
        if self.is_draining:
            self.counters["refused.stopping"] += 1
            incoming.refuse(503, now, None, ("Retry-After: 5",))
        elif application is None:
            self.counters["refused.unknown"] += 1
            incoming.refuse(UNKNOWN[0], now, UNKNOWN[1])
        else:
            self.counters[f"calls.{name}"] += 1
            application.invited(incoming, now)

    def asked(self, incoming: Incoming, now: float) -> None:
        """Give it to who takes it, or answer who asks whether we are there (§11.2)."""
        method = incoming.request.method
        if method in self.others:
            self.others[method](incoming, now)
        elif method == "OPTIONS":
            status = 503 if self.is_draining else 200
            incoming.respond(Answer(status, None, (self._allow, "Accept: application/sdp")), now)
        else:
            incoming.refuse(481 if method == "BYE" else 405, now, None, (self._allow,))
