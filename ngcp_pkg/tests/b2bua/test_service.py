"""The daemon with real sockets on loopback: a call, what operators ask about it, and a stop in its midst."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from lb.ports import free_ports
from net.loop import run
from ngcp.audio.tones import tone
from ngcp.audio.wav import write
from ngcp.b2bua.config import Configuration
from ngcp.b2bua.service import B2buaService
from ngcp.rtp.packet import Packet
from ngcp.service import client
from ngcp.service.commands import CommandError
from ngcp.service.endpoint import Endpoint
from ngcp.service.metrics import Metrics
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport.flow import Address, format_address
from service.prometheus import read

HOST = "127.0.0.1"
PATIENCE = 10.0


class Peer:
    """A socket that sends and receives SIP."""

    def __init__(self, at: Address) -> None:
        self.at = at
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((HOST, 0))
        self.address: Address = self.socket.getsockname()

    def say(self, data: bytes) -> None:
        self.socket.sendto(data, self.at)

    async def hear(self, start: str) -> Request | Response:
        """Return the next message that begins so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = parse(await asyncio.get_running_loop().sock_recv(self.socket, 65_535))
                if message.start_line.startswith(start):
                    return message

    def ask(self, method: str, *extra: str, to: str = "<sip:bob@h>", number: int = 1, body: str = "") -> None:
        host = format_address(self.address)
        lines = [
            f"Via: SIP/2.0/UDP {host};branch=z9hG4bK{method}{number}",
            f"From: <sip:alice@h>;tag=a\r\nTo: {to}\r\nCall-ID: c",
            f"CSeq: {number} {method}\r\nMax-Forwards: 70\r\nContact: <sip:{host}>",
            *extra,
            f"Content-Length: {len(body)}",
        ]
        self.say("\r\n".join((f"{method} sip:bob@h SIP/2.0", *lines, "", body)).encode())

    def answer(self, request: Request | Response, status: int) -> None:
        assert isinstance(request, Request)
        response = request.reply(status, to_tag="b")
        response.append("Contact", f"<sip:{format_address(self.address)}>")
        self.say(bytes(response))


def _configuration() -> Configuration:
    first = free_ports(4)
    sip, control, commands = (Endpoint(HOST, first + index) for index in range(3))
    return Configuration(sip, control, commands, metrics=Metrics(first + 3), drain=0.2)


async def _with_call(test: Callable[[Configuration, Peer, Peer, B2buaService], Awaitable[None]]) -> None:
    configuration = _configuration()
    service = B2buaService(configuration)
    await service.start()
    alice, bob = Peer(configuration.listen.pair), Peer(configuration.listen.pair)
    try:
        proxy = f"P-Proxy-Uri: <sip:{format_address(bob.address)};lr>"
        alice.ask("INVITE", "P-App-Name: sbc", proxy)
        bob.answer(await bob.hear("INVITE"), 200)
        ok = await alice.hear("SIP/2.0 200")
        alice.ask("ACK", to=ok.first("To"))
        await bob.hear("ACK")
        await test(configuration, alice, bob, service)
    finally:
        await service.stop()
        alice.socket.close()
        bob.socket.close()


async def _ask(address: Address, question: str) -> dict[str, object]:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.connect(address)
        await loop.sock_sendall(asking, question.encode())
        async with asyncio.timeout(PATIENCE):
            answer: dict[str, object] = json.loads(await loop.sock_recv(asking, 65_535))
            return answer


async def _scrape(port: int | None) -> str:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n")
    _, _, text = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return text.decode()


def test_a_call_is_listed_and_ended_by_an_operator() -> None:
    async def look(configuration: Configuration, alice: Peer, bob: Peer, service: B2buaService) -> None:
        url = f"http://{HOST}:{configuration.xmlrpc.port}/RPC2"
        listed = await _ask(configuration.control.pair, "calls")
        assert isinstance(listed["result"], list)
        (one,) = listed["result"]
        assert (one["application"], one["from"], one["state"]) == ("sbc", "sip:alice@h", "answered")
        assert await asyncio.to_thread(client.call, url, "calls", 1) == []
        assert read(await _scrape(configuration.metrics.port))["ngcp_b2bua_calls", ""] == 1
        assert service.status().startswith("1 calls")

        assert await asyncio.to_thread(client.call, url, "terminate", one["id"]) == "OK"

        alice.answer(await alice.hear("BYE"), 200)
        bob.answer(await bob.hear("BYE"), 200)
        with pytest.raises(CommandError, match="no call"):
            await asyncio.to_thread(client.call, url, "terminate", one["id"])

    run(lambda: _with_call(look))


def test_a_stop_refuses_new_calls_and_hangs_up_on_the_others() -> None:
    async def stop(configuration: Configuration, alice: Peer, bob: Peer, service: B2buaService) -> None:
        stopping = asyncio.create_task(service.stop())
        await asyncio.sleep(0)
        alice.ask("OPTIONS", number=7)
        await alice.hear("SIP/2.0 503")
        alice.ask("INVITE", "P-App-Name: sbc", number=8)
        refusal = await alice.hear("SIP/2.0 503")
        assert refusal.get("Retry-After") == "5"

        alice.answer(await alice.hear("BYE"), 200)
        bob.answer(await bob.hear("BYE"), 200)
        await stopping

    run(lambda: _with_call(stop))


def test_conference_with_sound(tmp_path: Path) -> None:
    directory = tmp_path / "en_US"
    directory.mkdir()
    (directory / "conf-placeintoconf.wav").write_bytes(write(tone([400.0], 8000, range(8000))))

    async def listen() -> None:
        configuration = replace(_configuration(), sounds=str(tmp_path))
        service = B2buaService(configuration)
        await service.start()
        alice = Peer(configuration.listen.pair)
        ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ear.setblocking(False)
        ear.bind((HOST, 0))
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
            f"m=audio {ear.getsockname()[1]} RTP/AVP 8\r\n"
        )
        try:
            alice.ask("INVITE", "P-App-Name: conference", "P-App-Param: ;room=1", body=body)
            ok = await alice.hear("SIP/2.0 200")
            alice.ask("ACK", to=ok.first("To"))
            async with asyncio.timeout(PATIENCE):
                heard = [await asyncio.get_running_loop().sock_recv(ear, 2048) for _ in range(20)]
            packets = [Packet.parse(data) for data in heard]
            assert {packet.payload_type for packet in packets} == {8}
            steps = [b.timestamp - a.timestamp for a, b in pairwise(packets)]
            assert steps == [160] * 19
            alice.ask("BYE", to=ok.first("To"), number=2)
            await alice.hear("SIP/2.0 200")
            assert service.status().startswith("0 calls")
        finally:
            await service.stop()
            alice.socket.close()
            ear.close()

    run(listen)
