"""The program in the kernel: what it does to checksums, when it stands back, and how it comes and goes."""

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from net.loop import run, until
from ngcp.rtpengine.ebpf import EbpfPlane
from ngcp.rtpengine.flows import Address, Flow, Keys, PlaneLost

from .network import Host, Network, ip
from .scene import PHONES, Scene

pytestmark = pytest.mark.bpf

FAMILIES = pytest.mark.parametrize("family", [4, 6])
ETH_P_ALL = 3
#: Bytes of a frame's headers that may be anything: the sender's hardware address; TOS, identification, time
#: to live, checksums (a wrong one stays wrong); traffic class, flow label, hop limit, checksum.
FREE = {4: {*range(6, 12), 15, 18, 19, 22, 24, 25, 40, 41}, 6: {*range(6, 12), 15, 16, 17, 21, 60, 61}}
SO_NO_CHECK = 11
PACKET = bytes(range(1, 20))


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    yield from Network.for_tests()


def play(network: Network, family: int, test: Callable[[Scene], Awaitable[None]]) -> None:
    """Run `test` of a scene on the eBPF plane."""

    async def whole() -> None:
        scene = Scene(network, "ebpf", family)
        try:
            await test(scene)
        finally:
            scene.stop()

    run(whole)


class Tap:
    """Sends frames on a host's link, and sees all that pass there."""

    def __init__(self, host: Host) -> None:
        with host.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.bind(("eth0", ETH_P_ALL))
        self.socket.setblocking(False)

    async def sees(self, payload: bytes) -> bytes:
        """Wait for a frame that ends so, and return it."""
        seen = b""

        def look() -> bool:
            nonlocal seen
            try:
                seen = self.socket.recv(2048)
            except BlockingIOError:
                return False
            return seen.endswith(payload)

        await until(look)
        return seen


def udp_sum(frame: bytes) -> int:
    """Return the sum over pseudo header and UDP (RFC 768): 0xffff if it is right."""
    at, addresses = (34, frame[26:34]) if frame[14] >> 4 == 4 else (54, frame[22:54])
    return ones(addresses + struct.pack("!HH", socket.IPPROTO_UDP, len(frame) - at) + frame[at:])


def ones(data: bytes) -> int:
    """Return the sum of the Internet checksum (RFC 1071 §1)."""
    total: int = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@FAMILIES
@pytest.mark.parametrize("is_offloaded", [False, True], ids=["finished", "left-to-the-device"])
def test_checksums_are_right(network: Network, family: int, is_offloaded: bool) -> None:
    """Those that arrive finished, and those that a device is to finish."""

    async def test(scene: Scene) -> None:
        network.alice.compute_checksums("eth0", is_offloaded=is_offloaded)
        network.relay.compute_checksums("bob", is_offloaded=False)
        scene.connect()
        tap = Tap(network.bob)
        for size in (2, 3, 19, 172, 1399):
            packet = bytes((7 * number + size) % 256 for number in range(size))
            scene.alice.send(packet, scene.ports[0])
            frame = await tap.sees(packet)
            assert udp_sum(frame) == 0xFFFF
            assert family == 6 or ones(frame[14:34]) == 0xFFFF
        tap.socket.close()
        assert scene.by_fast_way() == 5

    play(network, family, test)


def test_no_checksum_stays_none(network: Network) -> None:
    """RFC 768: a sender of IPv4 may leave it out."""

    async def test(scene: Scene) -> None:
        scene.connect()
        scene.alice.socket.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        tap = Tap(network.bob)
        scene.alice.send(PACKET, scene.ports[0])
        frame = await tap.sees(PACKET)
        tap.socket.close()
        assert frame[40:42] == bytes(2)
        assert scene.by_fast_way() == 1

    play(network, 4, test)


async def _record(scene: Scene, tap: Tap) -> bytes:
    """Return a frame of alice that is forwarded, with finished checksums."""
    scene.network.alice.compute_checksums("eth0", is_offloaded=False)
    scene.network.relay.compute_checksums("bob", is_offloaded=False)
    scene.connect()
    scene.alice.send(PACKET, scene.ports[0])
    await scene.bob.hears(PACKET)
    return await tap.sees(PACKET)


