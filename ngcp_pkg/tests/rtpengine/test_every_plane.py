"""What every plane does alike: the same packets, through a real network of namespaces, on each of them."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from net.loop import run, until
from ngcp.rtpengine.flows import Address, Exit, Kind

from .network import Network
from .scene import PHONES, PLANES, TOS, Scene

pytestmark = pytest.mark.bpf

Play = Callable[[Callable[[Scene], Awaitable[None]]], None]

RTP = bytes.fromhex("80 08 0001 000000a0 decafbad") + bytes(160)
RTCP = bytes.fromhex("80 c9 0001 decafbad")
STUN = bytes.fromhex("0001 0000 2112a442") + bytes(12)
UDP_SEGMENT = 103  # of SOL_UDP


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    yield from Network.for_tests()


@pytest.fixture(
    params=[(plane, family) for plane in PLANES for family in (4, 6)], ids="{0[0]}-ipv{0[1]}".format
)
def play(request: pytest.FixtureRequest, network: Network) -> Play:
    """Run a test of a scene."""
    plane, family = request.param

    def play(test: Callable[[Scene], Awaitable[None]]) -> None:
        async def whole() -> None:
            scene = Scene(network, plane, family)
            try:
                await test(scene)
            finally:
                scene.stop()

        run(whole)

    return play


class TestForwarding:
    def test_packets_both_ways(self, play: Play) -> None:
        """They leave from the port that faces their receiver, with our TOS and time to live."""

        async def test(scene: Scene) -> None:
            scene.connect()
            for number in range(20):
                scene.alice.send(b"alice %d" % number, scene.ports[0])
                scene.bob.send(b"bob %d" % number, scene.ports[1])
            await scene.alice.hears(*(b"bob %d" % number for number in range(20)))
            await scene.bob.hears(*(b"alice %d" % number for number in range(20)))

            assert {heard[1:] for heard in scene.alice.heard} == {(scene.ports[0], TOS, 64)}
            assert {heard[1:] for heard in scene.bob.heard} == {(scene.ports[1], TOS, 64)}
            assert scene.by_fast_way() == 20
            assert scene.strangers == []

        play(test)

    def test_rtcp_takes_its_own_ports(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            host, port = scene.alice.address
            alice = scene.phone(scene.network.alice, (host, port + 1))
            host, port = scene.bob.address
            bob = scene.phone(scene.network.bob, (host, port + 1))
            scene.connect()
            here, there = scene.ports[2:]
            rtcp = scene.flow._replace(
                local=here, expect_from=alice.address, send_from=there, send_to=bob.address, kind=Kind.RTCP
            )
            scene.plane.add(rtcp)
            scene.plane.add(
                rtcp._replace(local=there, expect_from=bob.address, send_from=here, send_to=alice.address)
            )
            scene.alice.send(RTP, scene.ports[0])
            alice.send(RTCP, here)
            await bob.hears(RTCP)
            await scene.bob.hears(RTP)

            assert bob.heard[0].source == there
            assert scene.plane.counters(here)[:3] == (1, len(RTCP), 0)

        play(test)

    def test_counters(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            scene.connect()
            for size in (10, 20, 30):
                scene.alice.send(bytes(size), scene.ports[0])
            await scene.bob.hears(bytes(10), bytes(20), bytes(30))
            counters = scene.plane.counters(scene.ports[0])

            assert counters[:3] == (3, 60, 0)
            assert counters.last_packet is not None
            assert 0.0 <= time.monotonic() - counters.last_packet < 10.0
            assert scene.plane.counters(scene.ports[1]) == (0, 0, 0, None)

        play(test)

    def test_packets_of_every_size(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            scene.connect()
            for size in (*range(70), 171, 172, 1399, 1400):
                packet = (bytes(range(1, 256)) * 6)[:size]
                scene.alice.send(packet, scene.ports[0])
                await scene.bob.hears(packet)

        play(test)

    def test_other_source_is_not_forwarded(self, play: Play) -> None:
        """Neither another port of the same host nor the same port of another host."""

        async def test(scene: Scene) -> None:
            scene.connect()
            host, port = scene.alice.address
            neighbour = host.removesuffix("2") + "3"
            others = [
                scene.phone(scene.network.alice, address) for address in ((host, 4001), (neighbour, port))
            ]
            for other in others:
                other.send(RTP, scene.ports[0])
            await until(lambda: len(scene.strangers) == 2)
            scene.alice.send(b"end", scene.ports[0])
            await scene.bob.hears(b"end")

            assert scene.strangers == [(scene.ports[0], other.address, RTP) for other in others]
            assert scene.plane.counters(scene.ports[0])[:3] == (1, 3, 2)

        play(test)

    def test_changed_target(self, play: Play) -> None:
        """The next packet goes there; the counters go on."""

        async def test(scene: Scene) -> None:
            scene.connect()
            scene.alice.send(b"one", scene.ports[0])
            await scene.bob.hears(b"one")
            carol = scene.phone(scene.network.bob, (PHONES[scene.family][1], 6000))
            scene.plane.add(scene.flow._replace(send_to=carol.address, tos=0))
            scene.alice.send(b"two", scene.ports[0])
            await carol.hears(b"two")

            assert carol.heard[0][1:3] == (scene.ports[1], 0)
            assert scene.plane.counters(scene.ports[0])[:2] == (2, 6)
            assert scene.by_fast_way() == 2

        play(test)

    def test_no_target_stops_it(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            scene.connect()
            scene.plane.add(scene.flow._replace(send_to=None))
            scene.alice.send(b"one", scene.ports[0])
            await until(lambda: scene.plane.counters(scene.ports[0]).packets == 1)
            assert scene.bob.listen() == 0

        play(test)

    def test_removed_flow_is_forwarded_no_more(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            scene.connect()
            scene.plane.remove(scene.ports[0])
            scene.alice.send(b"one", scene.ports[0])
            await asyncio.sleep(0.1)
            assert scene.bob.listen() == 0
            scene.plane.add(scene.flow)
            scene.alice.send(b"two", scene.ports[0])
            # The first one may have waited in a socket for that.
            await until(lambda: scene.bob.listen() > 0 and b"two" in {one.packet for one in scene.bob.heard})

        play(test)

    def test_fragments_arrive_whole(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            scene.connect()
            large = bytes(range(250)) * 20
            scene.alice.send(large, scene.ports[0])
            await scene.bob.hears(large)

        play(test)

    def test_packets_with_options(self, play: Play) -> None:
        """A no-operation of IPv4 (RFC 791 §3.1), a padded extension header of IPv6 (RFC 8200 §4.6)."""

        async def test(scene: Scene) -> None:
            scene.connect()
            if scene.family == 4:
                scene.alice.socket.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"\x01" * 4)
            else:
                option = bytes((0, 0, 1, 4, 0, 0, 0, 0))
                scene.alice.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, option)
            scene.alice.send(b"hello", scene.ports[0])
            await scene.bob.hears(b"hello")
            assert scene.by_socket() == 1

        play(test)

    def test_last_hop(self, play: Play) -> None:
        """A relay is an end of the way: packets that could go no further arrive."""

        async def test(scene: Scene) -> None:
            scene.connect()
            level, option = (
                (socket.IPPROTO_IP, socket.IP_TTL)
                if scene.family == 4
                else (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
            )
            scene.alice.socket.setsockopt(level, option, 1)
            scene.alice.send(b"hello", scene.ports[0])
            await scene.bob.hears(b"hello")
            assert scene.bob.heard[0].hops == 64

        play(test)

    def test_datagrams_that_share_a_packet(self, play: Play) -> None:
        """A sender's kernel, or ours, may carry many of one size as one (segmentation offload)."""

        async def test(scene: Scene) -> None:
            scene.connect()
            scene.alice.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 100)
            scene.alice.send(bytes(100) + b"\1" * 100 + b"\2" * 50, scene.ports[0])
            await scene.bob.hears(bytes(100), b"\1" * 100, b"\2" * 50)

        play(test)

    def test_neighbour_that_was_never_asked_for(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            scene.connect()
            scene.network.relay.ip("neighbour flush all")
            scene.alice.send(b"hello", scene.ports[0])
            await scene.bob.hears(b"hello")

        play(test)

    def test_target_behind_a_router(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            far = {4: "203.0.113.9", 6: "2001:db8::9"}[scene.family]
            at_once = " nodad" if scene.family == 6 else ""
            scene.network.bob.ip(f"address replace {far} dev lo{at_once}")
            scene.network.relay.ip(f"route replace {far} via {PHONES[scene.family][1]}")
            carol = scene.phone(scene.network.bob, (far, 7000))
            scene.connect()
            scene.plane.add(scene.flow._replace(send_to=carol.address))
            scene.plane.add(scene.back._replace(expect_from=carol.address))
            scene.alice.send(b"hello", scene.ports[0])
            await carol.hears(b"hello")
            carol.send(b"yes?", scene.ports[1])
            await scene.alice.hears(b"yes?")
            assert scene.by_fast_way() == 1

        play(test)

    def test_target_on_the_relay_itself(self, play: Play) -> None:
        """Such as an announcement server on the same node."""

        async def test(scene: Scene) -> None:
            server = scene.phone(scene.network.relay, (scene.ports[1][0], 7000))
            scene.connect()
            scene.plane.add(scene.flow._replace(send_to=server.address))
            scene.plane.add(scene.back._replace(expect_from=server.address))
            scene.alice.send(b"hello", scene.ports[0])
            await server.hears(b"hello")
            server.send(b"press one", scene.ports[1])
            await scene.alice.hears(b"press one")
            assert scene.by_socket() == 1

        play(test)

    def test_target_without_a_route(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            nowhere: Address = ({4: "192.0.2.1", 6: "2001:db8:1::1"}[scene.family], 9)
            scene.connect()
            scene.plane.add(scene.flow._replace(send_to=nowhere))
            scene.alice.send(b"hello", scene.ports[0])
            await until(lambda: scene.plane.counters(scene.ports[0])[:3] == (1, 5, 1))

        play(test)

    def test_stun_comes_to_the_core(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            scene.connect()
            scene.plane.add(scene.flow._replace(is_guarded=True))
            scene.alice.send(STUN, scene.ports[0])
            await until(lambda: scene.strangers == [(scene.ports[0], scene.alice.address, STUN)])
            scene.alice.send(RTP, scene.ports[0])
            await scene.bob.hears(RTP)
            assert scene.by_fast_way() == 1

        play(test)

    def test_multiplexed_rtcp_leaves_by_its_own_port(self, play: Play) -> None:
        async def test(scene: Scene) -> None:
            host, port = scene.bob.address
            bob = scene.phone(scene.network.bob, (host, port + 1))
            scene.connect()
            exit_ = Exit(scene.ports[3], bob.address)
            scene.plane.add(scene.flow._replace(kind=Kind.MUXED, rtcp=exit_))
            scene.alice.send(RTP, scene.ports[0])
            scene.alice.send(RTCP, scene.ports[0])
            await scene.bob.hears(RTP)
            await bob.hears(RTCP)
            assert bob.heard[0].source == scene.ports[3]
            assert scene.by_fast_way() == (1 if scene.fast else 2)

        play(test)
