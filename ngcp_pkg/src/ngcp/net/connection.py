"""One stream connection: a socket that never blocks, bytes to messages and back.

There may be tens of thousands: no task, no timer and no buffer of its own, as long as nothing is under way.
"""

import logging
import select
import socket
import ssl
from enum import Enum
from typing import Final, Protocol

from ngcp.net.admission import Limits
from ngcp.net.tls import failure_of
from ngcp.sip.errors import SipError
from ngcp.sip.transport.flow import Flow

#: Bytes read at a time; more than a TLS record, so that OpenSSL holds none back that epoll cannot see.
READ: Final = 64 * 1024
READABLE: Final = select.EPOLLIN
WRITABLE: Final = select.EPOLLOUT
WOULD_BLOCK: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

_BUFFER: Final = memoryview(bytearray(READ))
_log = logging.getLogger(__name__)


class Framer(Protocol):
    """Cuts one peer's bytes into messages."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take received bytes and return the messages they complete, or raise `SipError` to hang up."""

    @property
    def pending(self) -> int:
        """Bytes of an incomplete message held back."""

    @property
    def is_over(self) -> bool:
        """Whether the peer has said that it will say no more."""

    def answer(self) -> bytes:
        """Hand over, once, what the framing itself sends back."""

    def wrap(self, message: bytes) -> bytes:
        """Return a message as it goes over the connection."""


class Foreign(Exception):
    """The peer speaks another protocol, which somebody else serves; `data` is what it has said so far."""

    def __init__(self, data: bytes) -> None:
        super().__init__("not SIP")
        self.data = data


class Host(Protocol):
    """What a connection needs of the server it belongs to."""

    @property
    def limits(self) -> Limits:
        """What a peer may do."""

    def now(self) -> float:
        """Return the loop's time."""

    def watch(self, connection: "Connection", events: int) -> None:
        """From now on wake `connection` at these events."""

    def enter(self, connection: "Connection") -> None:
        """Learn that a connection is up."""

    def deliver(self, connection: "Connection", messages: list[bytes]) -> None:
        """Take messages that came together."""

    def forget(self, connection: "Connection") -> None:
        """Learn that a connection is gone, just before its socket is closed."""

    def hand_over(self, connection: "Connection", data: bytes) -> None:
        """Give the socket of a `Foreign` peer to whoever serves it."""

    def count(self, what: str) -> None:
        """Count something unwanted."""


class State(Enum):
    """Where a connection stands."""

    CONNECTING = 0
    SHAKING_HANDS = 1
    OPEN = 2
    CLOSED = 3


