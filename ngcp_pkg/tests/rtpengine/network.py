"""Three hosts in network namespaces of their own: a relay between alice and bob, an Ethernet link to each.

Making them needs root; `NGCP_TEST_WITHOUT_BPF=1` leaves out the tests that use them.
"""

import contextlib
import ctypes
import fcntl
import itertools
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import pytest

_NEW_NETWORK: Final = 0x40000000  # CLONE_NEWNET
_SIOCETHTOOL: Final = 0x8946
_ETHTOOL_STXCSUM: Final = 0x17
_serial = itertools.count()


class Host:
    """A network namespace."""

    def __init__(self, name: str) -> None:
        self.name = f"ngcp-{os.getpid()}-{next(_serial)}-{name}"
        ip(f"netns add {self.name}")
        self.ip("link set lo up")

    def ip(self, *commands: str) -> None:
        """Run commands of ip(8) here."""
        for command in commands:
            ip(f"-n {self.name} {command}")

    def set(self, **settings: int) -> None:
        """Set kernel parameters: `net__ipv4__ip_forward=1`."""
        with self.inside():
            for name, value in settings.items():
                Path("/proc/sys", *name.split("__")).write_text(str(int(value)))

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Let what we make meanwhile, sockets above all, belong here."""
        with open("/proc/self/ns/net") as home, open(f"/run/netns/{self.name}") as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def compute_checksums(self, interface: str, *, is_offloaded: bool) -> None:
        """Let packets leave with checksums to be filled in by the device, or with finished ones."""
        value = ctypes.create_string_buffer(struct.pack("=II", _ETHTOOL_STXCSUM, is_offloaded))
        request = struct.pack("16sP16x", interface.encode(), ctypes.addressof(value))
        with self.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anything:
            fcntl.ioctl(anything, _SIOCETHTOOL, request)

    def close(self) -> None:
        ip(f"netns delete {self.name}")


class Network:
    """Alice 10.99.1.2 and fd99:1::2, bob 10.99.2.2 and fd99:2::2; .3 is somebody else there, the relay .1."""

    def __init__(self) -> None:
        self.relay, self.alice, self.bob = Host("relay"), Host("alice"), Host("bob")
        for number, (host, name) in enumerate(((self.alice, "alice"), (self.bob, "bob")), start=1):
            ip(f"link add {name} netns {self.relay.name} type veth peer name eth0 netns {host.name}")
            for end, interface, last in ((self.relay, name, 1), (host, "eth0", 2), (host, "eth0", 3)):
                end.ip(
                    f"address add 10.99.{number}.{last}/24 dev {interface}",
                    f"address add fd99:{number}::{last}/64 dev {interface} nodad",
                    f"link set {interface} up",
                )
            host.ip(f"route add default via 10.99.{number}.1", f"route add default via fd99:{number}::1")
        self.allow_forwarding(True)

    @classmethod
    def for_tests(cls) -> Iterator[Self]:
        """Yield one as long as a fixture's tests run."""
        if os.environ.get("NGCP_TEST_WITHOUT_BPF"):
            pytest.skip("NGCP_TEST_WITHOUT_BPF is set")
        _bury_the_dead()
        with contextlib.closing(cls()) as made:
            yield made

    def allow_forwarding(self, is_allowed: bool) -> None:
        """Set what the eBPF plane asks of the relay's host."""
        self.relay.set(net__ipv4__conf__lo__forwarding=is_allowed, net__ipv6__conf__lo__forwarding=is_allowed)

    def close(self) -> None:
        for host in (self.relay, self.alice, self.bob):
            host.close()


def ip(command: str) -> None:
    """Run ip(8)."""
    subprocess.run(["ip", *command.split()], check=True)


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, _NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "entering a network namespace")


def _bury_the_dead() -> None:
    """Delete what test runs left that were killed."""
    for path in Path("/run/netns").glob("ngcp-*-*-*"):
        if not Path("/proc", path.name.split("-")[1]).exists():
            with contextlib.suppress(subprocess.CalledProcessError):  # another run was faster
                ip(f"netns delete {path.name}")
