"""SIP over streams (RFC 3261 §18): accepted and opened connections of one local address, reused by peer.

Each server keeps its sockets in an epoll set of its own, of which the loop sees one descriptor: uvloop's
transports cost three times the memory a connection and twice the CPU time to accept it (decision 11).
Everything a peer can make us hold is bounded: see `ngcp.net.admission.Limits`.
"""

import asyncio
import errno
import logging
import select
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from ngcp.net.admission import Admission, Limits
from ngcp.net.connection import READABLE, WRITABLE, Connection, Framer
from ngcp.net.tls import Certificate
from ngcp.net.udp import family_of
from ngcp.sip.transport.flow import Address, Flow
from ngcp.sip.transport.framing import StreamFramer

#: Seconds a connection to a peer may take to come up, well below timer B.
CONNECT_WITHIN: Final = 5.0
#: Seconds between two looks for connections that overstay.
SWEEP: Final = 2.0
#: Connections that are read, and connections that are accepted, in one turn of the loop.
TURN: Final = 64
#: Seconds without a sign that the peer's host has received what we sent, as of a phone that was switched off:
#: timer B of a call to it is 32 s, the kernel's own patience a quarter of an hour.
UNHEARD: Final = 20.0
#: Seconds without accepting when the system can give no more sockets.
REST: Final = 1.0

_log = logging.getLogger(__name__)


class Sink(Protocol):
    """Where messages and failures go: a `Driver`."""

    def receive(self, data: bytes, flow: Flow) -> None:
        """Take one message."""

    def transmit(self) -> None:
        """All messages that came together have been received."""

    def fail(self, flow: Flow) -> None:
        """Learn that a connection is gone, or never came up."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a server speaks with its peers."""

    transport: str = "tcp"
    """The transport of its flows; only over `tcp` does it open connections itself."""
    certificate: Certificate | None = None
    """What it shows in TLS handshakes; None: it speaks in the clear."""
    framer: Callable[[], Framer] = StreamFramer
    """Makes what cuts messages, one for each connection."""
    foreign: Callable[[socket.socket, bytes], None] | None = None
    """Takes over a connection that turns out to speak another protocol, with what its peer has said."""
    tos: int = 0
    """The TOS octet of what it sends."""


