"""The daemon with real sockets on loopback: every port it promises, and its control commands."""

import asyncio
import dataclasses
import socket
import ssl
import xmlrpc.client

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import Request, TextMessage

from lb.conftest import free_port
from net.certificate import write_certificate
from net.loop import run
from ngcp.lb.config import Configuration, ExtraSocket, Internal
from ngcp.lb.service import LoadBalancerService
from ngcp.net.udp import family_of
from ngcp.service.commands import CommandError
from ngcp.service.credentials import Credential
from ngcp.service.metrics import Metrics
from ngcp.sip.transport.flow import format_address
from ngcp.stun.binding import mapped_address
from service.prometheus import read

PING = (
    "OPTIONS sip:{address} SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bK{number};rport\r\n"
    "From: <sip:a@h>;tag=1\r\nTo: <sip:{address}>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


async def ask_udp(address: tuple[str, int], question: bytes | None = None) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(family_of(address[0]) or socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.setblocking(False)
        phone.connect(address)
        ping = PING.format(address=format_address(address), transport="UDP", number=1).encode()
        await loop.sock_sendall(phone, question or ping)
        return await loop.sock_recv(phone, 65535)


async def ask_stream(address: tuple[str, int], context: ssl.SSLContext | None) -> bytes:
    transport = "TCP" if context is None else "TLS"
    reader, writer = await asyncio.open_connection(*address, ssl=context)
    uri = f"{format_address(address)};transport={transport.lower()}"
    writer.write(PING.format(address=uri, transport=transport, number=2).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return answer


def test_every_port_answers(configuration: Configuration) -> None:
    public = configuration.public
    trusting = ssl.create_default_context(cafile=str(public.certificate))
    trusting.check_hostname = False

    async def test() -> None:
        service = LoadBalancerService(configuration, lambda: Credential(bytes(32)), lambda: configuration)
        await service.start()
        assert service.status() == "0 transactions, 0 connections"
        answers = [
            await ask_udp(public.socket),
            await ask_udp(configuration.internal.socket),
            await ask_stream(public.socket, None),
            await ask_stream(configuration.internal.socket, None),
            await ask_stream((public.address, public.tls_port), trusting),
        ]
        assert [answer.partition(b"\r\n")[0] for answer in answers] == [b"SIP/2.0 200 OK"] * 5
        stats = await asyncio.to_thread(ask_stats, configuration.internal)
        assert stats["requests.OPTIONS"] == 5
        assert (stats["received.udp"], stats["received.tcp"], stats["received.tls"]) == (2, 2, 1)
        samples = read(await scrape(configuration.metrics))
        assert samples["ngcp_lb_requests_total", "OPTIONS"] == 5
        await service.stop()
        await service.stop()

    run(test)


async def scrape(metrics: Metrics) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", metrics.port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.partition(b"\r\n\r\n")[2].decode()


def ask_stats(internal: Internal) -> dict[str, int]:
    with xmlrpc.client.ServerProxy(f"http://{internal.address}:{internal.xmlrpc_port}/RPC2") as daemon:
        version, stats = daemon.core.version(), daemon.stats()
    assert str(version).startswith("kamailio-lb ")
    assert isinstance(stats, dict)
    return stats


def test_an_operator_bans_and_unbans_an_address(
    configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By XMLRPC: its datagrams are dropped, its connections closed, others not accepted."""
    monkeypatch.setattr("ngcp.net.stream.SWEEP", 0.01)

    def ask(method: str, *arguments: object) -> object:
        host, port = configuration.internal.address, configuration.internal.xmlrpc_port
        with xmlrpc.client.ServerProxy(f"http://{host}:{port}/RPC2", allow_none=True) as daemon:
            return getattr(daemon, method)(*arguments)

    async def test() -> None:
        service = LoadBalancerService(configuration, lambda: Credential(bytes(32)), lambda: configuration)
        await service.start()
        public = configuration.public.socket
        reader, writer = await asyncio.open_connection(*public)
        await asyncio.to_thread(ask, "htable.seti", "ipban", "127.0.0.1", 1)
        dump = await asyncio.to_thread(ask, "htable.dump", "ipban")
        assert dump == [{"entry": 0, "size": 1, "slot": [{"name": "127.0.0.1", "value": 1, "type": "int"}]}]
        assert await reader.read() == b""
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await ask_stream(public, None)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask_udp(public), 0.2)
        await asyncio.to_thread(ask, "htable.delete", "ipban", "127.0.0.1")
        assert (await ask_udp(public)).startswith(b"SIP/2.0 200")
        assert (await ask_stream(public, None)).startswith(b"SIP/2.0 200")
        writer.close()
        await service.stop()

    run(test)


def test_a_port_in_use_ends_the_start_and_lets_go(configuration: Configuration) -> None:
    async def test() -> None:
        first, second = (
            LoadBalancerService(configuration, lambda: Credential(bytes(32)), lambda: configuration)
            for _ in range(2)
        )
        await first.start()
        with pytest.raises(OSError, match="in use"):
            await second.start()
        await second.stop()
        assert (await ask_udp(configuration.public.socket)).startswith(b"SIP/2.0 200")
        await first.stop()

    run(test)


def test_ipv6_extra_sockets_and_stun(configuration: Configuration) -> None:
    port = free_port()
    public = dataclasses.replace(
        configuration.public,
        address6="::1",
        extra_sockets=(ExtraSocket("udp", "127.0.0.2", port), ExtraSocket("tcp", "127.0.0.2", port)),
    )
    configuration = dataclasses.replace(configuration, public=public)
    binding = bytes.fromhex("000100002112a442") + bytes(range(12))

    async def test() -> None:
        service = LoadBalancerService(configuration, lambda: Credential(bytes(32)), lambda: configuration)
        await service.start()
        for address in (("::1", public.port), ("127.0.0.2", port)):
            for answer in (await ask_udp(address), await ask_stream(address, None)):
                assert answer.startswith(b"SIP/2.0 200 OK")
        seen = mapped_address(await ask_udp(("::1", public.port), binding))
        assert seen is not None
        assert seen[0] == "::1"
        await service.stop()

    run(test)


def test_a_certificate_is_read_anew(configuration: Configuration, caplog: pytest.LogCaptureFixture) -> None:
    """By `tls.reload`, and by SIGHUP; a broken one changes nothing and is named."""
    public, internal = configuration.public, configuration.internal
    assert public.certificate is not None
    certificate = public.certificate
    address = public.address, public.tls_port

    def trusting() -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(certificate))
        context.check_hostname = False
        return context

    def reload() -> object:
        with xmlrpc.client.ServerProxy(f"http://{internal.address}:{internal.xmlrpc_port}/") as daemon:
            return daemon.tls.reload()

    async def test() -> None:
        service = LoadBalancerService(configuration, lambda: Credential(bytes(32)), lambda: configuration)
        await service.start()
        write_certificate(certificate.parent)
        with pytest.raises(ssl.SSLCertVerificationError):
            await ask_stream(address, trusting())
        assert str(await asyncio.to_thread(reload)).startswith("Ok")
        assert (await ask_stream(address, trusting())).startswith(b"SIP/2.0 200")

        good = certificate.read_bytes()
        certificate.write_bytes(b"")
        with pytest.raises(xmlrpc.client.Fault, match=f"old certificate stays in use: {certificate}: no PEM"):
            await asyncio.to_thread(reload)
        caplog.clear()
        service.reload()
        assert str(certificate) in caplog.text
        certificate.write_bytes(good)
        assert (await ask_stream(address, trusting())).startswith(b"SIP/2.0 200")
        await service.stop()

    run(test)


def test_without_tls_there_is_nothing_to_reload(configuration: Configuration) -> None:
    public = dataclasses.replace(configuration.public, certificate=None, private_key=None)
    plain = dataclasses.replace(configuration, public=public)
    service = LoadBalancerService(plain, lambda: Credential(bytes(32)), lambda: plain)

    async def test() -> None:
        await service.start()
        with pytest.raises(CommandError, match="TLS is not enabled"):
            service.reload_tls()
        await service.stop()

    asyncio.run(test())


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_a_browser_is_answered(configuration: Configuration, transport: str) -> None:
    """RFC 7118, with the origins of the configuration."""
    port, secure_port = free_port(), free_port()
    origin = "https://phone.example.org"
    public = dataclasses.replace(
        configuration.public, ws_port=port, wss_port=secure_port, ws_origins=(origin,)
    )
    configuration = dataclasses.replace(configuration, public=public)
    address = public.address, port if transport == "ws" else secure_port
    context = ssl.create_default_context(cafile=str(public.certificate))
    context.check_hostname = False

    async def ask(page: str) -> bytes:
        reader, writer = await asyncio.open_connection(*address, ssl=context if transport == "wss" else None)
        browser = WSConnection(ConnectionType.CLIENT)
        headers = [(b"Origin", page.encode())]
        upgrade = Request(host="a", target="/", subprotocols=["sip"], extra_headers=headers)
        writer.write(browser.send(upgrade))
        status = await reader.readuntil(b"\r\n\r\n")
        if not status.startswith(b"HTTP/1.1 101 "):
            return status
        browser.receive_data(status)
        ping = PING.format(address=format_address(address), transport=transport.upper(), number=3)
        writer.write(browser.send(TextMessage(data=ping)))
        frame = await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
        return frame[frame.index(b"SIP/2.0") :]

    async def test() -> None:
        service = LoadBalancerService(configuration, lambda: Credential(bytes(32)), lambda: configuration)
        await service.start()
        assert (await ask("https://evil.example.org")).startswith(b"HTTP/1.1 403 ")
        answer = await ask(origin)
        assert answer.startswith(
            b"SIP/2.0 200 OK\r\nVia: SIP/2.0/%b 127.0.0.1:9;" % transport.upper().encode()
        )
        await service.stop()

    run(test)
