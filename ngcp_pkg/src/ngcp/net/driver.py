"""Connects a core without sockets or clock to both: what arrives goes in, what it says goes out, one timer.

The core never waits; whoever makes it act outside of `receive` (a task that awaited a database) calls
`transmit` afterwards.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol, runtime_checkable

from ngcp.sip.transport.flow import Address, Flow

#: Seconds by which a timer may be late: SIP's are estimates (half a second, half a minute), and a wake-up for
#: each transaction that ends costs more than the end. At 300 registrations a second that was a quarter.
SLACK: Final = 0.05

_log = logging.getLogger(__name__)


class Core(Protocol):
    """A protocol engine: bytes and time in, bytes out."""

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message from the wire."""

    def handle_timer(self, now: float) -> None:
        """Do what is due."""

    def next_timer(self) -> float | None:
        """Return when `handle_timer` wants to be called, or None."""

    def messages_to_send(self) -> list[tuple[bytes, Flow]]:
        """Hand over, once, what goes out."""

    def transport_failed(self, flow: Flow, now: float) -> None:
        """Learn that `flow` carries nothing any more."""


class Sender(Protocol):
    """A socket or a set of connections, bound to one local address."""

    def send(self, data: bytes, remote: Address) -> bool:
        """Send one message to `remote`; False if that is impossible."""


@runtime_checkable
class BatchSender(Sender, Protocol):
    """One that sends several messages at less than the price of each."""

    def send_all(self, datagrams: list[tuple[bytes, Address]]) -> list[int]:
        """Send messages in their order; return the places of those for which `send` would be False."""


class Driver:
    """Runs one core on the running loop."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._loop = asyncio.get_running_loop()
        self._senders: dict[tuple[str, Address], Sender] = {}
        self._batches: dict[tuple[str, Address], Callable[[list[tuple[bytes, Address]]], list[int]]] = {}
        self._timer: asyncio.Handle | None = None
        self._due = 0.0
        """When `_timer` fires; a handle cannot always say: uvloop's of a time gone by does not know."""

    def attach(self, transport: str, local: Address, sender: Sender) -> None:
        """Let messages of flows that start at `local` leave by `sender`."""
        self._senders[transport, local] = sender
        if isinstance(sender, BatchSender):
            self._batches[transport, local] = sender.send_all

    def now(self) -> float:
        """Return the time that the core lives in."""
        return self._loop.time()

    def close(self) -> None:
        """Drop the timer; sockets belong to whoever made them."""
        if self._timer is not None:
            self._timer.cancel()

    def receive(self, data: bytes, flow: Flow) -> None:
        """Hand one message to the core; `transmit` follows once the socket is drained."""
        try:
            self._core.receive(data, flow, self._loop.time())
        except Exception:  # a bug that one message hits must not take the others along
            _log.exception("a message from %s:%d could not be handled", *flow.remote)

    def fail(self, flow: Flow) -> None:
        """Tell the core that a flow is gone."""
        self._core.transport_failed(flow, self._loop.time())
        self.transmit()

    def transmit(self) -> None:
        """Send what the core has to say and re-arm its timer."""
        messages = self._core.messages_to_send()
        failed = self._send_each(messages) if len(messages) < 2 else self._send_all(messages)
        if failed:
            for flow in failed:
                self._core.transport_failed(flow, self._loop.time())
            self._loop.call_soon(self.transmit)  # what the core answers to that, without recursion
        self._arm()

    def _send_all(self, messages: list[tuple[bytes, Flow]]) -> list[Flow]:
        """Send what leaves by the same socket in one go, in its order; return the flows that failed."""
        groups: dict[tuple[str, Address], list[tuple[bytes, Flow]]] = {}
        for message in messages:
            groups.setdefault(message[1][:2], []).append(message)
        failed = []
        for way, group in groups.items():
            send_all = self._batches.get(way)
            if send_all is None or len(group) == 1:
                failed += self._send_each(group)
            else:
                failed += [group[i][1] for i in send_all([(data, flow.remote) for data, flow in group])]
        return failed

    def _send_each(self, messages: list[tuple[bytes, Flow]]) -> list[Flow]:
        return [flow for data, flow in messages if not self._send(data, flow)]

    def _send(self, data: bytes, flow: Flow) -> bool:
        sender = self._senders.get((flow.transport, flow.local))
        return sender is not None and sender.send(data, flow.remote)

    def _arm(self) -> None:
        when = self._core.next_timer()
        if when is None:
            return
        if self._timer is not None:
            if self._due <= when + SLACK:  # fires early at worst, and is armed again then
                return
            self._timer.cancel()
        self._due = when + SLACK
        self._timer = self._loop.call_at(self._due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        try:
            self._core.handle_timer(self._loop.time())
        except Exception:  # nor all timers behind this one
            _log.exception("a timer could not be handled")
        self.transmit()
