"""Many UDP datagrams at once on loopback: order, peers, sizes and errors are those of one at a time."""

import asyncio
import contextlib
import functools
from collections.abc import Sized

import pytest

from net.loop import run, until
from ngcp.net.udp import DRAIN, UdpSocket
from ngcp.sip.transport.flow import Address

#: More than one system call takes, and no multiple of it.
MANY = 2 * DRAIN + 7
#: More than are remembered.
PEERS = 400

both_families = pytest.mark.parametrize("host", ["127.0.0.1", "::1"])


class Inbox:
    """A socket that keeps what it receives."""

    def __init__(self, host: str) -> None:
        self.received: list[tuple[bytes, Address]] = []
        self.socket = UdpSocket((host, 0), lambda data, remote: self.received.append((data, remote)))
        self.address = self.socket.address

    @property
    def payloads(self) -> list[bytes]:
        return [data for data, _ in self.received]


def _has(inbox: Sized, count: int) -> bool:
    return len(inbox) >= count


async def filled(inbox: Inbox, count: int) -> None:
    await until(functools.partial(_has, inbox.received, count))


@both_families
def test_order_is_kept_both_ways(host: str) -> None:
    async def test() -> None:
        ours, one, two = Inbox(host), Inbox(host), Inbox(host)
        sent = [b"%d" % i for i in range(MANY)]

        assert ours.socket.send_all([(data, (one, two)[i % 2].address) for i, data in enumerate(sent)]) == []
        await filled(one, MANY // 2 + 1)
        await filled(two, MANY // 2)

        assert (one.payloads, two.payloads) == (sent[::2], sent[1::2])
        assert {remote for _, remote in one.received + two.received} == {ours.address}
        for each in (ours, one, two):
            each.socket.close()

    run(test)


@both_families
def test_each_of_many_peers_is_known_by_its_address(host: str) -> None:
    async def test() -> None:
        ours = Inbox(host)
        with contextlib.ExitStack() as release:
            peers = [UdpSocket((host, 0), lambda data, remote: None) for _ in range(PEERS)]
            for peer in peers:
                release.callback(peer.close)
            for count in (1, 2):
                for peer in peers:
                    assert peer.send(b"%d" % peer.address[1], ours.address)
                await filled(ours, count * PEERS)

            expected = [(b"%d" % peer.address[1], peer.address) for peer in peers]
            assert ours.received == 2 * expected
        ours.socket.close()

    run(test)


@both_families
def test_a_datagram_is_whole_whether_empty_or_as_large_as_can_be(host: str) -> None:
    async def test() -> None:
        ours, peer = Inbox(host), Inbox(host)
        largest = 65_535 - 8 - (20 if host == "127.0.0.1" else 0)  # the IPv4 header counts, IPv6's does not
        sent = [b"", b"\0" * 3, b"x" * largest, b"", b"end"]

        assert ours.socket.send_all([(data, peer.address) for data in sent]) == []
        await filled(peer, len(sent))

        assert peer.payloads == sent
        for each in (ours, peer):
            each.socket.close()

    run(test)


@pytest.mark.parametrize(
    "bad",
    [
        ("example.org", 5060),
        ("127.0.0.1\0", 5060),
        ("ü", 5060),
        ("", 5060),
        ("127.0.0.1", 70_000),
        ("127.0.0.1", -1),
        ("127.0.0.1", 2**80),
        ("127.0.0.1", 0),
        ("::1", 5060),
        ("fe80::1%lo", 5060),
        ("240.0.0.1", 5060),
    ],
)
def test_what_cannot_be_sent_is_told_from_the_rest(bad: Address) -> None:
    async def test() -> None:
        ours, peer = Inbox("127.0.0.1"), Inbox("127.0.0.1")
        good = [(b"%d" % i, peer.address) for i in range(3)]
        too_large = (b"x" * 70_000, peer.address)

        assert ours.socket.send_all([(b"x", bad), good[0], (b"y", bad), too_large, *good[1:]]) == [0, 2, 3]
        await filled(peer, 3)

        assert peer.payloads == [b"0", b"1", b"2"]
        ours.socket.close()
        assert ours.socket.send_all(good[:2]) == [0, 1]
        peer.socket.close()

    run(test)


@both_families
def test_an_unreachable_peer_is_reported_and_the_others_get_theirs(host: str) -> None:
    """The error of one datagram is met by the next one, to whom it is no business of."""

    async def test() -> None:
        lost: list[Address] = []
        ours, peer, absent = Inbox(host), Inbox(host), Inbox(host)
        absent.socket.close()
        ours.socket.watch(lost.append)
        batch = [(b"%d" % i, (absent, peer)[i % 2].address) for i in range(8)]

        for turn in (1, 2, 3):
            del lost[:]
            assert ours.socket.send_all(batch) == []
            await filled(peer, 4 * turn)
            await until(functools.partial(_has, lost, 1))
            assert {*lost} == {absent.address}
            assert peer.socket.send(b"answer", ours.address)
            await filled(ours, turn)

        assert peer.payloads == [data for data, remote in batch if remote == peer.address] * 3
        for each in (ours, peer):
            each.socket.close()

    run(test)


def test_the_error_of_a_connected_peer_does_not_hide_what_waits_behind_it() -> None:
    async def test() -> None:
        first, second = Inbox("127.0.0.1"), Inbox("127.0.0.1")
        first.socket.connect(second.address)
        for data in (b"1", b"2"):
            assert second.socket.send(data, first.address)
        second.socket.close()
        assert first.socket.send(b"are you there?", second.address)

        await filled(first, 2)

        assert first.payloads == [b"1", b"2"]
        first.socket.close()

    run(test)


def test_a_socket_that_is_closed_says_nothing_more() -> None:
    """Not even what came with the datagram that made somebody close it."""

    async def test() -> None:
        heard: list[bytes] = []

        def hear(data: bytes, remote: Address) -> None:
            heard.append(data)
            ours.close()

        ours = UdpSocket(("127.0.0.1", 0), hear)
        peer = Inbox("127.0.0.1")
        for data in (b"1", b"2", b"3"):
            assert peer.socket.send(data, ours.address)
        await until(functools.partial(_has, heard, 1))
        await asyncio.sleep(0)

        assert heard == [b"1"]
        peer.socket.close()

    run(test)
