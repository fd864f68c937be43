"""The kernel's netfilter subsystem over netlink: messages in a transaction, and lists of what it holds.

Netlink's attributes are those of linux/netlink.h, nftables' messages those of linux/netfilter/nf_tables.h.
Needs CAP_NET_ADMIN.
"""

import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

#: Netlink: kinds of messages, and their flags.
_ERROR: Final = 2
_DONE: Final = 3
REQUEST: Final = 0x001
ACK: Final = 0x004
DUMP: Final = 0x300
CREATE: Final = 0x400

_NETFILTER: Final = 12  # the protocol
_NFTABLES: Final = 10  # its subsystem
_BATCH_BEGIN: Final = 0x10
_BATCH_END: Final = 0x11
_NESTED: Final = 0x8000
_TYPE: Final = 0x3FFF
#: struct nlmsghdr and struct nfgenmsg; struct nlattr.
_HEADER: Final = struct.Struct("=IHHIIBBH")
_MESSAGE: Final = struct.Struct("=IHHII")
_ATTRIBUTE: Final = struct.Struct("=HH")

#: Seconds to wait for the kernel, which answers at once.
PATIENCE: Final = 5.0


class Message(NamedTuple):
    """One of nftables' messages."""

    kind: int
    """NFT_MSG_…"""
    family: int
    """NFPROTO_…"""
    body: bytes
    """Its attributes."""
    flags: int = 0
    """Beside `REQUEST` and `ACK`."""


def attribute(kind: int, value: bytes) -> bytes:
    """Encode an attribute."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """Encode an attribute that is made of others."""
    return attribute(kind | _NESTED, b"".join(attributes))


def text(kind: int, value: str) -> bytes:
    """Encode an attribute that is a string."""
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    """Encode an attribute that is a number, as nftables has it: 32 bits in network order."""
    return attribute(kind, struct.pack(">i", value))


def attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Decode attributes; what is no attribute ends them."""
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if not _ATTRIBUTE.size <= length <= len(data):
            return
        yield kind & _TYPE, data[_ATTRIBUTE.size : length]
        data = data[length + -length % 4 :]


def fields(data: bytes) -> Mapping[int, bytes]:
    """Decode attributes each of which is there once."""
    return dict(attributes(data))


def word(value: bytes | None) -> str:
    """Decode a string; nothing if it is not there."""
    return (value or b"").rstrip(b"\0").decode(errors="replace")


def transact(messages: Sequence[Message]) -> None:
    """Let all of `messages` happen, or none and raise `OSError`."""
    with _open() as kernel:
        kernel.send(b"".join(_batch(messages)))
        answers = 0
        while answers < len(messages):
            for kind, _, body in _split(kernel.recv(65536)):
                if kind == _ERROR:
                    _check(body)
                    answers += 1


def listing(message: Message) -> list[bytes]:
    """Ask for all of a kind, of the message's family; return their attributes. Nothing is an empty list."""
    found: list[bytes] = []
    with _open() as kernel:
        kernel.send(_encode(_NFTABLES << 8 | message.kind, 1, message, REQUEST | DUMP))
        while True:
            for kind, family, body in _split(kernel.recv(65536)):
                if kind == _DONE:
                    return found
                if kind == _ERROR:
                    _check(body)
                elif family == message.family:
                    found.append(body)


def _open() -> socket.socket:
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER)
    kernel.settimeout(PATIENCE)
    kernel.bind((0, 0))
    return kernel


def _batch(messages: Iterable[Message]) -> Iterator[bytes]:
    """Encode a transaction; its end commits it."""
    frame = Message(0, 0, b"")
    yield _encode(_BATCH_BEGIN, 0, frame, REQUEST, _NFTABLES)
    for sequence, message in enumerate(messages, 1):
        yield _encode(_NFTABLES << 8 | message.kind, sequence, message, REQUEST | ACK | message.flags)
    yield _encode(_BATCH_END, 0, frame, REQUEST, _NFTABLES)


def _encode(kind: int, sequence: int, message: Message, flags: int, resource: int = 0) -> bytes:
    length = _HEADER.size + len(message.body)
    header = (length, kind, flags, sequence, 0, message.family, 0, socket.htons(resource))
    return _HEADER.pack(*header) + message.body


def _split(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Decode what the kernel sent: kind, family, attributes; of its own messages the whole body."""
    while len(data) >= _MESSAGE.size:
        length, kind, *_ = _MESSAGE.unpack_from(data)
        if not _MESSAGE.size <= length <= len(data):
            return
        body = data[_MESSAGE.size : length]
        if kind in (_ERROR, _DONE):
            yield kind, 0, body
        elif len(body) >= 4:
            yield kind, body[0], body[4:]
        data = data[length + -length % 4 :]


def _check(body: bytes) -> None:
    """Raise `OSError` unless the kernel acknowledges."""
    (error,) = struct.unpack_from("=i", body)
    if error:
        raise OSError(-error, f"nftables: {os.strerror(-error)}")