@FAMILIES
def test_damage_is_not_covered_up(network: Network, family: int) -> None:
    """A wrong checksum is as wrong when the packet leaves, so that its receiver drops it."""

    async def test(scene: Scene) -> None:
        here, there = Tap(network.alice), Tap(network.bob)
        frame = await _record(scene, here)
        here.socket.send(frame[:-1] + b"?")
        damaged = await there.sees(PACKET[:-1] + b"?")
        scene.alice.send(b"end", scene.ports[0])
        await scene.bob.hears(b"end")
        here.socket.close()
        there.socket.close()

        assert udp_sum(damaged) != 0xFFFF
        assert scene.by_fast_way() == 3

    play(network, family, test)


@FAMILIES
def test_every_byte_of_the_headers_counts(network: Network, family: int) -> None:
    """A frame of which any one is another is not ours to forward, but for those that may be anything."""

    async def test(scene: Scene) -> None:
        tap = Tap(network.alice)
        frame = await _record(scene, tap)
        for position in range(len(frame) - len(PACKET)):
            before = scene.by_fast_way()
            tap.socket.send(
                frame[:position] + bytes((frame[position] ^ 0xFF,)) + frame[position + 1 : -1] + b"?"
            )
            scene.alice.send(PACKET, scene.ports[0])
            await until(lambda: scene.bob.listen() > 0 and scene.bob.heard.pop().packet == PACKET)
            assert scene.by_fast_way() - before == 1 + (position in FREE[family]), position
        tap.socket.close()

    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # frames of one core keep their order
    play(network, family, test)
    os.sched_setaffinity(0, cores)


@FAMILIES
def test_frames_of_a_vlan_are_not_ours(network: Network, family: int) -> None:
    """They belong to the VLAN's own interface (IEEE 802.1Q), which has addresses of its own."""

    async def test(scene: Scene) -> None:
        tap = Tap(network.alice)
        frame = await _record(scene, tap)
        tap.socket.send(frame[:12] + bytes.fromhex("8100 0064") + frame[12:])
        scene.alice.send(b"end", scene.ports[0])
        await scene.bob.hears(b"end")
        tap.socket.close()
        assert scene.by_fast_way() == 2

    play(network, family, test)


@FAMILIES
def test_short_and_padded_frames(network: Network, family: int) -> None:
    """A frame that ends early is not forwarded; one that Ethernet has filled up to 60 bytes is."""

    async def test(scene: Scene) -> None:
        tap = Tap(network.alice)
        frame = await _record(scene, tap)
        for length in range(14, len(frame)):
            tap.socket.send(frame[:length])
        tap.socket.send(frame + bytes(40))
        await scene.bob.hears(PACKET)
        tap.socket.close()
        assert scene.by_fast_way() == 2

    play(network, family, test)


@FAMILIES
def test_forwarding_that_is_forbidden_and_allowed_again(network: Network, family: int) -> None:
    """No packet is lost meanwhile, and the operator is told what to set."""

    async def test(scene: Scene) -> None:
        scene.connect()
        network.allow_forwarding(False)
        scene.alice.send(b"one", scene.ports[0])
        await scene.bob.hears(b"one")
        assert scene.check() == (
            "eBPF failed, forwarding in user space: "
            "net.ipv4.conf.lo.forwarding and net.ipv6.conf.lo.forwarding are 0"
        )
        network.allow_forwarding(True)
        assert scene.check() == "eBPF works again"
        scene.alice.send(b"two", scene.ports[0])
        await scene.bob.hears(b"two")
        assert (scene.by_socket(), scene.by_fast_way()) == (1, 1)

    play(network, family, test)


def test_interfaces_that_come_and_go(network: Network) -> None:
    async def test(scene: Scene) -> None:
        ip(f"link add new netns {network.relay.name} type veth peer name eth1 netns {network.alice.name}")
        network.relay.ip("address add 10.99.3.1/24 dev new", "link set new up")
        network.alice.ip("address add 10.99.3.2/24 dev eth1", "link set eth1 up")
        assert scene.check() is None
        carol = scene.phone(network.alice, ("10.99.3.2", 4000))
        scene.connect()
        scene.plane.add(scene.flow._replace(expect_from=carol.address))
        carol.send(b"hello", scene.ports[0])
        await scene.bob.hears(b"hello")
        assert scene.by_fast_way() == 1
        network.relay.ip("link delete new")
        assert scene.check() is None

    play(network, 4, test)


