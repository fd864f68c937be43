"""SIP over WebSocket (RFC 7118): a client made of wsproto's other half, and bytes of no client at all."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from net.certificate import write_certificate
from net.loop import run, until
from net.test_stream import Log
from net.test_tls import trusting
from ngcp.net.admission import Admission
from ngcp.net.stream import Manner, StreamServer
from ngcp.net.tls import Certificate
from ngcp.net.websocket import WebSocketFramer
from ngcp.sip.errors import MalformedMessage, MessageTooLarge, SipError
from ngcp.sip.syntax.head import MAX_SIZE

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: sip\r\n%b\r\n"
)


class Client:
    """A browser's WebSocket, in front of a framer."""

    def __init__(self, framer: WebSocketFramer) -> None:
        self.framer = framer
        self.connection = WSConnection(ConnectionType.CLIENT)
        self.messages: list[bytes] = []

    def say(self, event: Event) -> list[Event]:
        """Send an event and return what comes back."""
        return self.write(self.connection.send(event))

    def write(self, data: bytes) -> list[Event]:
        try:
            self.messages += self.framer.feed(data)
        finally:
            self.heard = self.read(self.framer.answer())
        return self.heard

    def read(self, data: bytes) -> list[Event]:
        self.connection.receive_data(data)
        return list(self.connection.events())


def connected(framer: WebSocketFramer | None = None) -> Client:
    client = Client(framer or WebSocketFramer())
    (accepted,) = client.say(Request(host="a", target="/", subprotocols=["sip"]))
    assert isinstance(accepted, AcceptConnection)
    assert accepted.subprotocol == "sip"
    return client


def test_messages_as_text_and_as_bytes() -> None:
    client = connected()
    client.say(TextMessage(data=MESSAGE.decode()))
    client.say(BytesMessage(data=MESSAGE + b"\xff"))

    assert client.messages == [MESSAGE, MESSAGE + b"\xff"]
    assert client.framer.pending == 0
    heard = client.read(client.framer.wrap(MESSAGE)) + client.read(client.framer.wrap(b"\xff"))
    assert heard == [TextMessage(data=MESSAGE.decode()), BytesMessage(data=b"\xff")]


def test_every_cut_of_the_upgrade() -> None:
    """A client waits for the answer before it says more (RFC 6455 §4.1)."""
    upgrade = UPGRADE % b""
    for cut in range(1, len(upgrade)):
        framer = WebSocketFramer()
        framer.feed(upgrade[:cut])
        assert framer.answer() == b""
        framer.feed(upgrade[cut:])
        assert framer.answer().startswith(b"HTTP/1.1 101 ")


def test_every_cut_of_messages() -> None:
    """TCP cuts where it likes: in a frame's header, in its mask; and fragments let control frames between."""
    sender = connected().connection
    frames = b"".join(
        sender.send(event)
        for event in (
            TextMessage(data=MESSAGE.decode()[:30], message_finished=False),
            Ping(payload=b"between fragments"),
            TextMessage(data=MESSAGE.decode()[30:]),
            BytesMessage(data=MESSAGE * 3),
        )
    )
    for cut in range(1, len(frames)):
        client = connected()
        pongs = client.write(frames[:cut]) + client.write(frames[cut:])
        assert client.messages == [MESSAGE, MESSAGE * 3]
        assert pongs == [Pong(payload=b"between fragments")]


def test_single_bytes() -> None:
    client = connected()
    frame = client.connection.send(TextMessage(data=MESSAGE.decode()))

    for number, byte in enumerate(frame, 1):
        client.write(bytes([byte]))
        assert (client.messages == [MESSAGE]) == (number == len(frame))


def test_pings_are_answered() -> None:
    """RFC 6455 §5.5.2; and CRLF, which some clients send as a message (RFC 5626 §4.4.1)."""
    client = connected()

    assert client.say(Ping(payload=b"1")) == [Pong(payload=b"1")]
    assert client.say(TextMessage(data="\r\n\r\n")) == [TextMessage(data="\r\n")]
    assert client.say(TextMessage(data="\r\n")) == []
    assert client.messages == []


def test_farewell() -> None:
    client = connected()
    (farewell,) = client.say(CloseConnection(code=1001))

    assert isinstance(farewell, CloseConnection)
    assert farewell.code == 1001
    assert client.framer.is_over
    assert client.framer.wrap(MESSAGE) == b"", "nobody is there any more"


