"""A network in memory: cores without sockets exchange bytes over it on a virtual clock.

Nothing here sleeps or asks a real clock, so a flow runs in milliseconds and twice alike. Datagrams can be
lost or doubled, connections can break. Coroutines (a daemon that awaits its database) are driven by
`spawn`; what they await is `pause`.
"""

import heapq
import itertools
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from ngcp.net.driver import Core
from ngcp.sip.transport.flow import Address, Flow
from ngcp.sip.transport.framing import StreamFramer

#: Seconds that a message is under way.
LATENCY = 0.01
#: Steps without an end in sight: two elements play ping-pong.
TOO_MANY_STEPS = 100_000

#: One end of a connection: transport, own address, the other's address.
End = tuple[str, Address, Address]


@dataclass(frozen=True)
class Packet:
    """Something that was sent, whether or not it arrived."""

    number: int
    at: float
    transport: str
    source: Address
    destination: Address
    data: bytes

    @property
    def start(self) -> str:
        """The start line."""
        return self.data.partition(b"\r\n")[0].decode(errors="replace")

    @property
    def text(self) -> str:
        return self.data.decode(errors="replace")


#: Takes what arrives at a socket.
Receive = Callable[[bytes, Flow, float], None]
#: Says how many copies of a datagram arrive: 0 it is lost, 2 it is doubled.
Meddler = Callable[[Packet], int]