#: The daemon's two capabilities and no other: CAP_NET_ADMIN, CAP_BPF.
CONFINED = (
    *("setpriv", "--bounding-set=-all,+cap_12,+cap_39", "--inh-caps=-all,+cap_12,+cap_39"),
    "--ambient-caps=-all,+cap_12,+cap_39",
)
CHILD = """
import sys
from ngcp.rtpengine.ebpf import EbpfPlane
from ngcp.rtpengine.flows import Flow

here, phone, there, other = ((sys.argv[i], int(sys.argv[i + 1])) for i in (1, 3, 5, 7))
plane = EbpfPlane(8)
assert plane.check() is None
plane.add(Flow(here, phone, there, other, 184))
print("ready", flush=True)
input()
"""


def start_child(host: Host, flow: Flow) -> subprocess.Popen[str]:
    """Let another process, confined as the daemon is, forward a flow."""
    ends = (flow.local, flow.expect_from, flow.send_from, flow.send_to)
    words = [str(part) for end in ends for part in end or ()]
    return subprocess.Popen(
        ["ip", "netns", "exec", host.name, *CONFINED, sys.executable, "-c", CHILD, *words],
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@FAMILIES
def test_daemon_that_is_killed_leaves_nothing(network: Network, family: int) -> None:
    """While it lives the kernel forwards, with its two capabilities; then nobody is there."""

    async def test(scene: Scene) -> None:
        free: Address = (scene.ports[0][0], 31000)  # no socket has it
        with start_child(network.relay, scene.flow._replace(local=free)) as child:
            assert child.stdout and child.stdout.readline() == "ready\n"
            scene.alice.send(b"hello", free)
            await scene.bob.hears(b"hello")
            child.kill()
        scene.alice.socket.connect(free)

        def is_refused() -> bool:
            try:
                scene.alice.socket.send(b"still there?")
            except ConnectionRefusedError:
                return True
            return False

        await until(is_refused)
        scene.bob.listen()
        heard = len(scene.bob.heard)
        with pytest.raises(ConnectionRefusedError):
            for _ in range(2):
                scene.alice.socket.send(b"really not?")
        assert scene.bob.listen() == heard

    play(network, family, test)


def test_flows_that_it_cannot_forward(network: Network) -> None:
    """Protected ones, those between families, and those of addresses that mean something on one link only."""

    async def test(scene: Scene) -> None:
        assert scene.fast
        flow = scene.flow
        keys = Keys("AES_CM_128_HMAC_SHA1_80", bytes(30))
        assert scene.fast.can(flow)
        for other in (
            flow._replace(decrypt=keys),
            flow._replace(encrypt=keys),
            flow._replace(process=lambda packet, now: [packet]),
            flow._replace(send_to=(PHONES[6][1], 5000)),
            flow._replace(send_to=("127.0.0.1", 5000)),
            flow._replace(send_to=("169.254.1.1", 5000)),
            flow._replace(send_to=None),
        ):
            assert not scene.fast.can(other)

    play(network, 4, test)


def test_no_room_for_one_more_flow(network: Network) -> None:
    async def test(scene: Scene) -> None:
        plane = EbpfPlane(1)
        with network.relay.inside():
            assert plane.check() is None
        plane.add(scene.flow)
        with pytest.raises(PlaneLost, match="table entry"):
            plane.add(scene.back)
        plane.remove(scene.flow.local)
        plane.add(scene.back)
        plane.close()

    play(network, 4, test)


def test_program_that_is_not_there(network: Network, tmp_path: Path) -> None:
    program = tmp_path / "relay.bpf.o"
    with network.relay.inside():
        assert EbpfPlane(8, program).check() == f"{program}: No such file or directory"


def test_host_that_does_not_forward(network: Network) -> None:
    network.allow_forwarding(False)
    plane = EbpfPlane(8)
    with network.relay.inside():
        assert str(plane.check()).endswith("lo.forwarding are 0")
        network.allow_forwarding(True)
        assert plane.check() is None
    plane.close()
