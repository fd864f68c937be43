"""The forwarding plane that always works: sockets of this process, drained by the event loop.

All media sockets sit in one epoll set, which is itself one descriptor to the event loop: a wake-up forwards
one datagram of every socket that has some and, the set being level-triggered, the next wake-up the rest. So
the busier the relay, the fewer turns of the loop a packet costs, and no stream waits for another to fall
silent; reading each socket until it would block would cost a useless system call for nearly every packet.
"""

import asyncio
import select
import socket
import time
from collections.abc import Callable
from typing import Any, Final

from .flows import Address, Counters, Flow

#: Sockets served in one turn of the event loop; then commands and timers get theirs.
READY: Final = 512
#: Media packets fit the path's MTU; a larger datagram is no media and loses its end.
MAX_PACKET: Final = 8192

Stranger = Callable[[Address, Address, bytes], None]


class _Port:
    """A bound socket, what to do with what arrives, and what has arrived."""

    __slots__ = (
        "bytes",
        "errors",
        "expect_from",
        "last_packet",
        "local",
        "packets",
        "receive",
        "send",
        "send_to",
        "socket",
        "tos",
    )

    def __init__(self, local: Address, bound: socket.socket) -> None:
        self.local = local
        self.socket = bound
        self.receive = bound.recvfrom
        self.tos = 0
        self.forget()

    def forget(self) -> None:
        """Relay nothing and count from zero."""
        self.expect_from: tuple[Any, ...] | None = None
        self.send = self.socket.sendto
        self.send_to: tuple[Any, ...] | None = None
        self.packets = self.bytes = self.errors = 0
        self.last_packet: float | None = None

    def mark(self, tos: int) -> None:
        """Let packets that leave here carry `tos`."""
        if tos != self.tos:
            if self.socket.family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
            else:
                self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
            self.tos = tos


class UserspacePlane:
    """Holds the ports of the relay and forwards what arrives there (a `Plane` and a `Binder`)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._epoll = select.epoll()
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
        self._loop.add_reader(self._epoll.fileno(), self._drain)

    def stop(self) -> None:
        """Close all ports."""
        if self._loop is not None:
            self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
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
        self._by_address[address] = _Port(address, bound)
        return True

    def close(self, address: Address) -> None:
        """Let go of a claimed address."""
        self._by_address.pop(address).socket.close()

    # Plane

    def add(self, flow: Flow) -> None:
        """Execute `flow` from now on."""
        port, exit_port = self._by_address[flow.local], self._by_address[flow.send_from]
        exit_port.mark(flow.tos)
        port.expect_from = _as_system(flow.expect_from)
        port.send = exit_port.socket.sendto
        port.send_to = _as_system(flow.send_to)
        number = port.socket.fileno()
        if number not in self._by_number:
            self._by_number[number] = port
            self._epoll.register(number, select.EPOLLIN)

    def remove(self, local: Address) -> None:
        """Forward nothing more that arrives at `local`."""
        port = self._by_address[local]
        number = port.socket.fileno()
        del self._by_number[number]
        self._epoll.unregister(number)
        port.forget()

    def counters(self, local: Address) -> Counters:
        """Return what has arrived at `local`."""
        port = self._by_address[local]
        return Counters(port.packets, port.bytes, port.errors, port.last_packet)

    # Forwarding

    def _drain(self) -> None:
        """Forward what has arrived."""
        now = self._clock()
        for number, _event in self._epoll.poll(0, READY):
            self._forward(self._by_number[number], now)

    def _forward(self, port: _Port, now: float) -> None:
        """Forward one datagram."""
        try:
            packet, source = port.receive(MAX_PACKET)
        except OSError:  # somebody else's datagram with a bad checksum, an ICMP error of an earlier send
            return
        if source != port.expect_from:
            self._stranger(port.local, source[:2], packet)
            if source != port.expect_from:
                port.errors += 1
                return
        port.packets += 1
        port.bytes += len(packet)
        port.last_packet = now
        if port.send_to is not None:
            try:
                port.send(packet, port.send_to)
            except OSError:  # a full buffer, no route: loss on the way, which media live with
                port.errors += 1


def _as_system(address: Address | None) -> tuple[Any, ...] | None:
    """Return the address as `recvfrom` names it: IPv6 sources carry flow label and scope."""
    return (*address, 0, 0) if address and ":" in address[0] else address
