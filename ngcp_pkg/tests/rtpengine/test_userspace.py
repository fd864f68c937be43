"""The user-space plane on loopback sockets."""

import functools
import socket
import time

import pytest

from net.loop import run, until
from ngcp.rtpengine import userspace
from ngcp.rtpengine.datapath import Datapath
from ngcp.rtpengine.flows import Address, Flow
from ngcp.rtpengine.userspace import UserspacePlane

#: The datapath in Python, and the one in C where it is.
DATAPATHS = list(dict.fromkeys([Datapath, userspace.Fastest]))
LOOPBACK = pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
TOS = 184


@pytest.fixture(params=DATAPATHS, ids=lambda each: each.__module__, autouse=True)
def datapath(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every test run on each."""
    monkeypatch.setattr(userspace, "Fastest", request.param)


class Phone:
    """A socket that remembers what came, from where and with which TOS."""

    def __init__(self, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((host, 0))
        if family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        else:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        self.address: Address = self.socket.getsockname()[:2]
        self.heard: list[tuple[bytes, Address, int]] = []

    def send(self, packet: bytes, to: Address) -> None:
        self.socket.sendto(packet, to)

    def listen(self) -> int:
        """Read what has come; return how much that is in all."""
        while True:
            try:
                packet, ancillary, _, source = self.socket.recvmsg(2048, 64)
            except BlockingIOError:
                return len(self.heard)
            self.heard.append((packet, source[:2], int(ancillary[0][2][0])))


class Scene:
    """A plane with two bound ports, and a phone at each."""

    def __init__(self, host: str) -> None:
        self.plane = UserspacePlane()
        self.ports = [_claim(self.plane, host) for _ in range(2)]
        self.alice, self.bob = Phone(host), Phone(host)
        self.strangers: list[tuple[Address, Address, bytes]] = []

    def start(self) -> None:
        self.plane.start(lambda *seen: self.strangers.append(seen))

    def stop(self) -> None:
        self.plane.stop()
        self.alice.socket.close()
        self.bob.socket.close()

    def connect(self, alice: Address | None, bob: Address | None) -> None:
        """Let the first port face alice and the second bob."""
        first, second = self.ports
        self.plane.add(Flow(first, alice, second, bob, TOS))
        self.plane.add(Flow(second, bob, first, alice, TOS))

    def has_counted(self, packets: int) -> bool:
        """Whether so many packets of alice have come."""
        return self.plane.counters(self.ports[0]).packets == packets


def _claim(plane: UserspacePlane, host: str) -> Address:
    """Bind the first port that is free."""
    for port in range(20_000, 30_000):
        if plane.bind((host, port)):
            return host, port
    raise AssertionError("no free port")


@LOOPBACK
def test_packets_both_ways_carry_the_tos_and_leave_from_the_facing_port(host: str) -> None:
    async def test() -> None:
        scene = Scene(host)
        scene.start()
        scene.connect(scene.alice.address, scene.bob.address)
        before = time.monotonic()
        for number in range(20):
            scene.alice.send(b"a%d" % number, scene.ports[0])
            scene.bob.send(b"b%d" % number, scene.ports[1])
        await until(lambda: scene.alice.listen() == scene.bob.listen() == 20)

        assert scene.bob.heard == [(b"a%d" % number, scene.ports[1], TOS) for number in range(20)]
        assert scene.alice.heard == [(b"b%d" % number, scene.ports[0], TOS) for number in range(20)]
        packets, octets, errors, last_packet = scene.plane.counters(scene.ports[0])
        assert (packets, octets, errors) == (20, 50, 0)
        assert last_packet is not None
        assert before < last_packet < time.monotonic()
        assert scene.strangers == []
        scene.stop()

    run(test)


@LOOPBACK
def test_stranger_is_shown_and_not_forwarded(host: str) -> None:
    async def test() -> None:
        scene = Scene(host)
        scene.start()
        scene.connect(scene.alice.address, scene.bob.address)
        mallory = Phone(host)
        mallory.send(b"boo", scene.ports[0])
        await until(lambda: bool(scene.strangers))

        assert scene.strangers == [(scene.ports[0], mallory.address, b"boo")]
        assert scene.plane.counters(scene.ports[0]) == (0, 0, 1, None)
        assert scene.bob.listen() == 0
        mallory.socket.close()
        scene.stop()

    run(test)


@LOOPBACK
def test_packet_that_teaches_is_forwarded(host: str) -> None:
    async def test() -> None:
        scene = Scene(host)
        scene.plane.start(lambda local, source, packet: scene.connect(source, scene.bob.address))
        scene.connect(None, scene.bob.address)
        scene.alice.send(b"hello", scene.ports[0])
        await until(lambda: scene.bob.listen() == 1)

        assert scene.plane.counters(scene.ports[0]).packets == 1
        scene.bob.send(b"hello yourself", scene.ports[1])
        await until(lambda: scene.alice.listen() == 1)
        scene.stop()

    run(test)


def test_packets_to_nobody_are_counted() -> None:
    async def test() -> None:
        scene = Scene("127.0.0.1")
        scene.start()
        scene.connect(scene.alice.address, None)
        scene.alice.send(b"hello?", scene.ports[0])
        await until(lambda: scene.has_counted(1))
        scene.stop()

    run(test)


def test_packets_that_cannot_be_sent_are_errors() -> None:
    async def test() -> None:
        scene = Scene("127.0.0.1")
        scene.start()
        scene.connect(scene.alice.address, ("255.255.255.255", 9))
        scene.alice.send(b"hello?", scene.ports[0])
        await until(lambda: scene.plane.counters(scene.ports[0]).errors == 1)
        scene.stop()

    run(test)


def test_phone_that_is_gone_does_not_disturb_the_other() -> None:
    """Its port answers with ICMP errors, which surface in calls of our socket."""

    async def test() -> None:
        scene = Scene("127.0.0.1")
        scene.start()
        scene.connect(scene.alice.address, scene.bob.address)
        scene.bob.socket.close()
        for sent in (1, 2, 3):
            scene.alice.send(b"still there?", scene.ports[0])
            await until(functools.partial(scene.has_counted, sent))
        scene.stop()

    run(test)


def test_counters_survive_a_new_flow_and_end_with_remove() -> None:
    async def test() -> None:
        scene = Scene("127.0.0.1")
        scene.start()
        scene.connect(scene.alice.address, scene.bob.address)
        scene.alice.send(b"1", scene.ports[0])
        await until(lambda: scene.bob.listen() == 1)
        scene.connect(scene.alice.address, None)
        assert scene.plane.counters(scene.ports[0]).packets == 1
        for port in scene.ports:
            scene.plane.remove(port)
            assert scene.plane.counters(port) == (0, 0, 0, None)
        scene.stop()

    run(test)


def test_closed_port_can_be_bound_again_and_a_taken_one_cannot() -> None:
    async def test() -> None:
        plane = UserspacePlane()
        address = _claim(plane, "127.0.0.1")
        assert not plane.bind(address)
        plane.close(address)
        assert plane.bind(address)
        assert not plane.bind(("192.0.2.1", 20_000))  # no address of this host
        plane.stop()

    run(test)
