"""The datapath in C takes what its specification takes, and refuses the rest without a crash."""

import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import ngcp_media
import pytest

from ngcp.rtpengine import datapath
from ngcp.rtpengine.flows import Address

HOST = "127.0.0.1"
Datapath = datapath.Datapath


def open_socket() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    opened.bind((HOST, 0))
    return opened


def until(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class Scene:
    """Two ports of a datapath, and a phone at each."""

    def __init__(self, datapath: Datapath) -> None:
        self.datapath = datapath
        self.ports, self.phones = ([open_socket(), open_socket()] for _ in range(2))
        for port in self.ports:
            datapath.hold(port)

    @property
    def numbers(self) -> list[int]:
        return [port.fileno() for port in self.ports]

    @property
    def addresses(self) -> list[Address]:
        return [phone.getsockname() for phone in self.phones]

    def connect(self) -> None:
        (one, two), (alice, bob) = self.numbers, self.addresses
        self.datapath.add(one, alice, two, bob)
        self.datapath.add(two, bob, one, alice)

    def take(self, count: int) -> list[datapath.Shown]:
        shown: list[datapath.Shown] = []

        def is_done() -> bool:
            shown.extend(self.datapath.take())
            return len(shown) >= count

        until(is_done)
        return shown

    def close(self) -> None:
        self.datapath.stop()
        for each in self.ports + self.phones:
            each.close()


@pytest.fixture(params=[Datapath, ngcp_media.Datapath], ids=["python", "c"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    made = Scene(request.param())
    yield made
    made.close()


def test_what_is_shown_says_where_and_from_whom(scene: Scene) -> None:
    scene.connect()
    bob = scene.addresses[1]
    packets = [b"", b"x" * 9000, b"bye"]
    for packet in packets:
        scene.phones[1].sendto(packet, scene.ports[0].getsockname())

    shown = scene.take(3)

    assert shown == [(scene.numbers[0], packet[: datapath.MAX_PACKET], bob) for packet in packets]
    assert scene.datapath.take() == []
    assert tuple(scene.datapath.counters(scene.numbers[0])) == (0, 0, 0, None)


def test_what_comes_in_a_burst_is_shown_in_its_order(scene: Scene) -> None:
    scene.connect()
    one = scene.ports[0].getsockname()
    for number in range(100):  # what a socket's buffer holds
        scene.phones[1].sendto(b"%d" % number, one)
    first = scene.take(100)
    for number in range(100):
        scene.phones[1].sendto(b"%d" % number, one)

    assert [packet for _, packet, _ in first + scene.take(100)] == 2 * [
        b"%d" % number for number in range(100)
    ]


def test_nothing_is_shown_of_a_port_that_was_given_up(scene: Scene) -> None:
    """Its number may belong to another call by now."""
    scene.connect()
    scene.phones[1].sendto(b"stranger", scene.ports[0].getsockname())
    time.sleep(0.05)
    scene.datapath.remove(scene.numbers[0])
    scene.datapath.release(scene.numbers[0])
    scene.datapath.hold(scene.ports[0])

    assert scene.datapath.take() == []


def test_what_python_did_counts(scene: Scene) -> None:
    number = scene.numbers[0]
    scene.datapath.count(number, None, 2)
    assert tuple(scene.datapath.counters(number)) == (0, 0, 2, None)
    before = time.monotonic()
    scene.datapath.count(number, 172, 0)
    packets, octets, errors, last = scene.datapath.counters(number)
    assert (packets, octets, errors) == (1, 172, 2)
    assert before <= (last or 0.0) <= time.monotonic()
    scene.datapath.remove(number)
    assert tuple(scene.datapath.counters(number)) == (0, 0, 0, None)


def test_flows_change_while_packets_come(scene: Scene) -> None:
    scene.connect()
    one, two = (port.getsockname() for port in scene.ports)
    ended = False

    def shower() -> None:
        for number in itertools.count():
            if ended:
                return
            scene.phones[0].sendto(b"a%d" % number, one)
            scene.phones[1].sendto(b"b%d" % number, two)

    sending = Thread(target=shower)
    sending.start()
    for _ in range(300):
        scene.connect()
        scene.datapath.take()
        scene.datapath.remove(scene.numbers[0])
        scene.datapath.release(scene.numbers[0])
        scene.datapath.take()
        scene.datapath.hold(scene.ports[0])
    ended = True
    sending.join()
    scene.connect()

    def has_come() -> bool:
        scene.phones[0].sendto(b"still there", one)
        scene.datapath.take()
        heard = []
        with contextlib.suppress(BlockingIOError):
            while True:
                heard.append(scene.phones[1].recv(100))
        return b"still there" in heard

    until(has_come)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda path, one: path.add(-1, None, one, None), KeyError),
        (lambda path, one: path.add(one, None, 999, None), KeyError),
        (lambda path, one: path.add(2**40, None, one, None), KeyError),
        (lambda path, one: path.counters(999), KeyError),
        (lambda path, one: path.count(999, None, 0), KeyError),
        (lambda path, one: path.remove(999), KeyError),
        (lambda path, one: path.release(999), KeyError),
        (lambda path, one: path.hold(None), AttributeError),
        (lambda path, one: path.add(one), TypeError),
        (lambda path, one: path.count(one), TypeError),
    ],
)
def test_ports_that_are_not_held_are_errors(
    scene: Scene, call: Callable[[Any, int], Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        call(scene.datapath, scene.numbers[0])


@pytest.mark.parametrize(
    "address",
    ["x", ("127.0.0.1",), (1, 2), ("127.0.0.1", "2"), ("127.0.0.1", 2, 3), (b"127.0.0.1", 2), ("a\0b", 1)],
)
def test_what_is_no_address_is_an_error(address: Address) -> None:
    scene = Scene(ngcp_media.Datapath())
    one, two = scene.numbers
    for arguments in ((one, address, two, None), (one, None, two, address)):
        with pytest.raises((TypeError, ValueError)):
            scene.datapath.add(*arguments)
    scene.close()


@pytest.mark.parametrize("address", [("example.org", 1), ("1.2.3", 1), ("127.0.0.1", -1), ("::1", 65_536)])
def test_what_is_no_literal_address_is_an_error(address: Address) -> None:
    scene = Scene(ngcp_media.Datapath())
    one, two = scene.numbers
    with pytest.raises(ValueError, match="no IP address and port"):
        scene.datapath.add(one, address, two, None)
    scene.close()


def test_a_datapath_that_was_stopped_can_be_stopped_again(scene: Scene) -> None:
    scene.datapath.stop()
    scene.datapath.stop()
