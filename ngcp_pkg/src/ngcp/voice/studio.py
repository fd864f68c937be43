"""Where the node's own audio is made: ports for streams, and the beat of 20 ms that all of them keep."""

from collections.abc import Callable
from typing import Protocol

from ngcp.sip.errors import SipError
from ngcp.sip.transport.flow import Address

#: Takes a packet, and who sent it.
Take = Callable[[bytes, Address], None]


class NoPorts(SipError):
    """All ports for media are in use."""

    status = 503
    reason = "Out Of Media Ports"


class Port(Protocol):
    """A bound port for RTP."""

    local: Address

    def send(self, packet: bytes, remote: Address) -> None:
        """Send a packet; one that cannot be sent is lost."""

    def close(self) -> None:
        """Let go of it."""


class Ports(Protocol):
    """Whoever has sockets."""

    def open(self, take: Take) -> Port:
        """Bind one more, whose packets `take` gets, or raise `NoPorts`."""


class Player(Protocol):
    """Whatever moves with the beat."""

    def beat(self, now: float) -> None:
        """Let the time of one frame pass."""


class Studio:
    """All players; mixers come before those who say what they mixed."""

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self._mixers: dict[Player, None] = {}
        self._players: dict[Player, None] = {}
        self.begun: Callable[[], None] = lambda: None
        """Called when the first one comes in: the beat is wanted from now on."""

    @property
    def is_idle(self) -> bool:
        """Whether nobody needs the beat."""
        return not self._players

    @property
    def is_mixing(self) -> bool:
        """Whether there are rooms."""
        return bool(self._mixers)

    def enter(self, player: Player, *, as_mixer: bool = False) -> None:
        """Move with the beat from now on."""
        was_idle = self.is_idle
        (self._mixers if as_mixer else self._players)[player] = None
        if was_idle and not self.is_idle:
            self.begun()

    def leave(self, player: Player) -> None:
        """Move no more."""
        self._mixers.pop(player, None)
        self._players.pop(player, None)

    def beat(self, now: float) -> None:
        """Let the time of one frame pass for all of them."""
        for player in (*self._mixers, *self._players):
            player.beat(now)