class StreamServer:
    """The connections of one local address."""

    def __init__(
        self,
        sink: Sink,
        manner: Manner,
        *,
        opened: Callable[[Flow], None] = lambda flow: None,
        admission: Admission | None = None,
    ) -> None:
        """Tell `sink` what arrives and what fails, and `opened` each connection that is up."""
        self.transport = manner.transport
        self._sink = sink
        self._manner = manner
        self._opened = opened
        self._admission = admission or Admission()
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        self._epoll = select.epoll()
        self._loop.add_reader(self._epoll.fileno(), self._turn)
        self._socket: socket.socket | None = None
        self._local: Address = ("", 0)
        self._sweeper: asyncio.TimerHandle | None = None
        self._rest: asyncio.TimerHandle | None = None
        self._all: dict[int, Connection] = {}
        self._up: dict[Address, Connection] = {}
        self._lost: list[Flow] = []

    def listen(self, local: Address, *, shared: bool = False) -> Address:
        """Bind and accept; return the bound address. Processes may `share` it: each gets connections."""
        family = family_of(local[0]) or socket.AF_INET
        self._socket = socket.create_server(local, family=family, backlog=1024, reuse_port=shared)
        self._mark(self._socket)  # accepted sockets inherit it
        host, port = self._socket.getsockname()[:2]
        self._local = (host, port)
        self._loop.add_reader(self._socket, self._accept)
        self._sweep()
        return self._local

    def __len__(self) -> int:
        return len(self._up)

    def close(self) -> None:
        """Stop accepting and hang up on everybody."""
        for timer in (self._sweeper, self._rest):
            if timer is not None:
                timer.cancel()
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        for connection in list(self._all.values()):
            connection.close()
        self._report()
        if not self._epoll.closed:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()

    def send(self, data: bytes, remote: Address) -> bool:
        """Send over the connection with `remote`, opening one where we may; False if there is no way."""
        connection = self._up.get(remote)
        if connection is None and self.transport == "tcp" and self._socket is not None:
            connection = self._connect(remote)
        return connection is not None and connection.send(data)

    # For the connections: ngcp.net.connection.Host

    @property
    def limits(self) -> Limits:
        """What a peer may do."""
        return self._admission.limits

    def watch(self, connection: Connection, events: int) -> None:
        """From now on wake `connection` at these events."""
        self._epoll.modify(connection.socket, events)

    def enter(self, connection: Connection) -> None:
        """Take a connection that is up into the books."""
        self._up[connection.flow.remote] = connection
        self._opened(connection.flow)

    def deliver(self, connection: Connection, messages: list[bytes]) -> None:
        """Hand messages on; who says a whole one may stay."""
        self._admission.prove(connection)
        for message in messages:
            self._sink.receive(message, connection.flow)

    def forget(self, connection: Connection) -> None:
        """Strike a lost connection off the books; the core learns of it soon, not amid its work."""
        self._epoll.unregister(connection.socket)
        del self._all[connection.socket.fileno()]
        self._admission.release(connection)
        if self._up.get(connection.flow.remote) is connection:
            del self._up[connection.flow.remote]
            if not self._lost:
                self._loop.call_soon(self._report)
            self._lost.append(connection.flow)

    def hand_over(self, connection: Connection, data: bytes) -> None:
        """Give the socket of a peer that speaks no SIP to whoever serves it."""
        channel = connection.leave()
        if self._manner.foreign is None:
            channel.close()
        else:
            self._manner.foreign(channel, data)

    def count(self, what: str) -> None:
        """Count something unwanted."""
        self._admission.counters[what] += 1

    def _turn(self) -> None:
        for descriptor, events in self._epoll.poll(0, TURN):
            connection = self._all.get(descriptor)
            if connection is None:
                continue
            try:
                connection.wake(events)
            except Exception:  # a bug that one peer hits must not take the others along
                _log.exception("a connection with %s:%d could not be served", *connection.flow.remote)
                connection.close()
        self._sink.transmit()

    def _accept(self) -> None:
        self._report()  # the same peer may be back already
        for _ in range(TURN):
            if self._socket is None:
                return
            try:
                channel, peer = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                self._take_a_rest(error)
                return
            self._welcome(channel, (peer[0], peer[1]))

    def _take_a_rest(self, error: OSError) -> None:
        """Out of descriptors or memory: let who has proven nothing make room, or wait."""
        if error.errno == errno.EMFILE and self._admission.evict():
            return
        _log.error("cannot accept connections on %s:%d: %s", *self._local, error)
        listening = self._socket
        assert listening is not None, "only a listening server accepts"
        self._loop.remove_reader(listening)
        self._rest = self._loop.call_later(REST, lambda: self._loop.add_reader(listening, self._accept))

    def _welcome(self, channel: socket.socket, remote: Address) -> None:
        connection = self._make(channel, remote)
        if not self._admission.admit(connection):
            channel.close()
            return
        channel.setblocking(False)
        try:
            if self._manner.certificate is not None:
                connection.socket = self._manner.certificate.wrap(channel)
        except OSError as error:  # it has left already
            _log.debug("no TLS with %s:%d: %s", *remote, error)
            self.count("tls.failed.other")
            self._admission.release(connection)
            channel.close()
            return
        self._adopt(connection, READABLE)
        connection.start()

    def _make(self, channel: socket.socket, remote: Address) -> Connection:
        return Connection(self, channel, Flow(self.transport, self._local, remote), self._manner.framer())

    def _connect(self, remote: Address) -> Connection | None:
        family = family_of(remote[0])
        if family is None or family is not family_of(self._local[0]):
            return None
        channel = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        connection = self._make(channel, remote)
        connection.deadline = self.now() + CONNECT_WITHIN
        try:
            self._mark(channel)
            channel.bind((self._local[0], 0))
            error = channel.connect_ex(remote)
        except (OSError, OverflowError):  # no such port …
            error = errno.EINVAL
        if error not in (0, errno.EINPROGRESS) or not self._admission.admit(connection):
            channel.close()
            return None
        self._admission.prove(connection)  # it is our own wish
        self._adopt(connection, WRITABLE if error else READABLE)
        self._up[remote] = connection
        if not error:
            connection.start()
        return connection

    def _adopt(self, connection: Connection, events: int) -> None:
        self._all[connection.socket.fileno()] = connection
        self._epoll.register(connection.socket, events)

    def _mark(self, channel: socket.socket) -> None:
        channel.setblocking(False)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNHEARD * 1000))
        if channel.family == socket.AF_INET6:
            channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, self._manner.tos)
        else:
            channel.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, self._manner.tos)

    def _report(self) -> None:
        """Tell the core which connections are lost."""
        lost, self._lost = self._lost, []
        for flow in lost:
            self._sink.fail(flow)

    def _sweep(self) -> None:
        now = self.now()
        for connection in [each for each in self._all.values() if now > each.deadline]:
            self.count("connections.overstayed")
            connection.close()
        welcomes = self._admission.welcomes
        for connection in [each for each in self._all.values() if not welcomes(each.flow.remote[0])]:
            self.count("connections.banned")
            connection.close()
        self._sweeper = self._loop.call_later(SWEEP, self._sweep)
