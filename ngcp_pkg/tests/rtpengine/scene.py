"""A relay in a network of its own, with one plane or another, and a phone at each side."""

import asyncio
import socket
from collections.abc import Callable
from typing import Final, NamedTuple

from net.loop import until
from ngcp.rtpengine.ebpf import EbpfPlane
from ngcp.rtpengine.flows import Address, FastPlane, Flow
from ngcp.rtpengine.forwarding import Forwarding
from ngcp.rtpengine.userspace import UserspacePlane

from .network import Host, Network

TOS: Final = 184
#: The fast plane of each way to forward, made inside the relay's host.
PLANES: Final[dict[str, Callable[[], EbpfPlane | None]]] = {
    "userspace": lambda: None,
    "ebpf": lambda: EbpfPlane(64),
}
RELAY: Final = {4: ("10.99.1.1", "10.99.2.1"), 6: ("fd99:1::1", "fd99:2::1")}
PHONES: Final = {4: ("10.99.1.2", "10.99.2.2"), 6: ("fd99:1::2", "fd99:2::2")}


class Heard(NamedTuple):
    """A packet as its receiver saw it."""

    packet: bytes
    source: Address
    tos: int
    hops: int


class Phone:
    """A socket that remembers what came."""

    def __init__(self, host: Host, address: Address) -> None:
        is_six = ":" in address[0]
        with host.inside():
            self.socket = socket.socket(socket.AF_INET6 if is_six else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(address)
        if is_six:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        else:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
            self.socket.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
        self.address: Address = self.socket.getsockname()[:2]
        self.heard: list[Heard] = []

    def send(self, packet: bytes, to: Address) -> None:
        self.socket.sendto(packet, to)

    def listen(self) -> int:
        """Read what has come; return how much that is in all."""
        while True:
            try:
                packet, ancillary, _, source = self.socket.recvmsg(65536, 128)
            except OSError:  # nothing there; an ICMP error of an earlier packet
                return len(self.heard)
            said = {kind: int(data[0]) for _level, kind, data in ancillary}
            tos = said.get(socket.IP_TOS, said.get(socket.IPV6_TCLASS, -1))
            hops = said.get(socket.IP_TTL, said.get(socket.IPV6_HOPLIMIT, -1))
            self.heard.append(Heard(packet, source[:2], tos, hops))

    async def hears(self, *packets: bytes) -> None:
        """Wait until so many more packets have come, and see that they are these."""
        before = len(self.heard)
        async with asyncio.timeout(10.0):
            await until(lambda: self.listen() >= before + len(packets))
        assert [heard.packet for heard in self.heard[before:]] == list(packets)


class Scene:
    """A relay with two ports for media and two for its RTCP, of one family."""

    def __init__(self, network: Network, plane: str, family: int) -> None:
        self.network = network
        self.family = family
        self.fast: FastPlane | None
        with network.relay.inside():
            self._ebpf = self.fast = PLANES[plane]()
            if self.fast is not None:
                assert self.fast.check() is None
            self.userspace = UserspacePlane()
            self.ports = [(host, 30000 + number) for number in (0, 1) for host in RELAY[family]]
            assert all(self.userspace.bind(port) for port in self.ports)
        self.plane = Forwarding(self.userspace, self.fast)
        self.strangers: list[tuple[Address, Address, bytes]] = []
        self.userspace.start(lambda *seen: self.strangers.append(seen))
        self._phones: list[Phone] = []
        self.alice = self.phone(network.alice, (PHONES[family][0], 4000))
        self.bob = self.phone(network.bob, (PHONES[family][1], 5000))

    def phone(self, host: Host, address: Address) -> Phone:
        """Return one more phone, with us till the end."""
        self._phones.append(Phone(host, address))
        return self._phones[-1]

    def stop(self) -> None:
        self.userspace.stop()
        if self._ebpf is not None:
            self._ebpf.close()
        for phone in self._phones:
            phone.socket.close()

    @property
    def flow(self) -> Flow:
        """What alice sends to bob."""
        return Flow(self.ports[0], self.alice.address, self.ports[1], self.bob.address, TOS)

    @property
    def back(self) -> Flow:
        """What bob sends to alice."""
        return Flow(self.ports[1], self.bob.address, self.ports[0], self.alice.address, TOS)

    def connect(self) -> None:
        """Let alice and bob talk."""
        self.plane.add(self.flow)
        self.plane.add(self.back)

    def check(self) -> str | None:
        """Let the plane look after itself, as once a second."""
        with self.network.relay.inside():
            return self.plane.check()

    def by_socket(self) -> int:
        """How many packets of alice user space has forwarded."""
        return self.userspace.counters(self.ports[0]).packets

    def by_fast_way(self) -> int:
        """How many of them the fast plane has, or user space if there is none."""
        if self.fast is None:
            return self.by_socket()
        return self.plane.counters(self.ports[0]).packets - self.by_socket()