def test_another_subprotocol_is_refused() -> None:
    client = Client(WebSocketFramer())
    events = client.say(Request(host="a", target="/", subprotocols=["chat"]))

    assert [event.status_code for event in events if isinstance(event, RejectConnection)] == [400]
    assert client.framer.is_over


@pytest.mark.parametrize(
    ("origin", "status"),
    [(b"https://good.example", 101), (b"https://evil.example", 403), (b"null", 403), (None, 101)],
)
def test_pages_of_other_origins_are_refused(origin: bytes | None, status: int) -> None:
    """A client without an Origin is no browser, so nobody's page is behind it."""
    framer = WebSocketFramer(frozenset({"https://good.example"}))
    framer.feed(UPGRADE % (b"" if origin is None else b"Origin: %b\r\n" % origin))

    assert framer.answer().startswith(b"HTTP/1.1 %d " % status)
    assert framer.is_over == (status != 101)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x02hi", 1002),  # not masked
        (b"\xc1\x80\0\0\0\0", 1002),  # a reserved bit
        (b"\x83\x80\0\0\0\0", 1002),  # a reserved opcode
        (b"\x80\x80\0\0\0\0", 1002),  # the rest of nothing
        (b"\x09\x80\0\0\0\0", 1002),  # a control frame in parts
        (b"\x89\xfe\x00\x7e\0\0\0\0", 1002),  # a long control frame
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1002),  # 2^64 - 1 bytes
        (b"\x81\x81\0\0\0\0\xff", 1007),  # text that is none
    ],
)
def test_frames_that_break_the_protocol_end_it(frame: bytes, code: int) -> None:
    client = connected()

    with pytest.raises(MalformedMessage):
        client.write(frame)
    (farewell,) = client.heard
    assert isinstance(farewell, CloseConnection)
    assert farewell.code == code


@pytest.mark.parametrize("fragment", [1000, MAX_SIZE + 1])
def test_a_message_too_long_ends_it(fragment: int) -> None:
    client = connected()

    with pytest.raises(MessageTooLarge):
        for _ in range(MAX_SIZE // fragment + 1):
            client.say(TextMessage(data="x" * fragment, message_finished=False))
    (farewell,) = client.heard
    assert isinstance(farewell, CloseConnection)
    assert farewell.code == 1009


@pytest.mark.parametrize(
    "words",
    [
        MESSAGE,
        UPGRADE.replace(b"sip", b"\xff") % b"",
        UPGRADE.replace(b"Host: a", b"Host: \xff") % b"",
        UPGRADE.replace(b"Host: a", b"Host: " + b"a" * 100 + b".xn--\xc3") % b"",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000,
    ],
)
def test_what_is_no_upgrade_ends_it(words: bytes) -> None:
    with pytest.raises(MalformedMessage):
        WebSocketFramer().feed(words)


@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_hurt(data: bytes, is_upgraded: bool) -> None:
    framer = WebSocketFramer()
    if is_upgraded:
        framer.feed(UPGRADE % b"")
    with contextlib.suppress(SipError):
        framer.feed(data)
    framer.answer()
    assert framer.pending <= len(data)


@pytest.mark.parametrize("transport", ["ws", "wss"])
def test_over_sockets(tmp_path: Path, transport: str) -> None:
    """The upgrade, a message, an answer, a farewell."""
    files = write_certificate(tmp_path)

    async def test() -> None:
        log = Log()
        certificate = Certificate(*files) if transport == "wss" else None
        manner = Manner(transport, certificate, WebSocketFramer)
        server = StreamServer(log, manner, opened=log.opened.append, admission=Admission(None, log.counters))
        address = server.listen(("127.0.0.1", 0))
        context = trusting(files[0]) if certificate else None
        reader, writer = await asyncio.open_connection(*address, ssl=context)
        client = WSConnection(ConnectionType.CLIENT)
        writer.write(client.send(Request(host="a", target="/", subprotocols=["sip"])))
        client.receive_data(await reader.readuntil(b"\r\n\r\n"))
        writer.write(client.send(TextMessage(data=MESSAGE.decode())))
        await until(lambda: len(log.messages) == 1)

        data, flow = log.messages[0]
        assert (data, flow.transport) == (MESSAGE, transport)
        assert server.send(b"answer", flow.remote)
        client.receive_data(await reader.readexactly(8))
        assert TextMessage(data="answer") in list(client.events())
        assert not server.send(b"x", ("127.0.0.1", 9)), "browsers are not called at a port"
        writer.write(client.send(CloseConnection(code=1000)))
        await until(lambda: log.failed == [flow])
        writer.transport.abort()
        server.close()

    run(test)