class Pause:
    """What `spawn`ed coroutines wait for."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __await__(self) -> Generator[float, None, None]:
        yield self.seconds


def pause(seconds: float) -> Awaitable[None]:
    """Wait, on the virtual clock."""
    return Pause(seconds)


class Wire:
    """All cores of one test, and the messages between them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.packets: list[Packet] = []
        self.meddler: Meddler = lambda packet: 1
        self.inspectors: list[Callable[[Packet], None]] = []
        """Look at every packet when it is sent."""
        self._cores: list[Core] = []
        self.spread: Callable[[Address], int] = lambda peer: peer[1]
        """The kernel's hash: of the cores that share a socket it gives each peer one."""
        self._sockets: dict[tuple[str, Address], list[Core]] = {}
        self._receivers: dict[tuple[str, Address], Receive] = {}
        self._ends: dict[End, Core] = {}
        self._listening: set[tuple[str, Address]] = set()
        self._framers: dict[End, StreamFramer] = {}
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._outgoing: deque[tuple[Core, bytes, Flow]] = deque()

    # Who is there

    def attach(self, core: Core, transport: str, address: Address, *, listens: bool = True) -> None:
        """Give `core` a socket; over streams, one that does not listen can only call."""
        if core not in self._cores:
            self._cores.append(core)
        self._sockets[transport, address] = [core]
        if listens:
            self._listening.add((transport, address))

    def share(self, cores: Sequence[Core], transport: str, address: Address) -> None:
        """Give all `cores` the same socket."""
        for core in cores:
            self.attach(core, transport, address)
        self._sockets[transport, address] = list(cores)

    def attach_to(self, receive: Receive, core: Core, transport: str, address: Address) -> None:
        """Give `core` a socket of its own whose datagrams go to `receive`."""
        self.attach(core, transport, address)
        self._receivers[transport, address] = receive

    def detach(self, core: Core) -> None:
        """Let a core die: its sockets are gone, its connections break."""
        self._cores.remove(core)
        for end in [end for end, user in self._ends.items() if user is core]:
            self._break(end)
        for socket, users in list(self._sockets.items()):
            if core in users:
                users.remove(core)
                self._receivers.pop(socket, None)
            if not users:
                self._listening.discard(socket)
                del self._sockets[socket]

    def hang_up(self, transport: str, address: Address) -> None:
        """Break every connection that `address` has."""
        for end in [end for end in self._framers if end[0] == transport and address in end[1:]]:
            self._break(end)

    def _break(self, end: End) -> None:
        for side in (end, (end[0], end[2], end[1])):
            if self._framers.pop(side, None) is not None:
                self._ends.pop(side).transport_failed(Flow(*side), self.now)

    def _core_at(self, transport: str, address: Address, peer: Address) -> Core | None:
        """Return who hears what `peer` sends to a socket."""
        users = self._sockets.get((transport, address))
        if users is None:
            return None
        return users[self.spread(peer) % len(users)] if len(users) > 1 else users[0]

    def clock(self) -> float:
        """Return the virtual time."""
        return self.now

    def ids(self, prefix: str) -> Callable[[], str]:
        """Return a source of tokens that are the same in every run."""
        numbers = itertools.count(1)
        return lambda: f"{prefix}{next(numbers):06x}"

    # Running

    def run(self, seconds: float) -> None:
        """Let everything happen that happens within `seconds`."""
        end = self.now + seconds
        self.run_until(lambda: False, seconds)
        self.now = max(self.now, end)

    def run_until(self, condition: Callable[[], bool], within: float = 60.0) -> bool:
        """Let things happen until `condition` holds; return whether it did `within` that time."""
        end = self.now + within
        for _ in range(TOO_MANY_STEPS):
            self._flush()
            if condition():
                return True
            when = self._next()
            if when is None or when > end:
                return False
            self.now = max(self.now, when)
            self._step()
        raise AssertionError("the elements talk without end")

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Do something at a time to come."""
        heapq.heappush(self._agenda, (when, next(self._count), action))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine that waits for nothing but `pause`."""
        try:
            seconds = work.send(None)
        except StopIteration:
            return
        self.at(self.now + seconds, lambda: self.spawn(work))

    def _next(self) -> float | None:
        times = [when for core in self._cores if (when := core.next_timer()) is not None]
        if self._agenda:
            times.append(self._agenda[0][0])
        return min(times, default=None)

    def _step(self) -> None:
        while self._agenda and self._agenda[0][0] <= self.now:
            heapq.heappop(self._agenda)[2]()
            self._flush()
        for core in list(self._cores):
            when = core.next_timer()
            if when is not None and when <= self.now:
                core.handle_timer(self.now)

    # Carrying

    def _flush(self) -> None:
        busy = True
        while busy:
            busy = False
            for core in list(self._cores):
                for data, flow in core.messages_to_send():
                    self._carry(core, data, flow)
                    busy = True

    def _carry(self, core: Core, data: bytes, flow: Flow) -> None:
        users = self._sockets.get((flow.transport, flow.local), ())
        assert core in users, f"{flow} does not start at the sender"
        packet = Packet(len(self.packets), self.now, flow.transport, flow.local, flow.remote, data)
        self.packets.append(packet)
        for inspect in self.inspectors:
            inspect(packet)
        if flow.transport not in ("udp", "worker"):
            self._carry_stream(core, packet, flow)
            return
        for copy in range(self.meddler(packet)):
            self.at(self.now + LATENCY * (1 + copy), lambda: self._arrive(packet))

    def _arrive(self, packet: Packet) -> None:
        core = self._core_at(packet.transport, packet.destination, packet.source)
        if core is not None:
            receive = self._receivers.get((packet.transport, packet.destination), core.receive)
            receive(packet.data, Flow(packet.transport, packet.destination, packet.source), self.now)

    def _carry_stream(self, core: Core, packet: Packet, flow: Flow) -> None:
        near: End = (flow.transport, flow.local, flow.remote)
        far: End = (flow.transport, flow.remote, flow.local)
        if near not in self._framers:
            if far[:2] not in self._listening:
                core.transport_failed(flow, self.now)
                return
            called = self._core_at(*far)
            assert called is not None, "somebody listens there"
            for end, user in ((near, core), (far, called)):
                self._framers[end] = StreamFramer()
                self._ends[end] = user
                opened = getattr(user, "connected", None)
                if opened is not None:
                    opened(Flow(*end))
        assert self._ends[near] is core, f"{flow} is another core's"
        self.at(self.now + LATENCY, lambda: self._arrive_stream(packet, far))

    def _arrive_stream(self, packet: Packet, end: End) -> None:
        framer = self._framers.get(end)
        if framer is None:
            return
        for message in framer.feed(packet.data):
            self._ends[end].receive(message, Flow(*end), self.now)

    # Looking back

    def sent_to(self, address: Address) -> list[Packet]:
        """Return what was sent to `address`."""
        return [packet for packet in self.packets if packet.destination == address]
