"""UDP on loopback: the draining socket and the requester with cookies."""

import asyncio
import functools
import itertools
import socket
from collections.abc import Sized

import pytest

from net.loop import run, until
from ngcp.net.udp import DRAIN, UdpRequester, UdpSocket
from ngcp.sip.transport.flow import Address

LOOPBACK = ("127.0.0.1", 0)


class Inbox:
    """Remembers what a socket received, turn by turn."""

    def __init__(self) -> None:
        self.turns: list[list[bytes]] = [[]]
        self.remotes: set[Address] = set()

    def receive(self, data: bytes, remote: Address) -> None:
        self.turns[-1].append(data)
        self.remotes.add(remote)

    def drained(self) -> None:
        self.turns.append([])

    def __len__(self) -> int:
        return sum(map(len, self.turns))


def test_one_turn_drains_what_has_arrived_up_to_the_cap() -> None:
    async def test() -> None:
        inbox = Inbox()
        receiver = UdpSocket(LOOPBACK, inbox.receive, inbox.drained)
        sender = UdpSocket(LOOPBACK, Inbox().receive)
        sent = [b"%d" % i for i in range(DRAIN + 10)]
        for data in sent:
            assert sender.send(data, receiver.address)

        await until(lambda: len(inbox) == len(sent))

        assert inbox.turns == [sent[:DRAIN], sent[DRAIN:], []] or inbox.turns == [sent[:DRAIN], sent[DRAIN:]]
        assert inbox.remotes == {sender.address}
        receiver.close()
        sender.close()

    run(test)


@pytest.mark.parametrize(
    "remote", [("example.org", 5060), ("127.0.0.1", 70000), ("::1", 5060), ("240.0.0.1", 5060)]
)
def test_what_cannot_be_sent_is_said_and_no_name_is_resolved(remote: Address) -> None:
    async def test() -> None:
        sender = UdpSocket(LOOPBACK, Inbox().receive)
        assert not sender.send(b"x", remote)
        assert not sender.send(b"x" * 70_000, ("127.0.0.1", 9))
        sender.close()

    run(test)


def test_packets_carry_the_type_of_service_in_both_families() -> None:
    async def test() -> None:
        for host, level, option in (
            ("127.0.0.1", socket.IPPROTO_IP, socket.IP_RECVTOS),
            ("::1", socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS),
        ):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family, socket.SOCK_DGRAM) as peer:
                peer.bind((host, 0))
                peer.setsockopt(level, option, 1)
                sender = UdpSocket((host, 0), Inbox().receive, tos=184)
                assert sender.send(b"x", peer.getsockname()[:2])
                _, ancillary, _, _ = peer.recvmsg(10, 100)
                assert int.from_bytes(ancillary[0][2], "little") == 184
                sender.close()

    run(test)


def test_a_peer_that_was_unreachable_is_heard_when_it_is_back() -> None:
    """The error that its absence caused (ICMP) must not make the socket deaf."""

    async def test() -> None:
        inbox = Inbox()
        absent = UdpSocket(LOOPBACK, Inbox().receive)
        remote = absent.address
        absent.close()
        ours = UdpSocket(LOOPBACK, inbox.receive)
        ours.connect(remote)
        for _ in range(3):
            ours.send(b"anybody there?", remote)
            await asyncio.sleep(0.01)

        back = UdpSocket(remote, Inbox().receive)
        assert back.send(b"yes", ours.address)
        await until(lambda: len(inbox) == 1)
        ours.close()
        back.close()

    run(test)


def _have(lists: tuple[Sized, ...], length: int) -> bool:
    return all(len(each) == length for each in lists)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_one_unreachable_peer_is_told_from_the_others(host: str) -> None:
    """One socket towards several peers: the error of one must not hit what is sent to another."""

    async def test() -> None:
        lost: list[Address] = []
        inbox = Inbox()
        absent = UdpSocket((host, 0), Inbox().receive)
        gone = absent.address
        absent.close()
        present = UdpSocket((host, 0), inbox.receive)
        ours = UdpSocket((host, 0), Inbox().receive)
        ours.watch(lost.append)

        for expected in range(1, 4):
            assert ours.send(b"anybody there?", gone)
            assert ours.send(b"hello", present.address)
            await until(functools.partial(_have, (inbox, lost), expected))

        assert set(lost) == {gone}
        for each in (present, ours):
            each.close()

    run(test)


def test_an_address_in_use_is_refused() -> None:
    async def test() -> None:
        first = UdpSocket(LOOPBACK, Inbox().receive)
        with pytest.raises(OSError, match="in use"):
            UdpSocket(first.address, Inbox().receive)
        first.close()
        with pytest.raises(ValueError, match="no IP address"):
            UdpSocket(("localhost", 0), Inbox().receive)

    run(test)


class Server:
    """An ng-like server that ignores the first `deaf` datagrams."""

    def __init__(self, deaf: int) -> None:
        self.deaf = deaf
        self.heard: list[bytes] = []
        self.socket = UdpSocket(LOOPBACK, self.answer)

    def answer(self, data: bytes, remote: Address) -> None:
        self.heard.append(data)
        if len(self.heard) > self.deaf:
            cookie, _, payload = data.partition(b" ")
            self.socket.send(b"stranger nothing", remote)
            self.socket.send(cookie + b" " + payload.upper(), remote)
            self.socket.send(cookie + b" twice", remote)


def test_answers_are_matched_by_cookie_and_lost_requests_repeated() -> None:
    async def test() -> None:
        server = Server(deaf=2)
        numbers = itertools.count(1)
        requester = UdpRequester(server.socket.address, lambda: f"c{next(numbers)}", timeout=0.5)

        answers = await asyncio.gather(requester.request(b"ping"), requester.request(b"offer x"))

        assert list(answers) == [b"PING", b"OFFER X"]
        assert server.heard[:2] == [b"c1 ping", b"c2 offer x"]
        requester.close()
        server.socket.close()

    run(test)


def test_a_silent_server_is_a_timeout_and_a_dead_one_an_error() -> None:
    async def test() -> None:
        server = Server(deaf=1000)
        requester = UdpRequester(server.socket.address, lambda: "c", timeout=0.05)
        with pytest.raises(TimeoutError):
            await requester.request(b"ping")

        server.socket.close()
        with pytest.raises((ConnectionError, TimeoutError)):
            await requester.request(b"ping")
        requester.close()

    run(test)
