"""SIP over TCP and TLS (RFC 3261 §18): accepted and opened connections of one local address, reused by peer.

Everything a peer can make us hold is bounded: connections in total and per address, bytes that wait
for a slow reader, time without a first message, time idle.
"""

import asyncio
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

from ngcp.net.udp import family_of
from ngcp.sip.errors import SipError
from ngcp.sip.transport.flow import Address, Flow
from ngcp.sip.transport.framing import StreamFramer

#: Seconds a connection to a peer may take to come up, well below timer B.
CONNECT_WITHIN: Final = 5.0
#: Seconds between two looks for connections that overstay.
SWEEP: Final = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one listening address puts up with."""

    connections: int = 4096
    """Connections at a time."""
    per_address: int = 256
    """Connections at a time from one IP address (an office behind one NAT)."""
    first_message: float = 10.0
    """Seconds from connecting, TLS included, to the first whole message or keep-alive."""
    unfinished: float = 30.0
    """Seconds that the rest of a begun message may take."""
    idle: float = 3900.0
    """Seconds of silence; a phone that only refreshes hourly keeps its connection."""
    unsent: int = 256 * 1024
    """Bytes that may wait for a peer that does not read."""


class Sink(Protocol):
    """Where messages and failures go: a `Driver`."""

    def receive(self, data: bytes, flow: Flow) -> None:
        """Take one message."""

    def transmit(self) -> None:
        """All messages that came together have been received."""

    def fail(self, flow: Flow) -> None:
        """Learn that a connection is gone, or never came up."""


def server_context(certificate: Path, private_key: Path) -> ssl.SSLContext:
    """Return a TLS 1.2+ context for accepting phones; they show no certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, private_key)
    return context


class StreamServer:
    """The connections of one local address; with a TLS context it only accepts, without it also opens."""

    def __init__(
        self,
        sink: Sink,
        *,
        opened: Callable[[Flow], None] = lambda flow: None,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        tos: int = 0,
    ) -> None:
        """Tell `sink` what arrives and what fails, and `opened` each connection that is up."""
        self.transport = "tcp" if tls is None else "tls"
        self.limits = limits or Limits()
        self.sink = sink
        self.refused = 0
        self._opened = opened
        self._tls = tls
        self._tos = tos
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self._local: Address = ("", 0)
        self._sweeper: asyncio.TimerHandle | None = None
        self._connections: dict[Address, _Connection] = {}
        self._slots: Counter[str] = Counter()
        self._taken = 0
        self._connecting: dict[Address, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def listen(self, local: Address) -> Address:
        """Bind and accept; return the bound address."""
        self._socket = socket.create_server(local, family=family_of(local[0]) or socket.AF_INET, backlog=1024)
        self._socket.setblocking(False)
        host, port = self._socket.getsockname()[:2]
        self._local = (host, port)
        self._spawn(self._accept(self._socket))
        self._sweep()
        return self._local

    def __len__(self) -> int:
        return len(self._connections)

    def close(self) -> None:
        """Stop accepting and hang up on everybody."""
        for task in self._tasks:
            task.cancel()
        if self._sweeper is not None:
            self._sweeper.cancel()
        if self._socket is not None:
            self._socket.close()
        for connection in list(self._connections.values()):
            connection.abort()

    def send(self, data: bytes, remote: Address) -> bool:
        """Send over the connection with `remote`, opening one where we may; False if there is no way."""
        connection = self._connections.get(remote)
        if connection is not None:
            return connection.send(data)
        waiting = self._connecting.get(remote)
        if waiting is not None:
            waiting.append(data)
            return sum(map(len, waiting)) <= self.limits.unsent
        if self._tls is not None or family_of(remote[0]) is None or not self._reserve(remote[0]):
            return False
        self._connecting[remote] = [data]
        self._spawn(self._connect(remote))
        return True

    def flow(self, remote: Address) -> Flow:
        """Return the flow between us and `remote`; an opened connection counts as our listening port's."""
        return Flow(self.transport, self._local, remote)

    def enter(self, connection: "_Connection") -> None:
        """Take a connection that is up into the books."""
        self._connections[connection.remote] = connection
        self._opened(self.flow(connection.remote))

    def forget(self, connection: "_Connection") -> None:
        """Strike a lost connection off the books and tell the core."""
        self._release(connection.remote[0])
        if self._connections.get(connection.remote) is connection:
            del self._connections[connection.remote]
        self.sink.fail(self.flow(connection.remote))

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                accepted, peer = await self._loop.sock_accept(listening)
            except OSError as error:  # out of file descriptors, mostly
                _log.error("cannot accept connections on %s:%d: %s", *self._local, error)
                await asyncio.sleep(1.0)
                continue
            if self._reserve(peer[0]):
                self._spawn(self._welcome(accepted, (peer[0], peer[1])))
            else:
                self.refused += 1
                accepted.close()

    async def _welcome(self, accepted: socket.socket, remote: Address) -> None:
        self._mark(accepted)
        handshake = None if self._tls is None else self.limits.first_message
        try:
            await self._loop.connect_accepted_socket(
                lambda: _Connection(self, remote), accepted, ssl=self._tls, ssl_handshake_timeout=handshake
            )
        except OSError as error:  # SSLError and TimeoutError are OSErrors too
            _log.debug("no %s connection with %s:%d: %s", self.transport, *remote, error)
            self._release(remote[0])

    async def _connect(self, remote: Address) -> None:
        calling = socket.socket(family_of(remote[0]) or socket.AF_INET, socket.SOCK_STREAM)
        try:
            calling.setblocking(False)
            self._mark(calling)
            calling.bind((self._local[0], 0))
            async with asyncio.timeout(CONNECT_WITHIN):
                await self._loop.sock_connect(calling, remote)
            _, connection = await self._loop.create_connection(
                lambda: _Connection(self, remote), sock=calling
            )
        except (OSError, OverflowError):  # TimeoutError is an OSError; OverflowError: no such port
            calling.close()
            del self._connecting[remote]
            self._release(remote[0])
            self.sink.fail(self.flow(remote))
            return
        for data in self._connecting.pop(remote):
            connection.send(data)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _reserve(self, host: str) -> bool:
        """Take a slot before the peer costs more than an accept; a TLS handshake already holds one."""
        if self._taken >= self.limits.connections or self._slots[host] >= self.limits.per_address:
            return False
        self._slots[host] += 1
        self._taken += 1
        return True

    def _release(self, host: str) -> None:
        self._taken -= 1
        self._slots[host] -= 1
        if not self._slots[host]:
            del self._slots[host]

    def _mark(self, connection: socket.socket) -> None:
        if connection.family == socket.AF_INET6:
            connection.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, self._tos)
        else:
            connection.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, self._tos)

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in list(self._connections.values()):
            if now > connection.deadline:
                connection.abort()
        self._sweeper = self._loop.call_later(SWEEP, self._sweep)


