"""The media of a phone: sends PCMA packets at 50 a second and counts what arrives (RFC 3550, RFC 3551).

SIPp carries the signaling; the media beside it is counted here, packet by packet, because SIPp's own does
not tell what it received.
"""

import contextlib
import secrets
import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lab import network

#: Seconds of speech in a packet, and its payload: 160 samples of silence in A-law.
PACKET_TIME: Final = 0.020
SILENCE: Final = b"\xd5" * 160
PCMA: Final = 8
HEADER: Final = struct.Struct("!BBHII")
#: Seconds to wait for what is still on its way when all is sent.
PATIENCE: Final = 2.0


@dataclass(slots=True)
class RtpEndpoint:
    """One end of a media stream, on a phone's address."""

    address: str
    port: int
    #: Sequence number of the first packet.
    first: int = 0
    #: What is still to be said, in A-law; behind it there is silence.
    speech: bytes = b""
    #: What is done with a packet before it is sent, and after it is received: encryption.
    protect: Callable[[bytes], bytes] = bytes
    unprotect: Callable[[bytes], bytes] = bytes
    #: Packets sent so far.
    sent: int = 0
    #: Packets received so far, without duplicates.
    received: int = 0
    #: What arrived but is no packet of the other end: foreign bytes, or one we had already.
    strays: int = 0
    #: TOS bytes of the packets received.
    tos: set[int] = field(default_factory=set)
    #: Addresses and ports the packets came from.
    sources: set[tuple[str, int]] = field(default_factory=set)
    #: What was said in them.
    heard: bytearray = field(default_factory=bytearray)
    _seen: set[tuple[int, int]] = field(default_factory=set)
    _ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    _socket: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        with network.inside():
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
        self._socket.setblocking(False)
        self._socket.bind((self.address, self.port))

    def fileno(self) -> int:
        """Let select(2) wait for it."""
        return self._socket.fileno()

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def send(self, remote: tuple[str, int]) -> None:
        """Send the next packet."""
        sequence = self.first + self.sent & 0xFFFF
        header = HEADER.pack(0x80, PCMA, sequence, self.sent * len(SILENCE), self._ssrc)
        payload = self.speech[: len(SILENCE)].ljust(len(SILENCE), SILENCE[:1])
        self.speech = self.speech[len(SILENCE) :]
        self._socket.sendto(self.protect(header + payload), remote)
        self.sent += 1

    def receive(self) -> None:
        """Take in all that has arrived."""
        with contextlib.suppress(BlockingIOError):
            while True:
                data, ancillary, _, source = self._socket.recvmsg(2048, socket.CMSG_SPACE(4))
                self._count(self.unprotect(data), source[:2])
                kinds = (socket.IP_TOS, socket.IPV6_TCLASS)
                self.tos.update(value[0] for _, kind, value in ancillary if kind in kinds)

    def _count(self, data: bytes, source: tuple[str, int]) -> None:
        if len(data) <= HEADER.size:
            self.strays += 1
            return
        _, payload_type, sequence, _, ssrc = HEADER.unpack_from(data)
        if payload_type & 0x7F != PCMA or (ssrc, sequence) in self._seen:
            self.strays += 1
            return
        self._seen.add((ssrc, sequence))
        self.received += 1
        self.heard += data[HEADER.size :]
        self.sources.add(source)


def stream(
    ends: Sequence[tuple[RtpEndpoint, tuple[str, int]]], packets: int, patience: float = PATIENCE
) -> None:
    """Let each end send `packets` packets to its remote address while all receive, then await stragglers."""
    endpoints = [endpoint for endpoint, _ in ends]
    start = time.monotonic()
    for number in range(packets):
        for endpoint, remote in ends:
            endpoint.send(remote)
        _receive_until(endpoints, start + (number + 1) * PACKET_TIME)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and any(end.received < end.sent for end in endpoints):
        _receive_until(endpoints, min(deadline, time.monotonic() + PACKET_TIME))


def _receive_until(endpoints: Sequence[RtpEndpoint], moment: float) -> None:
    while (left := moment - time.monotonic()) > 0:
        readable, _, _ = select.select(endpoints, [], [], left)
        for endpoint in readable:
            endpoint.receive()
