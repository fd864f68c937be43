"""Calls from the menu of a mailbox: in its owner's name, through a whole node, to whoever is called."""

import audioop
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from flows.attempts import ANSWERS, IS_BUSY, RINGS, Script
from flows.phones import Phone
from flows.test_placed_calls import APP_SERVER
from flows.whole import PROXY, Node
from ngcp.appserver.callback import Callee, Dialler
from ngcp.provisioning.voicemail import Address
from ngcp.rtp.packet import Packet
from ngcp.sip.transport.flow import Address as Place
from ngcp.voice.prompts import Wanted
from ngcp.voice.stage import Stage
from ngcp.voice.stream import FRAME
from ngcp.voice.studio import Port, Studio, Take
from ngcp.voice.switchboard import Switchboard

ALICE = Address("alice", "example.org", "4311001")
WORD = b"\x10\x20" * (FRAME // 2)


@dataclass
class Socket:
    """A port whose packets are kept."""

    take: Take
    sent: list[tuple[bytes, str]]
    """Packets, and whither."""
    local: Place = ("192.0.2.99", 10_000)

    def send(self, packet: bytes, remote: Place) -> None:
        self.sent.append((packet, remote[0]))

    def close(self) -> None:
        """Nothing."""


class AppServer:
    """One that calls others in alice's name (it is who talks to them, and the world of the stage)."""

    def __init__(self, node: Node) -> None:
        self.node, self.ended = node, list[bool]()
        self.sockets: list[Socket] = []
        self.background: Callable[[], bytes | None] = lambda: None
        self.core = Switchboard(
            node.wire.ids("as"), APP_SERVER, PROXY, lambda agent, registry: {}, server="test"
        )
        node.wire.attach(self.core, "udp", APP_SERVER)
        agent = self.core.agent
        self.studio = Studio(self)
        ids = map("{:016x}".format, itertools.count(1))
        stage = Stage(lambda: next(ids), self.studio, self, node.wire.spawn, lambda: node.wire.now)
        self.dialler = Dialler(agent, self.core.calls, stage, "<sip:127.0.0.1:5062;lr>", 30.0)

    def open(self, take: Take) -> Port:
        self.sockets.append(Socket(take, []))
        return self.sockets[-1]

    async def find(self, wanted: Wanted) -> Sequence[bytes]:
        return ()

    def hush(self) -> None:
        """Nothing is said."""

    def listen(self) -> bytes | None:
        return WORD

    def call(self, number: str) -> Callee:
        uuid = self.node.directory.accounts["alice"].uuid
        return self.dialler.call(number, ALICE, uuid, self, lambda was, _: self.ended.append(was))


@pytest.fixture
def node() -> Node:
    return Node()


def called(node: Node, script: Script = ANSWERS) -> tuple[AppServer, Phone, Callee]:
    server, bob = AppServer(node), node.registered("bob", "192.0.2.20", script=script)
    return server, bob, server.call("+4311002")


def test_who_left_a_message_is_called_in_the_name_of_whose_it_is(node: Node) -> None:
    server, bob, callee = called(node)
    assert node.wire.run_until(lambda: bool(bob.calls) and bob.calls[0].is_up)

    invite = bob.calls[0].invite
    assert invite.from_.uri.name == "alice"
    assert "P-Caller-UUID" not in invite and "P-App-Name" not in invite

    callee.hang_up(node.wire.now)
    node.wire.run(1)
    assert bob.calls[0].is_ended
    assert server.ended == [True]


def test_both_hear_each_other(node: Node) -> None:
    server, bob, _ = called(node)
    assert node.wire.run_until(lambda: bool(bob.calls) and bob.calls[0].is_up)
    node.wire.run(0.1)

    (socket,) = server.sockets
    for number in range(3):
        server.studio.beat(node.wire.now)
        packet = Packet(8, number, 160 * number, 1, bytes([number] * 160))
        socket.take(bytes(packet), (socket.sent[0][1], 1))
    assert [Packet.parse(one).payload for one, _ in socket.sent] == [audioop.lin2alaw(WORD, 2)] * 3
    assert server.background() == audioop.alaw2lin(bytes(160), 2)


@pytest.mark.parametrize(("script", "seconds"), [(IS_BUSY, 5.0), (RINGS, 35.0)], ids=["busy", "no answer"])
def test_nobody_answers(node: Node, script: Script, seconds: float) -> None:
    server, bob, _ = called(node, script)

    node.wire.run(seconds)

    assert server.ended == [False]
    assert not any(call.is_up for call in bob.calls)


@pytest.mark.parametrize(
    "preferences",
    [{"lock": "2"}, {"block_out_list": "431*"}, {"adm_block_out_list": "4311002"}],
    ids=lambda preferences: next(iter(preferences)),
)
def test_what_its_owner_may_not_call_is_not_called(node: Node, preferences: dict[str, str]) -> None:
    """His own restrictions hold: the call is his."""
    node.prefer("alice", **preferences)
    server, bob, _ = called(node)

    node.wire.run(5)

    assert server.ended == [False]
    assert bob.calls == []


def test_networks_of_a_subscriber_are_those_of_his_phones(node: Node) -> None:
    node.prefer("alice", allowed_ips="203.0.113.0/24")
    _, bob, _ = called(node)
    assert node.wire.run_until(lambda: bool(bob.calls) and bob.calls[0].is_up)


def test_nobody_is_called_in_the_name_of_nobody(node: Node) -> None:
    server, bob = AppServer(node), node.registered("bob", "192.0.2.20")
    server.dialler.call("+4311002", ALICE, "uuid-of-nobody", server, lambda was, _: server.ended.append(was))
    node.wire.run(5)
    assert server.ended == [False]
    assert bob.calls == []
