"""SIP over TCP and TLS on loopback: framing, reuse, limits."""

import asyncio
import socket
import ssl
from collections import Counter
from pathlib import Path

import pytest

from net.certificate import write_certificate
from net.loop import run, until
from ngcp.net.admission import Admission, Limits
from ngcp.net.connection import Connection, Framer
from ngcp.net.stream import UNHEARD, Manner, StreamServer
from ngcp.net.tls import Certificate
from ngcp.sip.transport.flow import Address, Flow

LOOPBACK = ("127.0.0.1", 0)
MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nhi"


class Log:
    """A sink that writes down what it is told."""

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, Flow]] = []
        self.transmits = 0
        self.failed: list[Flow] = []
        self.opened: list[Flow] = []
        self.counters: Counter[str] = Counter()

    def receive(self, data: bytes, flow: Flow) -> None:
        self.messages.append((data, flow))

    def transmit(self) -> None:
        self.transmits += 1

    def fail(self, flow: Flow) -> None:
        self.failed.append(flow)


def serving(
    limits: Limits | None = None, certificate: Certificate | None = None
) -> tuple[Log, StreamServer, Address]:
    log = Log()
    manner = Manner("tls" if certificate else "tcp", certificate, tos=184)
    server = StreamServer(log, manner, opened=log.opened.append, admission=Admission(limits, log.counters))
    return log, server, server.listen(LOOPBACK)


def test_messages_come_whole_and_answers_take_the_same_connection() -> None:
    async def test() -> None:
        log, server, address = serving()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(MESSAGE[:10])
        await asyncio.sleep(0.01)
        writer.write(MESSAGE[10:] + MESSAGE + b"\r\n\r\n")

        assert await reader.readexactly(2) == b"\r\n"  # RFC 5626 §4.4.1
        flow = Flow("tcp", address, writer.get_extra_info("sockname"))
        assert log.messages == [(MESSAGE, flow), (MESSAGE, flow)]
        assert log.opened == [flow]
        assert server.send(b"answer", flow.remote)
        assert await reader.readexactly(6) == b"answer"

        writer.close()
        await until(lambda: log.failed == [flow])
        assert len(server) == 0
        server.close()

    run(test)


def test_tls(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)

    async def test() -> None:
        log, server, address = serving(certificate=Certificate(certificate, key))
        trusting = ssl.create_default_context(cafile=str(certificate))
        trusting.check_hostname = False
        reader, writer = await asyncio.open_connection(*address, ssl=trusting)
        writer.write(MESSAGE)
        await until(lambda: len(log.messages) == 1)

        flow = log.messages[0][1]
        assert (flow.transport, flow.local) == ("tls", address)
        assert server.send(b"answer", flow.remote)
        assert await reader.readexactly(6) == b"answer"
        assert not server.send(b"x", ("127.0.0.1", 9)), "TLS connections are opened by phones only"

        writer.transport.abort()
        _, plain = await asyncio.open_connection(*address)
        plain.write(MESSAGE)
        await until(lambda: len(server) == 0)
        assert len(log.messages) == 1
        plain.close()
        server.close()

    run(test)


def test_a_connection_is_opened_once_for_all_that_waits() -> None:
    async def test() -> None:
        theirs, they, their_address = serving()
        ours, we, our_address = serving()
        assert we.send(MESSAGE, their_address)
        assert we.send(MESSAGE, their_address)
        await until(lambda: len(theirs.messages) == 2)

        assert len(theirs.opened) == 1
        assert ours.opened == [Flow("tcp", our_address, their_address)]
        assert they.send(MESSAGE, theirs.opened[0].remote), "answers take the way back"
        await until(lambda: ours.messages == [(MESSAGE, ours.opened[0])])
        we.close()
        they.close()

    run(test)


def test_a_connection_that_cannot_be_opened_fails_its_flow() -> None:
    async def test() -> None:
        _, gone, address = serving()
        gone.close()
        log, server, local = serving()

        assert server.send(MESSAGE, address)
        await until(lambda: log.failed == [Flow("tcp", local, address)])
        assert not server.send(MESSAGE, ("example.org", 5060))
        server.close()

    run(test)


@pytest.mark.parametrize("limits", [Limits(connections=2), Limits(per_address=2)], ids=["total", "address"])
def test_limits(limits: Limits) -> None:
    async def test() -> None:
        log, server, address = serving(limits)
        clients = [await asyncio.open_connection(*address) for _ in range(2)]
        for _, writer in clients:
            writer.write(MESSAGE)
        await until(lambda: len(log.messages) == 2)
        clients.append(await asyncio.open_connection(*address))

        assert await clients[2][0].read() == b"", "the third is hung up on"
        assert (len(server), log.counters["connections.refused"]) == (2, 1)
        clients[0][1].close()
        await until(lambda: bool(log.failed))
        clients.append(await asyncio.open_connection(*address))
        clients[3][1].write(MESSAGE)
        await until(lambda: len(log.messages) == 3)
        for _, writer in clients:
            writer.close()
        server.close()

    run(test)


