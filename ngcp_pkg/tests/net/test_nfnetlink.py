"""Netlink's encoding, and what the kernel's answers mean."""

import socket
import struct
from collections.abc import Sequence

import pytest

from ngcp.net import nfnetlink
from ngcp.net.nfnetlink import Message, attribute, attributes, fields, listing, nested, number, text, word

FILTER = Message(6, 2, text(1, "filter"), nfnetlink.CREATE)


class Kernel:
    """A socket whose other end answers what it was told to."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.sent = b""
        self._answers = list(answers)

    def __enter__(self) -> "Kernel":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def settimeout(self, seconds: float) -> None:
        assert seconds == nfnetlink.PATIENCE

    def bind(self, address: tuple[int, int]) -> None:
        assert address == (0, 0)

    def send(self, data: bytes) -> None:
        self.sent = data

    def recv(self, size: int) -> bytes:
        return self._answers.pop(0)


def answer(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body + bytes(-len(body) % 4)


def acknowledgement(error: int) -> bytes:
    return answer(2, struct.pack("=i", -error) + bytes(16))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Kernel:
    made = Kernel(request.param)
    monkeypatch.setattr(socket, "socket", lambda *_: made)
    return made


def test_attributes_are_padded_and_named() -> None:
    assert text(1, "filter").hex() == "0b00010066696c7465720000"
    assert number(2, -3).hex() == "08000200fffffffd"
    assert nested(4, number(1, 1)).hex() == "0c0004800800010000000001"


def test_what_was_encoded_is_decoded() -> None:
    data = text(1, "filter") + nested(4, number(1, 1), number(1, 2)) + attribute(3, b"")

    assert word(fields(data)[1]) == "filter"
    assert [value for _, value in attributes(fields(data)[4])] == [b"\0\0\0\1", b"\0\0\0\2"]
    assert fields(data)[3] == b""
    assert word(None) == ""


@pytest.mark.parametrize("data", [b"\x00", b"\x03\x00\x01\x00", b"\x00\x00\x01\x00", b"\xff\x00\x01\x00abc"])
def test_broken_attributes_end(data: bytes) -> None:
    assert list(attributes(text(1, "x") + data)) == [(1, b"x\0")]


@pytest.mark.parametrize("kernel", [[acknowledgement(0), acknowledgement(0)]], indirect=True)
def test_transaction(kernel: Kernel) -> None:
    """One datagram: its begin, what is to happen, its end, which commits."""
    nfnetlink.transact([FILTER, FILTER])

    kinds = [kind for kind, _, _ in nfnetlink._split(kernel.sent)]
    assert kinds == [0x10, 0xA06, 0xA06, 0x11]


@pytest.mark.parametrize("kernel", [[acknowledgement(0) + acknowledgement(2)]], indirect=True)
def test_refused_transaction(kernel: Kernel) -> None:
    with pytest.raises(OSError, match="nftables: No such file"):
        nfnetlink.transact([FILTER, FILTER])


RULE = answer(0xA06, b"\x02\0\0\0" + text(1, "filter"))
OTHER_FAMILY = answer(0xA06, b"\x0a\0\0\0" + text(1, "filter"))
DONE = answer(3, bytes(4))


@pytest.mark.parametrize("kernel", [[RULE + OTHER_FAMILY, RULE, DONE]], indirect=True)
def test_list_in_several_parts(kernel: Kernel) -> None:
    assert listing(Message(7, 2, b"")) == [text(1, "filter")] * 2


@pytest.mark.parametrize("kernel", [[acknowledgement(1)]], indirect=True)
def test_list_that_is_forbidden(kernel: Kernel) -> None:
    with pytest.raises(PermissionError):
        listing(Message(7, 2, b""))
