"""A flood of connections that say nothing, while a phone that has registered is called."""

import asyncio
import dataclasses
import re
import socket

from net.loop import run
from net.test_flood import ABREAST, FLOOD, descriptors, flood
from ngcp.lb.config import Configuration
from ngcp.lb.service import LoadBalancerService
from ngcp.net.admission import Limits
from ngcp.service.credentials import Credential

__all__ = ["descriptors"]  # a fixture

REGISTER = (
    "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.5;branch=z9hG4bK1;rport\r\n"
    "Max-Forwards: 70\r\nFrom: <sip:bob@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\n"
    "Call-ID: 1\r\nCSeq: 1 REGISTER\r\nContact: <sip:bob@10.0.0.5;transport=tcp>\r\nContent-Length: 0\r\n\r\n"
)
INVITE = (
    "INVITE sip:bob@10.0.0.5;transport=tcp SIP/2.0\r\nVia: SIP/2.0/UDP {proxy};branch=z9hG4bK{number}\r\n"
    "Route: {path}\r\nMax-Forwards: 70\r\nFrom: <sip:alice@h>;tag=2\r\nTo: <sip:bob@example.org>\r\n"
    "Call-ID: {number}\r\nCSeq: 1 INVITE\r\nContact: <sip:alice@{proxy}>\r\nContent-Length: 0\r\n\r\n"
)


class Proxy:
    """Grants a registration, and calls the phone by its Path."""

    def __init__(self, address: tuple[str, int], edge: tuple[str, int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(address)
        self._socket.connect(edge)
        self._name = f"{address[0]}:{address[1]}"
        self._path = ""

    async def register(self) -> None:
        head = (await self._loop.sock_recv(self._socket, 65535)).decode().split("\r\n")
        kept = [line for line in head if re.match("(Via|From|To|Call-ID|CSeq):", line)]
        (self._path,) = [line.partition(": ")[2] for line in head if line.startswith("Path: ")]
        answer = "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""])
        await self._loop.sock_sendall(self._socket, answer.encode())

    async def call(self, number: int) -> None:
        text = INVITE.format(proxy=self._name, number=number, path=self._path)
        await self._loop.sock_sendall(self._socket, text.encode())

    def close(self) -> None:
        self._socket.close()


def test_it_is_called(configuration: Configuration) -> None:
    limited = dataclasses.replace(configuration, limits=Limits(connections=300, per_address=ABREAST))
    public = limited.public.socket

    async def test() -> None:
        service = LoadBalancerService(limited, lambda: Credential(bytes(32)), lambda: limited)
        await service.start()
        proxy = Proxy(limited.proxies[0].socket, limited.internal.socket)
        reader, writer = await asyncio.open_connection(*public)
        writer.write(REGISTER.encode())
        await proxy.register()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 200 OK\r\n")

        for number in range(FLOOD // ABREAST):
            silent = flood(public, ABREAST, number)
            await proxy.call(number)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"INVITE sip:bob@10.0.0.5")
            for client in silent:
                client.close()
        writer.close()
        proxy.close()
        await service.stop()

    run(test)