class _Connection(asyncio.Protocol):
    """One connection: bytes to messages, and back."""

    def __init__(self, server: StreamServer, remote: Address) -> None:
        self.remote = remote
        self.deadline = 0.0
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._framer = StreamFramer()
        self._proven = False
        self._unfinished = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's do not inherit from asyncio's
        self.deadline = self._loop.time() + self._server.limits.first_message
        self._server.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.forget(self)

    def data_received(self, data: bytes) -> None:
        flow = self._server.flow(self.remote)
        try:
            messages = self._framer.feed(data)
        except SipError as error:
            _log.info("hung up on %s %s:%d: %s", flow.transport, *flow.remote, error)
            self.abort()
            return
        self._push_deadline(bool(messages or self._framer.pongs))
        if self._framer.pongs:
            self.send(b"\r\n" * self._framer.pongs)
            self._framer.pongs = 0
        for message in messages:
            self._server.sink.receive(message, flow)
        self._server.sink.transmit()

    def send(self, data: bytes) -> bool:
        """Write; a peer that lets too much pile up is hung up on."""
        if self._transport.is_closing():
            return False
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > self._server.limits.unsent:
            self.abort()
            return False
        return True

    def abort(self) -> None:
        """Hang up without waiting for unsent bytes."""
        self._transport.abort()

    def _push_deadline(self, progress: bool) -> None:
        self._proven = self._proven or progress
        if not self._proven:
            return
        begins = self._framer.pending and (progress or not self._unfinished)
        self._unfinished = self._framer.pending > 0
        if not self._unfinished:
            self.deadline = self._loop.time() + self._server.limits.idle
        elif begins:
            self.deadline = self._loop.time() + self._server.limits.unfinished
