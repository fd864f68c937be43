"""Where participants are: announced in SDP, then learned from the packets they send.

Behind NAT an announced address is wrong, so the source of the packets takes its place. That trust is what
an attacker wants to abuse who sprays packets at our ports, so a source counts the more the better it fits
the signalling, a better one always takes over, and once both ends of a link are learned an equally good
one no longer does; only another port of the same host, when the learned one has fallen silent.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from ngcp.rtp import is_rtcp, is_rtp

from .dtls import Handshake
from .flows import Address, Keys, Process
from .transport import PLAIN, Outcome


class Trust(IntEnum):
    """How well the source of a packet fits what was signalled."""

    NOBODY = 0
    ANY_HOST = 1
    SAME_HOST = 2
    ANNOUNCED = 3
    CHECKED = 4
    """It has proved by ICE to have the credentials that we signalled."""


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
    does_ice: bool = False
    """Whether it checks our ports, and so tells where it is."""
    is_asymmetric: bool = False
    """Whether it sends from elsewhere than where it wants packets, so that none teaches us where that is."""


NOBODY = Endpoint(None)


class Protection(NamedTuple):
    """What protects the packets of one participant."""

    theirs: Keys | None = None
    """Of those that it sends; None for plain ones."""
    ours: Keys | None = None
    """Of those that we send it."""


@dataclass(slots=True, eq=False)
class Stream:
    """One local port and the participant that uses it."""

    local: Address
    endpoint: Endpoint = NOBODY
    learned: Address | None = None
    trust: Trust = Trust.NOBODY
    outcome: Outcome = PLAIN
    """How the participant and we have agreed to carry packets."""
    handshake: Handshake | None = None
    """Where keys come from, if that is DTLS."""

    @property
    def keys(self) -> Protection | None:
        """What protects packets; None while a handshake has yet to tell."""
        if not self.outcome.role:
            return Protection(self.outcome.decrypt, self.outcome.encrypt)
        return Protection(*self.handshake.keys) if self.handshake and self.handshake.keys else None

    @property
    def suite(self) -> str:
        """What protects the packets that we send; empty for plain ones."""
        keys = self.keys
        return keys.ours.suite if keys is not None and keys.ours is not None else ""

    @property
    def target(self) -> Address | None:
        """Where packets for this participant go; our port cannot send to the other family."""
        learned = None if self.endpoint.is_asymmetric else self.learned
        target = None if self.endpoint.is_muted else learned or self.endpoint.address
        return target if target and (":" in target[0]) == (":" in self.local[0]) else None

    def move(self, local: Address) -> None:
        """Use another local port, at which nobody has been heard yet."""
        self.local, self.learned, self.trust = local, None, Trust.NOBODY

    def announce(self, endpoint: Endpoint) -> None:
        """Take what the participant signalled; one that moved has to be learned anew."""
        old = self.endpoint
        if endpoint.signalled_from is None:
            endpoint = endpoint._replace(signalled_from=old.signalled_from)
        if endpoint.is_muted:
            endpoint = endpoint._replace(address=old.address)
        has_moved = (endpoint.address, endpoint.signalled_from) != (old.address, old.signalled_from)
        if has_moved and not (endpoint.does_ice and self.trust is Trust.CHECKED):
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

    def check(self, source: Address, *, is_nominated: bool) -> bool:
        """Take a source that a check proved: the nominated one, else the first. Return whether it moved."""
        if source == self.learned and self.trust is Trust.CHECKED:
            return False
        if self.trust is Trust.CHECKED and not is_nominated:
            return False
        self.learned, self.trust = source, Trust.CHECKED
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
    processes: list[Process | None] = field(default_factory=lambda: [None, None])
    """What user space does with what either side sends."""
    is_strict: bool = False
    """Whether nobody moves, once learned, without a signal (flag `strict-source`)."""

    def learn(
        self, side: int, source: Address, packet: bytes, is_silent: Callable[[], bool] = lambda: False
    ) -> bool:
        """Let a packet from an unexpected source teach us; return whether it did.

        `is_silent` is asked, if it matters, whether nothing has come from the expected one for a while.
        """
        is_settled = all(stream.learned for stream in self.streams)
        may_move = not is_settled or (self._is_neighbour(side, source) and is_silent())
        return self.streams[side].learn(source, packet, may_move=may_move)

    def _is_neighbour(self, side: int, source: Address) -> bool:
        """Whether `source` is another port of the host that was learned, and may be learned instead."""
        learned = self.streams[side].learned
        return learned is not None and learned[0] == source[0] and not self.is_strict