class Connection:
    """One connection, accepted or opened."""

    __slots__ = (
        "_framer",
        "_host",
        "_is_proven",
        "_is_unfinished",
        "_unsent",
        "deadline",
        "flow",
        "socket",
        "state",
    )

    def __init__(self, host: Host, channel: socket.socket, flow: Flow, framer: Framer) -> None:
        self.socket = channel
        self.flow = flow
        self.state = State.CONNECTING
        self.deadline = host.now() + host.limits.first_message
        """When it must go, unless something happens."""
        self._host = host
        self._framer = framer
        self._unsent: bytearray | None = None
        self._is_proven = False
        self._is_unfinished = False

    def start(self) -> None:
        """Take up a connection that TCP has made; TLS shakes hands first."""
        if isinstance(self.socket, ssl.SSLSocket) and self.state is State.CONNECTING:
            self.state = State.SHAKING_HANDS
            return
        self.state = State.OPEN
        self._host.enter(self)
        if self._unsent:
            self._flush()

    def wake(self, events: int) -> None:
        """Do what the socket is ready for."""
        try:
            if self.state is State.OPEN:
                if events & WRITABLE:
                    self._flush()
                if events != WRITABLE:
                    self._read()
            elif self.state is State.SHAKING_HANDS:
                self._shake_hands()
            elif self.state is State.CONNECTING:
                self._finish_connecting()
        except OSError as error:
            _log.debug("lost %s %s:%d: %s", self.flow.transport, *self.flow.remote, error)
            self.close()

    def send(self, message: bytes) -> bool:
        """Send a message; False if the connection is gone, or its peer lets too much pile up."""
        return self._write(self._framer.wrap(message))

    def close(self) -> None:
        """Hang up without waiting for unsent bytes."""
        if self.state is not State.CLOSED:
            self._host.forget(self)
            self.state = State.CLOSED
            self.socket.close()
            self._unsent = None

    def leave(self) -> socket.socket:
        """Let go of the socket without closing it."""
        self._host.forget(self)
        self.state = State.CLOSED
        return self.socket

    def _finish_connecting(self) -> None:
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "cannot connect")
        self.socket.getpeername()  # raises if this was the event of an earlier owner of the descriptor
        self._host.watch(self, READABLE)
        self.start()

    def _shake_hands(self) -> None:
        assert isinstance(self.socket, ssl.SSLSocket), "only TLS shakes hands"
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self._host.watch(self, READABLE)
        except ssl.SSLWantWriteError:
            self._host.watch(self, WRITABLE)
        except (OSError, ValueError) as error:  # ValueError: the peer left before TLS began
            self._host.count(f"tls.failed.{failure_of(error)}")
            _log.debug("no TLS with %s:%d: %s", *self.flow.remote, error)
            self.close()
        else:
            self._host.watch(self, READABLE)
            self.start()
            self._read()  # what came along with the end of the handshake

    def _read(self) -> None:
        try:
            size = self.socket.recv_into(_BUFFER)
        except WOULD_BLOCK:
            return
        if size:
            self._take(bytes(_BUFFER[:size]))
        else:
            self.close()

    def _take(self, data: bytes) -> None:
        try:
            messages = self._framer.feed(data)
        except Foreign as foreign:
            self._host.hand_over(self, foreign.data)
            return
        except SipError as error:
            _log.info("hung up on %s %s:%d: %s", self.flow.transport, *self.flow.remote, error)
            self._host.count("connections.broken")
            if farewell := self._framer.answer():
                self._write(farewell)
            self.close()
            return
        answer = self._framer.answer()
        if answer:
            self._write(answer)
        self._push_deadline(bool(messages), bool(answer))
        if messages:
            self._host.deliver(self, messages)
        if self._framer.is_over:
            self.close()

    def _push_deadline(self, is_message: bool, is_ping: bool) -> None:
        self._is_proven = self._is_proven or is_message
        if not self._is_proven:
            return
        pending = self._framer.pending > 0
        begins = pending and (is_message or is_ping or not self._is_unfinished)
        self._is_unfinished = pending
        if not pending:
            self.deadline = self._host.now() + self._host.limits.idle
        elif begins:
            self.deadline = self._host.now() + self._host.limits.unfinished

    def _write(self, data: bytes) -> bool:
        if self.state is State.CLOSED:
            return False
        if self._unsent is not None:
            self._unsent += data
        elif self.state is not State.OPEN:
            self._unsent = bytearray(data)
        elif not self._write_now(data):
            return False
        if self._unsent is not None and len(self._unsent) > self._host.limits.unsent:
            self._host.count("connections.unread")
            self.close()
            return False
        return True

    def _write_now(self, data: bytes) -> bool:
        try:
            sent = self.socket.send(data)
        except WOULD_BLOCK:
            sent = 0
        except OSError:
            self.close()
            return False
        if sent < len(data):
            self._unsent = bytearray(data[sent:])
            self._host.watch(self, READABLE | WRITABLE)
        return True

    def _flush(self) -> None:
        if self._unsent is None:
            return
        try:
            sent = self.socket.send(self._unsent)  # all of it: TLS repeats what it could not send, no less
        except WOULD_BLOCK:
            sent = 0
        if sent == len(self._unsent):
            self._unsent = None
            self._host.watch(self, READABLE)
        else:
            del self._unsent[:sent]
            self._host.watch(self, READABLE | WRITABLE)
