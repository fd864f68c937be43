"""Datagrams from socket to socket: what is expected at a port leaves by its exit, the rest is shown.

A port is named by its descriptor. All sockets sit in one epoll set, which is itself one descriptor to the
event loop: a wake-up forwards one datagram of every socket that has some and, the set being level-triggered,
the next wake-up the rest. So the busier the relay, the fewer turns of the loop a packet costs, and no stream
waits for another to fall silent; reading each socket until it would block would cost a useless system call
for nearly every packet.

This is the specification of `ngcp_media.Datapath`, which forwards in a thread of its own, without Python.
"""

import select
import socket
import time
from typing import Any, Final, TypeAlias

from .flows import Address, Counters

#: Sockets served in one turn of the event loop; then commands and timers get theirs.
READY: Final = 512
#: Media packets fit the path's MTU; a larger datagram is no media and loses its end.
MAX_PACKET: Final = 8192

#: At which port, what, from whom.
Shown: TypeAlias = tuple[int, bytes, Address]


class _Port:
    """A socket, what to do with what arrives, and what has arrived."""

    __slots__ = ("bytes", "errors", "expected", "last_packet", "packets", "receive", "send", "socket", "to")

    def __init__(self, bound: socket.socket) -> None:
        self.socket = bound
        self.receive = bound.recvfrom
        self.forget()

    def forget(self) -> None:
        self.expected: tuple[Any, ...] | None = None
        self.send = self.socket.sendto
        self.to: tuple[Any, ...] | None = None
        self.packets = self.bytes = self.errors = 0
        self.last_packet: float | None = None


class Datapath:
    """Forwards whenever it is asked to `take`; `fileno` is readable when that is worth while."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._held: dict[int, _Port] = {}
        self._added: dict[int, _Port] = {}

    def fileno(self) -> int:
        """Return the descriptor that is readable when there is something to `take`."""
        return self._epoll.fileno()

    def hold(self, bound: socket.socket) -> None:
        """Know a socket, which does not block, by its descriptor; it may be an exit from now on."""
        self._held[bound.fileno()] = _Port(bound)

    def release(self, number: int) -> None:
        """Forget a socket, before it is closed."""
        self.remove(number)
        del self._held[number]

    def add(self, number: int, expected: Address | None, leaves: int, to: Address | None) -> None:
        """Send what comes to `number` from `expected` by the port `leaves` to `to`; show what others send.

        To None it is counted and dropped. The port's counters go on.
        """
        port, leaving = self._held[number], self._held[leaves]
        port.expected = _as_system(expected)
        port.send = leaving.socket.sendto
        port.to = _as_system(to)
        if number not in self._added:
            self._added[number] = port
            self._epoll.register(number, select.EPOLLIN)

    def remove(self, number: int) -> None:
        """Let what comes to `number` wait in its socket, and count from zero."""
        port = self._held[number]
        if self._added.pop(number, None) is not None:
            self._epoll.unregister(number)
        port.forget()

    def counters(self, number: int) -> Counters:
        """Return what has arrived at a port."""
        port = self._held[number]
        return Counters(port.packets, port.bytes, port.errors, port.last_packet)

    def count(self, number: int, size: int | None, errors: int) -> None:
        """Count a packet of `size` bytes, or none, and errors: what Python did with what was shown."""
        port = self._held[number]
        if size is not None:
            port.packets += 1
            port.bytes += size
            port.last_packet = time.monotonic()
        port.errors += errors

    def take(self) -> list[Shown]:
        """Return datagrams that nobody expected."""
        shown: list[Shown] = []
        now, added = time.monotonic(), self._added
        for number, _event in self._epoll.poll(0, READY):
            port = added[number]
            try:
                packet, source = port.receive(MAX_PACKET)
            except OSError:  # somebody else's datagram with a bad checksum, an ICMP error of an earlier send
                continue
            if source != port.expected:
                shown.append((number, packet, source[:2]))
                continue
            port.packets += 1
            port.bytes += len(packet)
            port.last_packet = now
            if port.to is not None:
                try:
                    port.send(packet, port.to)
                except OSError:  # a full buffer, no route: loss on the way, which media live with
                    port.errors += 1
        return shown

    def stop(self) -> None:
        """Forward nothing more; the sockets are their owner's to close."""
        self._epoll.close()


def _as_system(address: Address | None) -> tuple[Any, ...] | None:
    """Return the address as `recvfrom` names it: IPv6 sources carry flow label and scope."""
    return (*address, 0, 0) if address and ":" in address[0] else address
