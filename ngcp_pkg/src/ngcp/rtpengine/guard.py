"""What media ports hear before and beside media: checks of ICE, handshakes of DTLS (RFC 7983).

Answers leave by the plane at once. What is agreed on is kept in the streams; the caller makes flows of it.
"""

from collections.abc import Callable, Iterable
from typing import Final

from ngcp.stun.check import judge

from .dtls import Handshake, Identity
from .flows import Address, Plane
from .streams import Link, Stream, Trust
from .transport import Outcome, Secrets

#: Handshakes with one side that may fail before we give up: somebody else may have disturbed them.
ATTEMPTS: Final = 5


class Guard:
    """Serves the streams whose sides do ICE or DTLS."""

    def __init__(self, plane: Plane, identity: Identity, random: Callable[[int], bytes]) -> None:
        """Take randomness from `random`, which returns so many bytes that nobody can guess."""
        self.plane = plane
        self.secrets = Secrets(random, identity.fingerprint)
        self._identity = identity
        self._waiting: dict[Address, Stream] = {}

    def settle(self, link: Link, side: int, outcome: Outcome, *, is_used: bool = True) -> None:
        """Let `outcome` hold for a stream; if another has its packets, it is not used and shakes no hands."""
        stream = link.streams[side]
        stream.outcome = outcome
        if not outcome.role or not is_used or outcome.certificate is None:
            stream.handshake = None
            self.forget(stream.local)
            return
        is_client, known = outcome.role == "active", stream.handshake
        if known is None or known.is_client != is_client or known.expected != outcome.certificate:
            stream.handshake = Handshake(self._identity, outcome.certificate, is_client=is_client)
        if stream.handshake and stream.handshake.keys is None:
            self._waiting[stream.local] = stream
        self._start(stream)

    def forget(self, local: Address) -> None:
        """Wait for nothing more at a port."""
        self._waiting.pop(local, None)

    def receive(self, link: Link, side: int, source: Address, packet: bytes) -> bool:
        """Take a packet that is STUN or DTLS; return whether flows have changed."""
        if packet[0] < 4:
            return self._receive_check(link.streams[side], source, packet)
        return self._receive_handshake(link, side, source, packet)

    def handle_timer(self) -> None:
        """Begin what could not begin yet, and repeat what was lost. To be called about once a second."""
        for stream in list(self._waiting.values()):
            self._start(stream)
            if stream.handshake is not None and stream.target is not None:
                self._send(stream, stream.target, stream.handshake.handle_timer())

    def _receive_check(self, stream: Stream, source: Address, packet: bytes) -> bool:
        outcome = stream.outcome
        if outcome.ice is None:
            return False
        verdict = judge(packet, source, outcome.ice, outcome.their_ufrag or None)
        if verdict.answer is not None:
            self.plane.send(stream.local, source, verdict.answer)
        if not verdict.is_valid or not stream.check(source, is_nominated=verdict.is_nominated):
            return False
        self._start(stream)
        return True

    def _receive_handshake(self, link: Link, side: int, source: Address, packet: bytes) -> bool:
        stream = link.streams[side]
        handshake = stream.handshake
        if handshake is None or not _may_come_from(link, side, source, packet):
            return False
        was_done = handshake.keys is not None
        self._send(stream, source, handshake.receive(packet))
        if handshake.problem is not None and handshake.attempt < ATTEMPTS:
            stream.handshake = handshake.again(self._identity)
        if not was_done and handshake.keys is not None:
            self.forget(stream.local)
        return True

    def _start(self, stream: Stream) -> None:
        """Say the first words of a client as soon as it is known where they go."""
        handshake, target = stream.handshake, stream.target
        if handshake is None or target is None or not handshake.is_client or handshake.is_started:
            return
        if stream.outcome.ice is None or stream.trust is Trust.CHECKED:
            self._send(stream, target, handshake.start())

    def _send(self, stream: Stream, to: Address, packets: Iterable[bytes]) -> None:
        for packet in packets:
            self.plane.send(stream.local, to, packet)


def _may_come_from(link: Link, side: int, source: Address, packet: bytes) -> bool:
    """Whether the peer's handshake may come from `source`: the checked one, else the most believable one."""
    stream = link.streams[side]
    if stream.outcome.ice is None:
        link.learn(side, source, packet)
    return stream.learned == source and (stream.outcome.ice is None or stream.trust is Trust.CHECKED)
