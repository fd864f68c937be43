"""One connection between two ends of a socket pair: cut anywhere, slow, full, gone."""

import itertools
import socket
from collections import Counter
from pathlib import Path

import pytest

from ngcp.net.admission import Limits
from ngcp.net.connection import READABLE, WRITABLE, Connection, State
from ngcp.sip.transport.flow import Flow
from ngcp.sip.transport.framing import StreamFramer

CORPUS = Path(__file__).parents[1] / "corpus/sip"
REGISTER = (CORPUS / "register_baresip.sip").read_bytes()
FLOW = Flow("tcp", ("192.0.2.1", 5060), ("198.51.100.7", 40000))


class Host:
    """A server of one connection, with a clock that is set by hand."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.time = 100.0
        self.messages: list[bytes] = []
        self.watched: list[int] = []
        self.counters: Counter[str] = Counter()
        near, self.far = socket.socketpair()
        for end in (near, self.far):
            end.setblocking(False)
        self.connection = Connection(self, near, FLOW, StreamFramer())
        self.connection.start()

    def now(self) -> float:
        return self.time

    def watch(self, connection: Connection, events: int) -> None:
        self.watched.append(events)

    def enter(self, connection: Connection) -> None:
        assert connection.state is State.OPEN

    def deliver(self, connection: Connection, messages: list[bytes]) -> None:
        self.messages += messages

    def forget(self, connection: Connection) -> None:
        assert connection.state is not State.CLOSED, "once"

    def hand_over(self, connection: Connection, data: bytes) -> None:
        raise AssertionError("nobody speaks HTTP here")

    def count(self, what: str) -> None:
        self.counters[what] += 1

    def hear(self, data: bytes) -> None:
        """Let the far end say something."""
        self.far.send(data)
        self.connection.wake(READABLE)

    def close(self) -> None:
        self.connection.close()
        self.far.close()


@pytest.mark.parametrize(
    "stream", [[REGISTER], [REGISTER, REGISTER.replace(b"REGISTER", b"OPTIONS")]], ids=["one", "pipelined"]
)
def test_cut_at_every_byte(stream: list[bytes]) -> None:
    """§18.3: TCP knows no messages."""
    data = b"".join(stream)
    host = Host()
    for cut in range(1, len(data)):
        host.hear(data[:cut])
        host.hear(data[cut:])
        assert host.messages == stream, cut
        host.messages.clear()
    host.close()


def test_byte_by_byte() -> None:
    host = Host()
    for byte in REGISTER * 2:
        host.hear(bytes([byte]))

    assert host.messages == [REGISTER] * 2
    host.close()


def test_deadlines() -> None:
    """Slow-loris: only whole messages prove anything, and the rest of a begun one has its own time."""
    host = Host(Limits(first_message=10.0, unfinished=30.0, idle=3900.0))
    connection = host.connection
    assert connection.deadline == 110.0
    for data in (REGISTER[:5], REGISTER[5:10], b"", REGISTER[10:20]):
        host.time += 2.0
        if data:
            host.hear(data)
        assert connection.deadline == 110.0, "dripping bytes gain no time"

    host.hear(REGISTER[20:])
    assert connection.deadline == 108.0 + 3900.0
    host.hear(REGISTER[:5])
    assert connection.deadline == 108.0 + 30.0
    host.time += 20.0
    host.hear(REGISTER[5:10])
    assert connection.deadline == 108.0 + 30.0
    host.hear(REGISTER[10:] + REGISTER[:5])
    assert connection.deadline == 128.0 + 30.0, "another message has begun"
    host.hear(REGISTER[5:] + b"\r\n\r\n")
    assert connection.deadline == 128.0 + 3900.0
    assert host.far.recv(16) == b"\r\n"
    host.close()


def test_pings_before_a_message_prove_nothing() -> None:
    host = Host()
    host.time += 5.0
    host.hear(b"\r\n\r\n")

    assert host.far.recv(16) == b"\r\n"
    assert host.connection.deadline == 110.0
    host.close()


def test_what_does_not_fit_waits_in_order() -> None:
    host = Host(Limits(unsent=10_000_000))
    words = [b"%06d" % number * 10_000 for number in range(40)]
    for word in words:
        assert host.connection.send(word)
    assert host.watched[-1] == READABLE | WRITABLE

    heard = b""
    for _ in itertools.count():
        try:
            heard += host.far.recv(1 << 20)
        except BlockingIOError:
            if host.watched[-1] == READABLE:
                break
            host.connection.wake(WRITABLE)
    assert heard == b"".join(words)
    host.close()


def test_a_peer_that_does_not_read_is_hung_up_on() -> None:
    host = Host(Limits(unsent=1000))
    while host.connection.send(b"x" * 100_000):
        pass

    assert host.connection.state is State.CLOSED
    assert host.counters == {"connections.unread": 1}
    assert not host.connection.send(b"x")
    host.close()


def test_a_peer_that_is_gone_is_noticed_by_reading_and_by_writing() -> None:
    reading, writing = Host(), Host()
    for host in (reading, writing):
        host.far.close()
    reading.connection.wake(READABLE)
    writing.connection.send(b"x")

    assert reading.connection.state is writing.connection.state is State.CLOSED
