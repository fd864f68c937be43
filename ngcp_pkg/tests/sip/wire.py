"""An in-memory network with a virtual clock: nodes send, the wire delays, loses or duplicates."""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Protocol

from ngcp.sip.transport import Flow

Address = tuple[str, int]

#: Seconds that a message is under way.
LATENCY = 0.01
#: A run that takes more steps than this runs in circles.
MAX_STEPS = 20_000


class Node(Protocol):
    """Whoever is plugged into the wire."""

    address: Address

    def receive(self, data: bytes, flow: Flow, now: float) -> None: ...

    def handle_timer(self, now: float) -> None: ...

    def next_timer(self) -> float | None: ...

    def messages_to_send(self) -> list[tuple[bytes, Flow]]: ...


class Wire:
    """Carries messages between nodes; `fate` says after how many seconds each copy of a message arrives."""

    def __init__(self, *nodes: Node) -> None:
        self.now = 0.0
        self.log: list[str] = []
        """Everything that was sent: `192.0.2.2 > 192.0.2.1 INVITE`."""
        self.fate: Callable[[int, bytes], Sequence[float]] = lambda number, data: (LATENCY,)
        """Called with the number of the message, from 0, and its bytes."""
        self.distances: dict[Address, float] = {}
        """Seconds more that a message to an address is under way."""
        self._nodes = {node.address: node for node in nodes}
        self._under_way: list[tuple[float, int, bytes, Flow]] = []
        self._copies = 0

    def run(self, until: float = 1000.0) -> None:
        """Let time pass until nothing is left to happen, or until then."""
        self._collect()
        for _ in range(MAX_STEPS):
            when = self._next()
            if when is None or when > until:
                self.now = until
                return
            self.now = max(when, self.now)
            self._step()
            self._collect()
        raise AssertionError("the network never comes to rest")

    def _next(self) -> float | None:
        times = [timer for node in self._nodes.values() if (timer := node.next_timer()) is not None]
        if self._under_way:
            times.append(self._under_way[0][0])
        return min(times, default=None)

    def _step(self) -> None:
        while self._under_way and self._under_way[0][0] <= self.now:
            _, _, data, flow = heappop(self._under_way)
            node = self._nodes.get(flow.local)
            if node is not None:
                node.receive(data, flow, self.now)
        for node in self._nodes.values():
            timer = node.next_timer()
            if timer is not None and timer <= self.now:
                node.handle_timer(self.now)

    def _collect(self) -> None:
        for node in self._nodes.values():
            for data, flow in node.messages_to_send():
                first, second, _ = data.split(b" ", 2)
                what = (second if first == b"SIP/2.0" else first).decode()
                for delay in self.fate(len(self.log), data):
                    self._copies += 1
                    arrival = Flow(flow.transport, flow.remote, flow.local)
                    when = self.now + delay + self.distances.get(flow.remote, 0.0)
                    heappush(self._under_way, (when, self._copies, data, arrival))
                self.log.append(f"{flow.local[0]} > {flow.remote[0]} {what}")
