"""Where participants are: announced in SDP, then learned from the packets they send.

Behind NAT an announced address is wrong, so the source of the packets takes its place. That trust is what
an attacker wants to abuse who sprays packets at our ports, so a source counts the more the better it fits
the signalling, a better one always takes over, and once both ends of a link are learned an equally good
one no longer does.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from ngcp.rtp import is_rtcp, is_rtp

from .flows import Address, Flow


class Trust(IntEnum):
    """How well the source of a packet fits what was signalled."""

    NOBODY = 0
    ANY_HOST = 1
    SAME_HOST = 2
    ANNOUNCED = 3


class Endpoint(NamedTuple):
    """What one participant announced for one port."""

    address: Address | None
    """Where it wants packets; None if that is no address that we could send to."""
    signalled_from: str | None = None
    """The host its signalling came from."""
    is_muted: bool = False
    """Whether it wants no packets: the zero address (RFC 3264 §8.4)."""
    is_opaque: bool = False
    """Whether its packets are something else than plain RTP and RTCP, so that any packet may teach us."""


NOBODY = Endpoint(None)


@dataclass(slots=True, eq=False)
class Stream:
    """One local port and the participant that uses it."""

    local: Address
    endpoint: Endpoint = NOBODY
    learned: Address | None = None
    trust: Trust = Trust.NOBODY

    @property
    def target(self) -> Address | None:
        """Where packets for this participant go."""
        return None if self.endpoint.is_muted else self.learned or self.endpoint.address

    def announce(self, endpoint: Endpoint) -> None:
        """Take what the participant signalled; one that moved has to be learned anew."""
        old = self.endpoint
        if endpoint.signalled_from is None:
            endpoint = endpoint._replace(signalled_from=old.signalled_from)
        if endpoint.is_muted:
            endpoint = endpoint._replace(address=old.address)
        if (endpoint.address, endpoint.signalled_from) != (old.address, old.signalled_from):
            self.learned, self.trust = None, Trust.NOBODY
        self.endpoint = endpoint

    def learn(self, source: Address, packet: bytes, *, may_move: bool) -> bool:
        """Take `source` for where the participant is if it is more believable than what we have.

        `may_move` lets it win also when it is only as believable. Return whether anything changed.
        """
        trust = self._trust(source)
        if trust < Trust.ANNOUNCED and not (self.endpoint.is_opaque or is_rtp(packet) or is_rtcp(packet)):
            return False
        if trust < self.trust or (trust == self.trust and not may_move):
            return False
        self.learned, self.trust = source, trust
        return True

    def _trust(self, source: Address) -> Trust:
        announced = self.endpoint.address
        if source == announced:
            return Trust.ANNOUNCED
        if source[0] == self.endpoint.signalled_from or (announced and source[0] == announced[0]):
            return Trust.SAME_HOST
        return Trust.ANY_HOST


@dataclass(slots=True, eq=False)
class Link:
    """Two streams, one facing each side: what arrives at one leaves from the other."""

    streams: tuple[Stream, Stream]

    def flow(self, side: int, tos: int) -> Flow:
        """Return the flow of what the participant of `side` sends."""
        here, there = self.streams[side], self.streams[1 - side]
        return Flow(here.local, here.learned, there.local, there.target, tos)

    def learn(self, side: int, source: Address, packet: bytes) -> bool:
        """Let a packet from an unexpected source teach us; return whether it did."""
        is_settled = all(stream.learned for stream in self.streams)
        return self.streams[side].learn(source, packet, may_move=not is_settled)
