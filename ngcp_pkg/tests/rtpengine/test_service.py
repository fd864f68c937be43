"""The daemon on loopback: commands in by UDP, media through real ports."""

import itertools
import logging
import resource
import socket

import pytest

from net.loop import run, until
from ngcp.net.udp import UdpRequester
from ngcp.ng.bencode import Value, decode, encode
from ngcp.rtpengine.config import Configuration
from ngcp.rtpengine.service import MediaRelayService
from ngcp.sdp import Description

HOST = "127.0.0.1"
RTP = bytes.fromhex("80 08 0001 000000a0 decafbad") + bytes(160)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Daemon:
    """The service and a client of its control port."""

    def __init__(self) -> None:
        port = free_port()
        configuration = Configuration(
            interface=HOST, listen_ng=f"{HOST}:{port}", port_min=20_000, port_max=20_400
        )
        self.service = MediaRelayService(configuration)
        self.remote = HOST, port
        self._cookies = itertools.count()

    async def start(self) -> None:
        await self.service.start()
        self._client = UdpRequester(self.remote, lambda: f"{next(self._cookies)}", timeout=5.0)

    async def ask(self, **fields: Value) -> dict[str, Value]:
        command: dict[str, Value] = {key.replace("_", "-"): value for key, value in fields.items()}
        reply = decode(await self._client.request(encode(command)))
        assert isinstance(reply, dict)
        return reply

    async def stop(self) -> None:
        self._client.close()
        await self.service.stop()


class Phone:
    """A socket for audio."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((HOST, 0))
        self.heard = 0
        self.told = 0

    @property
    def body(self) -> str:
        port = self.socket.getsockname()[1]
        return (
            f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"
        )

    def take(self, reply: dict[str, Value]) -> None:
        self.told = Description.parse(str(reply["sdp"]).encode()).media[0].port

    def send(self) -> None:
        self.socket.sendto(RTP, (HOST, self.told))

    def listen(self) -> int:
        while True:
            try:
                self.socket.recv(2048)
            except BlockingIOError:
                return self.heard
            self.heard += 1


def test_call_with_media_both_ways() -> None:
    async def test() -> None:
        daemon, alice, bob = Daemon(), Phone(), Phone()
        await daemon.start()
        assert await daemon.ask(command="ping") == {"result": "pong"}
        bob.take(await daemon.ask(command="offer", call_id="1", from_tag="a", sdp=alice.body))
        alice.take(await daemon.ask(command="answer", call_id="1", from_tag="a", to_tag="b", sdp=bob.body))
        for _ in range(10):
            alice.send()
            bob.send()
        await until(lambda: alice.listen() == bob.listen() == 10)

        report = await daemon.ask(command="query", call_id="1")
        assert report["totals"] == {
            "RTP": {"packets": 20, "bytes": 20 * len(RTP), "errors": 0},
            "RTCP": {"packets": 0, "bytes": 0, "errors": 0},
        }
        assert daemon.service.status() == "1 calls, 198 port pairs free"
        await daemon.ask(command="delete", call_id="1", from_tag="a")
        assert daemon.service.status() == "0 calls, 200 port pairs free"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, alice.told))
        await daemon.stop()

    run(test)


def test_garbage_costs_one_line_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        caplog.clear()
        daemon = Daemon()
        await daemon.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"garbage", daemon.remote)
            await until(lambda: len(caplog.records) == 1)
        assert await daemon.ask(command="ping") == {"result": "pong"}
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        await daemon.stop()

    run(test)


def test_interface_that_is_not_ours_is_told_at_once() -> None:
    async def test() -> None:
        service = MediaRelayService(Configuration(interface="192.0.2.1", listen_ng=f"{HOST}:{free_port()}"))
        with pytest.raises(OSError, match=r"INTERFACE 192\.0\.2\.1"):
            await service.start()
        await service.stop()

    run(test)


def test_room_for_as_many_sockets_as_ports() -> None:
    async def test() -> None:
        old = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, old[1]))
        daemon = Daemon()
        await daemon.start()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, old)
        assert soft > 400
        assert hard == old[1]
        await daemon.stop()

    run(test)
