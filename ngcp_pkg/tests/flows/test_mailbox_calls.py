"""A subscriber hears his messages: through a whole node, by the keys of his telephone."""

import pytest

from appserver.box import Box, Names
from appserver.desk import PIN, short
from appserver.house import House
from flows.phones import Call
from flows.whole import Node
from ngcp.provisioning.runtime import Destination, Forward
from ngcp.rtp.events import press
from ngcp.rtp.packet import Packet
from ngcp.voice.stream import PACE
from ngcp.voice.studio import Take
from voice.house import MemoryPort

APP_SERVER = ("127.0.0.1", 5070)
OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)
#: Where phones' session descriptions say that they are.
PHONE = ("192.0.2.1", 4000)
ALICE = "uuid-alice"


class AppServer(House):
    """One with sockets on the wire of a node, and a mailbox of alice's."""

    def __init__(self, node: Node) -> None:
        self.node, self.names = node, Names()
        self.box = Box("<4311002>")
        self.box.own, self.box.pins, self.box.numbers = ALICE, {ALICE: PIN}, {"4311001": ALICE}
        super().__init__(archive=self.box, files=self.names)
        node.wire.attach(self.core, "udp", APP_SERVER)

    def open(self, take: Take) -> MemoryPort:
        """Bind a port that may be told outside: no media relay stands before it here."""
        port = MemoryPort(("192.0.2.99", 10_000 + 2 * len(self.ports)), take, self)
        self.ports[port.local] = port
        return port

    def run(self, seconds: float) -> None:
        """Let time pass, beat by beat."""
        for _ in range(round(seconds / PACE)):
            self.node.wire.run(PACE)
            self.now = self.node.wire.now
            self.studio.beat(self.now)

    def press(self, keys: str) -> str:
        """Press keys at the first telephone; return what is said behind the last one."""
        port = next(iter(self.ports.values()))
        for key in keys:
            self.names.said.clear()
            for event in press(key, 800, 160):
                port.take(bytes(Packet(101, 0, int(self.now * 8000), 1, bytes(event))), PHONE)
            self.run(0.1)
        return short(self.names.said)


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture
def server(node: Node) -> AppServer:
    return AppServer(node)


def dial(server: AppServer, number: str, user: str = "alice") -> Call:
    call = server.node.registered(user, "192.0.2.10").call(number, body=OFFER)
    server.run(1.0)
    return call


def test_own_telephone_hears_its_messages(server: AppServer) -> None:
    call = dial(server, "2000")
    assert call.is_up
    assert short(server.names.said) == "password"
    assert server.press("1234#").startswith("youhave 1 INBOX message")
    assert server.press("1") == "first message from-phonenumber 4 3 1 1 0 0 2"
    assert server.press("7").startswith("deleted")
    call.hang_up()
    server.run(0.5)
    assert server.box.messages == {}


def test_nobody_else_is_taken_for_the_owner(server: AppServer) -> None:
    dial(server, "2000", "bob")
    assert server.press("1234#") == "incorrect password"


def test_who_calls_his_own_number_from_elsewhere_reaches_his_messages(node: Node, server: AppServer) -> None:
    forward = Forward("cfu", (Destination("sip:vmu4311001@voicebox.local", 30.0),))
    node.change("alice", forwards=(forward,))
    call = dial(server, "4311001", "bob")
    assert call.is_up
    assert server.press("*") == "password"
    assert server.press("1234#").startswith("youhave 1 INBOX message")
    assert server.press("13") == "toreply tohearenv leavemsg starmain", "bob calls nobody as alice"


def test_sender_is_called_back_and_both_hang_up_together(node: Node, server: AppServer) -> None:
    bob = node.registered("bob", "192.0.2.20")
    call = dial(server, "2000")
    server.press("1234#1321")
    server.run(2.0)
    assert bob.calls and bob.calls[0].is_up
    assert bob.calls[0].invite.from_.uri.name == "alice"
    call.hang_up()
    server.run(1.0)
    assert bob.calls[0].is_ended


def test_menu_comes_back_when_the_other_hangs_up(node: Node, server: AppServer) -> None:
    bob = node.registered("bob", "192.0.2.20")
    call = dial(server, "2000")
    server.press("1234#1321")
    server.run(2.0)
    server.names.said.clear()
    bob.calls[0].hang_up()
    server.run(1.0)
    assert short(server.names.said).endswith("helpexit")
    assert call.is_up
