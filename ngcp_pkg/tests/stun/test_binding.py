"""STUN on the SIP port (RFC 5626 §4.4.2, RFC 8489): keep-alives answered, everything else left alone."""

import ipaddress
import struct
from binascii import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.stun import binding
from ngcp.stun.message import COOKIE

TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
SOURCE = ("192.0.2.1", 32853)


def request(attributes: bytes = b"", kind: int = 1, cookie: int = COOKIE) -> bytes:
    return struct.pack("!HHL", kind, len(attributes), cookie) + TRANSACTION + attributes


def attribute(name: int, value: bytes) -> bytes:
    return struct.pack("!HH", name, len(value)) + value + bytes(-len(value) % 4)


def with_fingerprint(message: bytes) -> bytes:
    covered = message[:2] + struct.pack("!H", len(message) - 12) + message[4:]
    return covered + attribute(0x8028, struct.pack("!L", crc32(covered) ^ 0x5354554E))


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (SOURCE, "0001a147e112a643"),  # RFC 5769 §2.2
        (("2001:db8:1234:5678:11:2233:4455:6677", 32853), "0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"),  # §2.3
    ],
)
def test_the_vectors_of_rfc_5769(source: tuple[str, int], value: str) -> None:
    answer = binding.answer(request(), source)

    assert answer is not None
    assert answer[:2] == b"\x01\x01"
    assert answer[20:] == attribute(0x0020, bytes.fromhex(value))


@given(st.ip_addresses(), st.integers(0, 65535), st.binary(min_size=12, max_size=12))
def test_a_phone_reads_where_it_came_from(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int, transaction: bytes
) -> None:
    message = struct.pack("!HHL", 1, 0, COOKIE) + transaction
    answer = binding.answer(message, (str(address), port))

    assert answer is not None
    assert answer[4:20] == message[4:20], "the phone knows its answer by this"
    assert binding.mapped_address(answer) == (str(address), port)


def test_names_and_fingerprints_are_fine() -> None:
    software = attribute(0x8022, b"phone 1")

    assert binding.answer(request(software), SOURCE) == binding.answer(request(), SOURCE)
    assert binding.answer(with_fingerprint(request(software)), SOURCE) == binding.answer(request(), SOURCE)


def test_a_wrong_fingerprint_is_no_stun() -> None:
    good = with_fingerprint(request())

    assert binding.answer(good[:-1] + bytes([good[-1] ^ 1]), SOURCE) is None


def test_what_must_be_understood_and_is_not_is_refused() -> None:
    """RFC 8489 §6.3.1: CHANGE-REQUEST of RFC 5780 is not for us."""
    answer = binding.answer(request(attribute(0x0003, bytes(4))), SOURCE)

    assert answer is not None
    assert answer[:2] == b"\x01\x11"
    assert attribute(0x000A, b"\x00\x03") in answer
    assert binding.mapped_address(answer) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(4),
        bytes(20),
        request()[:-1],
        request() + bytes(4),
        request(kind=0x0101),
        request(kind=0x0011),
        request(cookie=1),
        request(struct.pack("!HH", 0x8022, 100)),
        request(b"\x80\x22\x00"),
        request(attribute(0x8022, bytes(600))),
    ],
)
def test_what_is_no_binding_request_is_not_answered(data: bytes) -> None:
    assert binding.answer(data, SOURCE) is None


@given(st.binary(max_size=600))
def test_no_bytes_hurt(tail: bytes) -> None:
    for data in (tail, request(tail), request()[:20] + tail):
        answer = binding.answer(data, SOURCE)
        assert answer is None or len(answer) <= 3 * len(data)
