"""The daemon with its eBPF plane, in a network of namespaces."""

import itertools
from collections.abc import Iterator

import pytest

from net.loop import run, until
from ngcp.net.udp import UdpRequester
from ngcp.ng.bencode import Value, decode, encode
from ngcp.rtpengine.config import Configuration
from ngcp.rtpengine.flows import Address
from ngcp.rtpengine.service import MediaRelayService
from ngcp.sdp import Description

from .network import Network
from .scene import Phone

pytestmark = pytest.mark.bpf


BODY = (
    "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 8\r\n"
    "a=rtpmap:8 PCMA/8000\r\n"
)
RTP = bytes.fromhex("80 08 0001 000000a0 decafbad") + bytes(160)


@pytest.fixture
def network() -> Iterator[Network]:
    yield from Network.for_tests()


def test_daemon_lets_the_kernel_forward_a_call(network: Network) -> None:
    """From the commands of a proxy to the counters at the end."""

    async def test() -> None:
        service = MediaRelayService(Configuration(interfaces=("10.99.1.1",), forwarding="ebpf"))
        await service.start()
        cookies = itertools.count()
        client = UdpRequester(("127.0.0.1", 12222), lambda: f"{next(cookies)}", timeout=5.0)
        alice, bob = Phone(network.alice, ("10.99.1.2", 4000)), Phone(network.bob, ("10.99.2.2", 5000))

        async def ask(command: str, sdp: str = "") -> dict[str, Value]:
            fields: dict[str, Value] = {"command": command, "call-id": "1", "from-tag": "a", "to-tag": "b"}
            reply = decode(await client.request(encode(fields | ({"sdp": sdp} if sdp else {}))))
            assert isinstance(reply, dict)
            return reply

        def port(reply: dict[str, Value]) -> Address:
            return "10.99.1.1", Description.parse(str(reply["sdp"]).encode()).media[0].port

        to_bob = port(await ask("offer", BODY.format(*alice.address)))
        to_alice = port(await ask("answer", BODY.format(*bob.address)))
        alice.send(RTP, to_alice)
        bob.send(RTP, to_bob)
        await until(lambda: service.status().endswith("2 of 4 flows by eBPF"))
        await until(lambda: alice.listen() == bob.listen() == 1)
        for _ in range(10):
            alice.send(RTP, to_alice)
            bob.send(RTP, to_bob)
        await alice.hears(*[RTP] * 10)
        await bob.hears(*[RTP] * 10)
        totals = (await ask("delete"))["totals"]

        assert isinstance(totals, dict)
        assert totals["RTP"] == {"packets": 22, "bytes": 22 * len(RTP), "errors": 0}
        assert service.status().endswith("0 of 0 flows by eBPF")
        for phone in (alice, bob):
            phone.socket.close()
        client.close()
        await service.stop()

    with network.relay.inside():
        run(test)
