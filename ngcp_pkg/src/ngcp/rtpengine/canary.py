"""Whether the firewall still shows packets to the kernel module: one is sent, and where it ends tells.

Only root may read the firewall's rules, and reading them would prove less. The module swallows and counts
what is sent to the canary's port on the loopback interface; what arrives at the port passed it by.
"""

import contextlib
import socket
from typing import Final

from .flows import Address
from .layout import Target
from .table import KernelTable

#: Loopback addresses, by the family's name in nftables.
LOOPBACK: Final = {"ip": "127.0.0.1", "ip6": "::1"}


def fly(sender: socket.socket, to: Address) -> None:
    """Send a packet."""
    sender.sendto(b"canary", to)


class Canary:
    """A port of one family."""

    def __init__(self, table: KernelTable, name: str) -> None:
        """Raise `OSError` if there is no such family here, or the table refuses."""
        host = LOOPBACK[name]
        self.name = name
        self._sent = 0
        self._is_alive = False
        self._release = contextlib.ExitStack()
        try:
            self._sender = self._open(host)
            self._port = self._open(host)
            # Each hears nobody but the other: to the system neither waits for strangers.
            self._sender.connect(self._port.getsockname())
            self._port.connect(self._sender.getsockname())
            # While somebody wants to know it the kernel notes when packets arrive: the module counts on that.
            self._port.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMP, 1)
            self._slot = table.take()
            self._release.callback(table.give, self._slot)
            table.add_target(Target(non_forwarding=1, blackhole=1), self._port.getsockname()[:2], self._slot)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the port. Its target goes with the table."""
        self._release.close()

    def is_alive(self) -> bool:
        """Send a packet; whether the module gets what is sent. What is still on its way changes nothing."""
        with contextlib.suppress(OSError):
            fly(self._sender, self._port.getsockname()[:2])
            self._sent += 1
        if self._has_received():
            self._is_alive = False
            self._sent = self._slot.inbound.packets
        elif self._slot.inbound.packets >= self._sent:
            self._is_alive = True
        return self._is_alive

    def _open(self, host: str) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._release.callback(opened.close)
        opened.bind((host, 0))
        return opened

    def _has_received(self) -> bool:
        """Empty the port."""
        received = False
        with contextlib.suppress(OSError):
            while self._port.recv(16):
                received = True
        return received


_SO_TIMESTAMP: Final = 29  # asm-generic/socket.h; Python has no name for it
