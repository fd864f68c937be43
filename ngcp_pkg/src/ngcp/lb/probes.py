"""Health probes: an OPTIONS to each proxy now and then, matched by its branch; no transaction is kept.

`now` and answers come in, datagrams go out; what is found out stands in the `Dispatcher`.
"""

import logging
from collections.abc import Callable

from ngcp.lb.dispatcher import Destination, Dispatcher, State
from ngcp.sip.syntax.message import Request, Response
from ngcp.sip.transaction.matching import COOKIE
from ngcp.sip.transport.flow import Flow, format_address

_log = logging.getLogger(__name__)


class Probes:
    """Asks every proxy that is not disabled, once an interval; its answer is due before the next question."""

    def __init__(self, dispatcher: Dispatcher, ids: Callable[[], str], name: str) -> None:
        """`name` is our User-Agent."""
        self._dispatcher = dispatcher
        self._ids = ids
        self._name = name
        self._pending: dict[str, Destination] = {}
        self._due = 0.0

    def next_timer(self) -> float | None:
        """Return when `handle_timer` wants to be called, None if nobody is to be asked."""
        return self._due if self._dispatcher.probe_interval else None

    def handle_timer(self, now: float) -> list[tuple[bytes, Flow]]:
        """Return the probes to send now."""
        interval = self._dispatcher.probe_interval
        if not interval or now < self._due:
            return []
        self._due = now + interval
        unanswered, self._pending = self._pending, {}
        for destination in unanswered.values():
            self.note_failure(destination)
        asked = [each for each in self._dispatcher.destinations.values() if each.state is not State.DISABLED]
        return [(self._probe(destination), destination.flow) for destination in asked]

    def receive(self, response: Response, flow: Flow) -> bool:
        """Whether this is the answer to a probe; 503 is none of one that serves."""
        destination = self._pending.get(response.via.branch or "")
        if destination is None or destination.flow != flow:
            return False
        if response.status >= 200:
            del self._pending[response.via.branch or ""]
            if response.status == 503:
                self.note_failure(destination)
            else:
                self._note_success(destination)
        return True

    def note_failure(self, destination: Destination) -> None:
        """Count it, and say so if the proxy is left alone from now on."""
        was_used = destination.is_used
        self._dispatcher.note_failure(destination)
        if was_used and not destination.is_used:
            _log.warning("proxy %s is down", format_address(destination.proxy.socket))

    def _note_success(self, destination: Destination) -> None:
        was_used = destination.is_used
        self._dispatcher.note_success(destination)
        if destination.is_used and not was_used:
            _log.warning("proxy %s is up again", format_address(destination.proxy.socket))

    def _probe(self, destination: Destination) -> bytes:
        branch, call_id = COOKIE + self._ids(), self._ids()
        self._pending[branch] = destination
        us, proxy = format_address(destination.flow.local), format_address(destination.flow.remote)
        lines = [
            f"Via: SIP/2.0/UDP {us};branch={branch}",
            "Max-Forwards: 1",
            f"From: <sip:dispatcher@{us}>;tag={self._ids()}",
            f"To: <sip:{proxy}>",
            f"Call-ID: {call_id}",
            "CSeq: 1 OPTIONS",
            f"User-Agent: {self._name}",
            "Content-Length: 0",
        ]
        return bytes(Request("OPTIONS", f"sip:{proxy}", lines))
