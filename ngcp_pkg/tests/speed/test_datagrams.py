"""Datagrams that share a system call are treated as their specification does it one by one."""

import itertools
import socket
from collections.abc import Callable, Iterator
from typing import Any

import ngcp_speed as speed
import pytest

from ngcp.net import udp
from ngcp.sip.transport.flow import Address

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["127.0.0.1", "::1"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Yield two sockets without waiting of the same family."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as ours, socket.socket(family, socket.SOCK_DGRAM) as peer:
        for each in (ours, peer):
            each.setblocking(False)
            if family is socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            each.bind((request.param, 0))
        yield ours, peer


def address_of(each: socket.socket) -> Address:
    host, port = each.getsockname()[:2]
    return host, port


def test_a_batch_is_what_the_specification_receives_one_by_one(pair: Pair) -> None:
    ours, peer = pair
    sent = [b"%d" % i * i for i in range(100)]
    for data in [*sent, *sent]:
        peer.sendto(data, ours.getsockname())

    one_by_one = [udp.receive_datagrams(ours, 1)[0] for _ in sent]
    batches = [speed.receive_datagrams(ours, count) for count in (1, 64, 64)]

    assert [len(batch) for batch in batches] == [1, 64, 35]
    assert [*itertools.chain(*batches)] == one_by_one
    assert len({id(remote) for batch in batches for _, remote in batch}) == 1
    assert speed.receive_datagrams(ours, 64) == udp.receive_datagrams(ours, 1) == []


@pytest.mark.parametrize(
    "stop",
    [
        None,
        ("example.org", 1),
        ("127.0.0.1\0", 1),
        ("\udcff", 1),
        ("1.2.3", 1),
        (":", 1),
        ("0" * 99, 1),
        ("127.0.0.1", -1),
        ("::1", 65_536),
        ("::1", 0),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 63, 64, 99])
def test_a_batch_goes_as_far_as_the_specification_does(pair: Pair, place: int, stop: Address | None) -> None:
    ours, peer = pair
    datagrams = [(b"%d" % i, address_of(peer)) for i in range(100)]
    datagrams[place] = (b"x" * 70_000, address_of(peer)) if stop is None else (b"x", stop)

    assert speed.send_datagrams(ours, datagrams) == udp.send_datagrams(ours, datagrams) == place
    received = [datagram for _ in range(4) for datagram in speed.receive_datagrams(peer, 64)]
    assert [data for data, _ in received] == [data for data, _ in datagrams[:place]] * 2


def test_nothing_to_send_is_no_error(pair: Pair) -> None:
    assert speed.send_datagrams(pair[0], []) == udp.send_datagrams(pair[0], []) == 0


def test_the_other_family_is_an_error(pair: Pair) -> None:
    ours, peer = pair
    other = "127.0.0.1" if ours.family is socket.AF_INET6 else "::1"
    datagrams = [(b"x", address_of(peer)), (b"x", (other, 9))]
    assert speed.send_datagrams(ours, datagrams) == udp.send_datagrams(ours, datagrams) == 1


@pytest.mark.parametrize("count", [-1, 0, 65, 2**40])
def test_no_more_is_received_than_there_are_buffers(pair: Pair, count: int) -> None:
    with pytest.raises(ValueError, match="between 1 and 64"):
        speed.receive_datagrams(pair[0], count)


def test_errors_of_the_socket_are_those_of_the_system(pair: Pair) -> None:
    ours, peer = pair
    gone = peer.getsockname()
    peer.close()
    ours.connect(gone)
    ours.send(b"x")
    with pytest.raises(ConnectionRefusedError):
        speed.receive_datagrams(ours, 64)
    assert speed.receive_datagrams(ours, 64) == []
    with pytest.raises(OSError, match="Bad file descriptor"):
        speed.receive_datagrams(peer, 64)
    assert speed.send_datagrams(peer, [(b"x", ("127.0.0.1", 9))]) == 0


def test_a_peer_without_an_address_is_an_error_not_a_crash() -> None:
    ours, peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, peer:
        peer.send(b"x")
        with pytest.raises(ValueError, match="without an IP address"):
            speed.receive_datagrams(ours, 64)


@pytest.mark.parametrize(
    "call",
    [
        speed.receive_datagrams,
        lambda ours: speed.receive_datagrams(ours, "1"),
        lambda ours: speed.receive_datagrams(ours, 1, 1),
        lambda ours: speed.send_datagrams(ours, ()),
        lambda ours: speed.send_datagrams(ours, [1]),
        lambda ours: speed.send_datagrams(ours, [(b"x",)]),
        lambda ours: speed.send_datagrams(ours, [("x", ("::1", 1))]),
        lambda ours: speed.send_datagrams(ours, [(b"x", ("::1", "1"))]),
        lambda ours: speed.send_datagrams(ours, [(b"x", (b"::1", 1))]),
        lambda ours: speed.send_datagrams(ours, [(b"x", ("::1", 1, 0, 0))]),
        lambda ours: speed.send_datagrams(ours, [(b"x", "::1")]),
    ],
)
def test_what_is_no_datagram_is_an_error_not_a_crash(
    pair: Pair, call: Callable[[socket.socket], Any]
) -> None:
    with pytest.raises(TypeError):
        call(pair[0])


def test_what_is_no_socket_is_an_error_not_a_crash() -> None:
    with pytest.raises(AttributeError):
        speed.receive_datagrams(None, 1)