def test_what_breaks_framing_is_hung_up_on(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        caplog.clear()
        caplog.set_level("INFO")
        log, server, address = serving()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await reader.read() == b""
        await until(lambda: bool(log.failed))
        assert [record.message.split(":")[0] for record in caplog.records] == ["hung up on tcp 127.0.0.1"]
        writer.close()
        server.close()

    run(test)


@pytest.mark.parametrize(
    ("limits", "start"),
    [
        (Limits(first_message=0.02), b"OPT"),
        (Limits(unfinished=0.02), MESSAGE + b"OPT"),
        (Limits(idle=0.02), MESSAGE),
    ],
    ids=["never says a whole message", "does not finish", "falls silent"],
)
def test_who_overstays_is_hung_up_on(limits: Limits, start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngcp.net.stream.SWEEP", 0.01)

    async def test() -> None:
        _, server, address = serving(limits)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(start)
        assert await reader.read() == b""
        writer.close()
        server.close()

    run(test)


def test_who_is_not_welcome_any_more_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ngcp.net.stream.SWEEP", 0.01)

    async def test() -> None:
        banned: set[str] = set()
        log = Log()
        admission = Admission(None, log.counters, lambda host: host not in banned)
        server = StreamServer(log, Manner(), admission=admission)
        reader, writer = await asyncio.open_connection(*server.listen(LOOPBACK))
        writer.write(MESSAGE)
        await until(lambda: len(log.messages) == 1)
        banned.add("127.0.0.1")

        assert await reader.read() == b""
        assert (len(server), log.counters["connections.banned"]) == (0, 1)
        writer.close()
        server.close()

    run(test)


def test_who_does_not_read_is_hung_up_on() -> None:
    async def test() -> None:
        log, server, address = serving(Limits(unsent=10_000))
        _, writer = await asyncio.open_connection(*address, limit=1000)
        await until(lambda: bool(log.opened))
        remote = log.opened[0].remote

        sent = 0
        while server.send(b"x" * 100_000, remote):
            sent += 1
            assert sent < 1000
        await until(lambda: bool(log.failed))
        writer.close()
        server.close()

    run(test)


def test_a_tls_handshake_holds_a_slot(tmp_path: Path) -> None:
    certificate, key = write_certificate(tmp_path)

    async def test() -> None:
        log, server, address = serving(Limits(per_address=1), Certificate(certificate, key))
        _, silent = await asyncio.open_connection(*address)
        reader, writer = await asyncio.open_connection(*address)
        assert await reader.read() == b""
        assert log.counters["connections.refused"] == 1
        silent.close()
        writer.close()
        server.close()

    run(test)


def test_accepted_connections_inherit_the_options_of_the_listener(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A phone that was switched off is noticed before timer B (RFC 5482)."""
    accepted: list[socket.socket] = []
    make = Connection

    def remember(host: StreamServer, channel: socket.socket, flow: Flow, framer: Framer) -> Connection:
        accepted.append(channel)
        return make(host, channel, flow, framer)

    monkeypatch.setattr("ngcp.net.stream.Connection", remember)

    async def test() -> None:
        accepted.clear()
        log, server, address = serving()
        _, writer = await asyncio.open_connection(*address)
        await until(lambda: bool(log.opened))

        (channel,) = accepted
        assert channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNHEARD * 1000
        assert channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert channel.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 184
        writer.close()
        server.close()

    run(test)


def test_a_bug_that_one_peer_hits_ends_its_connection_only(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        log, server, address = serving()
        (bad, bad_writer), (_, writer) = [await asyncio.open_connection(*address) for _ in range(2)]
        await until(lambda: len(log.opened) == 2)
        receive = log.receive

        def stumble(data: bytes, flow: Flow) -> None:
            if flow.remote == bad_writer.get_extra_info("sockname"):
                raise RuntimeError("a bug")
            receive(data, flow)

        log.receive = stumble  # type: ignore[method-assign] # a sink with a bug
        for each in (bad_writer, writer):
            each.write(MESSAGE)
        assert await bad.read() == b""
        await until(lambda: len(log.messages) == 1)
        assert len(server) == 1
        for each in (bad_writer, writer):
            each.close()
        server.close()

    run(test)
    assert "a bug" in caplog.text
