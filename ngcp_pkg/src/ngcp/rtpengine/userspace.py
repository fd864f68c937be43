"""The forwarding plane that always works: sockets of this process, and what is done with their packets.

A flow that only relays is the `Datapath`'s alone. It shows us what comes from unexpected sources, and
everything that comes to a flow with more to do.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from .datapath import Datapath
from .flows import Address, Counters, Exit, Flow, Position
from .work import Refused, Work, Workshop, is_handshake

if TYPE_CHECKING:
    Fastest = Datapath
else:
    try:
        from ngcp_media import Datapath as Fastest  # the same in C, where it is installed
    except ImportError:
        Fastest = Datapath

Stranger = Callable[[Address, Address, bytes], None]


class _Port:
    """A bound socket, the flow of what arrives, and what there is to do beyond relaying."""

    __slots__ = ("flow", "local", "number", "socket", "tos", "work")

    def __init__(self, local: Address, bound: socket.socket) -> None:
        self.local = local
        self.socket = bound
        self.number: Final = bound.fileno()
        self.flow: Flow | None = None
        self.work: Work | None = None
        self.tos = 0

    def mark(self, tos: int) -> None:
        """Let packets that leave here carry `tos`."""
        if tos != self.tos:
            if self.socket.family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
            else:
                self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
            self.tos = tos


class UserspacePlane:
    """Holds the ports of the relay and forwards what arrives there (a `Plane`, `Binder` and `Handover`)."""

    def __init__(self, datapath: Datapath | None = None) -> None:
        self._datapath = datapath or Fastest()
        self._workshop = Workshop()
        self._by_address: dict[Address, _Port] = {}
        self._by_number: dict[int, _Port] = {}
        self._stranger: Stranger
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, stranger: Stranger) -> None:
        """Forward from now on, on the running loop; packets from unexpected sources are shown to `stranger`.

        It may change the flow by `add`; a packet that is expected then is forwarded.
        """
        self._stranger = stranger
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._datapath.fileno(), self._look)

    def stop(self) -> None:
        """Close all ports."""
        if self._loop is not None:
            self._loop.remove_reader(self._datapath.fileno())
        self._datapath.stop()
        for port in self._by_address.values():
            port.socket.close()
        self._by_address.clear()
        self._by_number.clear()

    # Binder

    def bind(self, address: Address) -> bool:
        """Claim `address`; False if somebody else has it, or there is no more room for sockets."""
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        try:
            bound = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        except OSError:
            return False
        try:
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.bind(address)
        except OSError:
            bound.close()
            return False
        self._datapath.hold(bound)
        self._by_address[address] = _Port(address, bound)
        return True

    def close(self, address: Address) -> None:
        """Let go of a claimed address."""
        port = self._by_address.pop(address)
        self._datapath.release(port.number)
        port.socket.close()

    # Plane

    def add(self, flow: Flow) -> None:
        """Execute `flow` from now on."""
        port, leaves = self._by_address[flow.local], self._by_address[flow.send_from]
        leaves.mark(flow.tos)
        if flow.rtcp is not None:
            self._by_address[flow.rtcp.send_from].mark(flow.tos)
        port.flow, port.work = flow, self._workshop.work_of(flow)
        if port.work is None:
            self._datapath.add(port.number, flow.expect_from, leaves.number, flow.send_to)
        else:
            self._datapath.add(port.number, None, leaves.number, None)
        self._by_number[port.number] = port

    def remove(self, local: Address) -> None:
        """Forward nothing more that arrives at `local`."""
        port = self._by_address[local]
        self._datapath.remove(port.number)
        self._workshop.forget(local)
        del self._by_number[port.number]
        port.flow = port.work = None

    def counters(self, local: Address) -> Counters:
        """Return what has arrived at `local`."""
        return Counters(*self._datapath.counters(self._by_address[local].number))

    def send(self, local: Address, to: Address, packet: bytes) -> None:
        """Send a packet as it is from the port `local`."""
        self._send(self._by_address[local], Exit(local, to), packet)

    def inject(self, local: Address, packet: bytes) -> None:
        """Send a packet on the way of what arrives at `local`."""
        port = self._by_address[local]
        if port.work is None:
            self._relay(port, packet)
        else:
            for parcel in port.work.put([packet]):
                self._send(port, parcel.exit, parcel.packet)

    # Handover

    def positions(self, local: Address) -> Mapping[int, Position]:
        """Return how far each source is that sends protected RTP to `local`."""
        work = self._by_address[local].work
        return work.positions() if work else {}

    def resume(self, local: Address, positions: Mapping[int, Position]) -> None:
        """Count on from there."""
        work = self._by_address[local].work
        if work:
            work.resume(positions)

    def succeed(self, local: Address, positions: Mapping[int, Position], rtcp_before: int) -> None:
        """Go on for a daemon that has stopped: so far had the packets come, and no SRTCP index was higher."""
        work = self._by_address[local].work
        if work:
            work.succeed(positions, rtcp_before)

    # Forwarding

    def _look(self) -> None:
        """See to what the datapath shows; the first of a batch may have flows changed under the others."""
        for number, packet, source in self._datapath.take():
            port = self._by_number.get(number)
            if port is not None:
                self._receive(port, source, packet)

    def _receive(self, port: _Port, source: Address, packet: bytes) -> None:
        if port.work is not None and port.work.flow.is_guarded and is_handshake(packet):
            self._stranger(port.local, source, packet)
            return
        if not _expects(port, source):
            self._stranger(port.local, source, packet)
            if not _expects(port, source):
                self._datapath.count(port.number, None, 1)
                return
        if port.work is None:
            self._datapath.count(port.number, len(packet), 0)
            self._relay(port, packet)
        else:
            self._treat(port, port.work, packet)

    def _relay(self, port: _Port, packet: bytes) -> None:
        """Send a packet on its way, as it is."""
        if port.flow is not None:
            self._send(port, Exit(port.flow.send_from, port.flow.send_to), packet)

    def _treat(self, port: _Port, work: Work, packet: bytes) -> None:
        """Send on what `work` makes of a packet, unless it is none that may be believed."""
        try:
            parcels = work.take(packet, time.monotonic())
        except Refused:
            self._datapath.count(port.number, None, 1)
            return
        self._datapath.count(port.number, len(packet), 0)
        for parcel in parcels:
            self._send(port, parcel.exit, parcel.packet)

    def _send(self, port: _Port, way: Exit, packet: bytes) -> None:
        if way.send_to is not None:
            try:
                self._by_address[way.send_from].socket.sendto(packet, way.send_to)
            except OSError:  # a full buffer, no route: loss on the way, which media live with
                self._datapath.count(port.number, None, 1)


def _expects(port: _Port, source: Address) -> bool:
    return port.flow is not None and port.flow.expect_from == source
