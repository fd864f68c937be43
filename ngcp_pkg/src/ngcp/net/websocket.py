"""SIP over WebSocket (RFC 7118): wsproto does the upgrade of HTTP, masks and fragments (RFC 6455).

A WebSocket message is a SIP message, whole. Everything is bounded: the upgrade by h11, a message by what SIP
allows, control frames by the protocol; compression is not offered.
"""

from typing import Final

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from ngcp.sip.errors import MalformedMessage, MessageTooLarge
from ngcp.sip.syntax.head import MAX_SIZE

#: RFC 7118 §4.1.
SUBPROTOCOL: Final = "sip"
#: Keep-alives that clients send as messages: the first wants an answer, the second is one (RFC 5626 §4.4.1).
PING: Final = b"\r\n\r\n"
PONG: Final = b"\r\n"


class WebSocketFramer:
    """One client's WebSocket: bytes in, SIP messages out, and back (a `ngcp.net.connection.Framer`)."""

    __slots__ = ("_answer", "_connection", "_origins", "_parts", "is_over", "pending")

    def __init__(self, origins: frozenset[str] = frozenset()) -> None:
        """Let in only browsers with a page of `origins`; of any, if there are none."""
        self._connection = WSConnection(ConnectionType.SERVER)
        self._origins = origins
        self._answer = b""
        self._parts: list[bytes] = []
        self.pending = 0
        """Bytes of an incomplete message held back."""
        self.is_over = False
        """Whether the peer has said that it will say no more, or was told so."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take received bytes and return the messages they complete, or raise `SipError` to hang up."""
        messages: list[bytes] = []
        try:
            self._connection.receive_data(data)
            for event in self._connection.events():
                self._take(event, messages)
        except RemoteProtocolError as error:
            if error.event_hint is not None:
                self._say(error.event_hint)
            raise MalformedMessage(f"no WebSocket: {error}") from error
        except UnicodeError as error:  # headers of the upgrade that wsproto takes for text
            raise MalformedMessage(f"no WebSocket: {error}") from error
        return messages

    def answer(self) -> bytes:
        """Hand over, once, what the WebSocket itself sends back."""
        answer, self._answer = self._answer, b""
        return answer

    def wrap(self, message: bytes) -> bytes:
        """Return a message as one frame, as text if it is any; nothing once the WebSocket is closed."""
        if self._connection.state is not ConnectionState.OPEN:
            return b""
        try:
            return self._connection.send(TextMessage(data=message.decode()))
        except UnicodeDecodeError:
            return self._connection.send(BytesMessage(data=message))

    def _take(self, event: Event, messages: list[bytes]) -> None:
        if isinstance(event, Message):
            self._take_message(event, messages)
        elif isinstance(event, Ping):
            self._say(event.response())
        elif isinstance(event, Request):
            self._welcome(event)
        elif isinstance(event, CloseConnection):
            self._close(event)

    def _welcome(self, request: Request) -> None:
        headers = {name.lower(): value for name, value in request.extra_headers}
        origin = headers.get(b"origin", b"").decode("ascii", "replace")
        if SUBPROTOCOL not in request.subprotocols:
            self._say(RejectConnection(status_code=400))
            self.is_over = True
        elif origin and self._origins and origin not in self._origins:
            self._say(RejectConnection(status_code=403))
            self.is_over = True
        else:
            self._say(AcceptConnection(subprotocol=SUBPROTOCOL))

    def _take_message(self, event: Message[str] | Message[bytes], messages: list[bytes]) -> None:
        part = event.data.encode() if isinstance(event.data, str) else bytes(event.data)
        if part:  # a message may have any number of empty fragments
            self._parts.append(part)
            self.pending += len(part)
        if self.pending > MAX_SIZE:
            self._say(CloseConnection(code=CloseReason.MESSAGE_TOO_BIG))
            raise MessageTooLarge(f"more than {MAX_SIZE} bytes in a WebSocket message")
        if not event.message_finished:
            return
        message = b"".join(self._parts)
        self._parts.clear()
        self.pending = 0
        if message == PING:
            self._answer += self.wrap(PONG)
        elif message != PONG:
            messages.append(message)

    def _close(self, event: CloseConnection) -> None:
        """Answer a farewell; wsproto says as one, too, that it could not read a frame."""
        if self._connection.state is ConnectionState.REMOTE_CLOSING:
            self._say(event.response())
            self.is_over = True
        else:
            self._say(CloseConnection(code=event.code))
            raise MalformedMessage(f"no WebSocket frame: {event.reason}")

    def _say(self, event: Event) -> None:
        try:
            self._answer += self._connection.send(event)
        except LocalProtocolError:  # it is closed already: nobody is there to hear
            self.is_over = True
