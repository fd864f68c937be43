"""Calls of a media relay, set up and ended by commands of the ng protocol, with no media."""

import socket
import time
from collections.abc import Callable, Sequence
from typing import Final

from bench.sipp import Address
from bench.streams import Ports
from ngcp.ng.bencode import Value
from ngcp.ng.commands import Message
from ngcp.sdp import Description

CLIENT: Final = "127.60.5.12"
#: Commands under way at a time, as of a busy proxy.
WINDOW: Final = 32
PATIENCE: Final = 5.0

#: What a phone says.
BODY: Final = (
    "v=0\r\no=- 3747 3747 IN IP4 {host}\r\ns=call\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 8 0 9 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:9 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
    "a=ptime:20\r\na=sendrecv\r\n"
)
REPLACE: Final[list[Value]] = ["origin", "session-connection"]


class CommandFailed(Exception):
    """A relay refused a command, or did not answer."""


def body(address: Address) -> str:
    """Describe the session of a phone there."""
    return BODY.format(host=address[0], port=address[1])


def offer(call: str, caller: Address) -> dict[str, Value]:
    """Return what a proxy says of an INVITE."""
    return {
        "command": "offer",
        "call-id": call,
        "from-tag": "caller",
        "replace": REPLACE,
        "ICE": "remove",
        "received-from": ["IP4", caller[0]],
        "sdp": body(caller),
    }


def answer(call: str, callee: Address) -> dict[str, Value]:
    """Return what a proxy says of a 200."""
    return offer(call, callee) | {"command": "answer", "to-tag": "callee"}


def delete(call: str) -> dict[str, Value]:
    """Return what a proxy says of a BYE."""
    return {"command": "delete", "call-id": call, "from-tag": "caller"}


class Client:
    """A proxy's side of a relay's control port."""

    def __init__(self, relay: Address) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((CLIENT, 0))
        self._socket.connect(relay)
        self._socket.settimeout(PATIENCE)
        self._cookies = 0

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def write(self, fields: dict[str, Value]) -> bytes:
        """Return a command with a cookie of its own."""
        self._cookies += 1
        return bytes(Message(f"{self._socket.getsockname()[1]}_{self._cookies}", fields))

    def ask(self, commands: Sequence[bytes]) -> list[bytes]:
        """Send commands, `WINDOW` at a time, and return the replies in the order in which they came."""
        replies: list[bytes] = []
        try:
            for number, command in enumerate(commands):
                if number >= WINDOW:
                    replies.append(self._socket.recv(65536))
                self._socket.send(command)
            while len(replies) < len(commands):
                replies.append(self._socket.recv(65536))
        except OSError as error:
            raise CommandFailed(f"{len(replies)} of {len(commands)} commands answered: {error}") from error
        if refused := [reply for reply in replies if b"6:result2:ok" not in reply]:
            raise CommandFailed(f"{len(refused)} commands refused: {refused[0]!r}")
        return replies

    def connect(self, calls: Sequence[str], endpoints: Callable[[int], Ports]) -> list[Ports]:
        """Set up calls and return the ports of each that face its caller and its callee."""
        ports = []
        for number, call in enumerate(calls):
            caller, callee = endpoints(number)
            (offered,) = self.ask([self.write(offer(call, caller))])
            (answered,) = self.ask([self.write(answer(call, callee))])
            ports.append((_address(answered), _address(offered)))
        return ports

    def end(self, calls: Sequence[str]) -> None:
        """End calls."""
        self.ask([self.write(delete(call)) for call in calls])

    def rush(self, calls: Sequence[str], endpoints: Ports) -> float:
        """Set up and end calls as fast as the relay can; return the seconds that took."""
        caller, callee = endpoints
        batches = [
            [self.write(offer(call, caller)) for call in calls],
            [self.write(answer(call, callee)) for call in calls],
            [self.write(delete(call)) for call in calls],
        ]
        start = time.monotonic()
        for batch in batches:
            self.ask(batch)
        return time.monotonic() - start


def _address(reply: bytes) -> Address:
    sdp = Message.parse(reply).text("sdp") or ""
    media = Description.parse(sdp.encode()).media[0]
    return media.effective_connection.host, media.port
