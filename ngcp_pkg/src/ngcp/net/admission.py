"""Who may be connected: slots in all and per address, and who gives his up when all are taken.

A connection is proven once a whole message has come over it. A flood of connections that say nothing can
therefore only push out its own kind: never a phone that has registered.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ngcp.sip.transport.flow import Flow


@dataclass(frozen=True, slots=True)
class Limits:
    """What the connections of one side of the daemon may take."""

    connections: int = 32_768
    """Connections at a time, over all transports and addresses of the side."""
    per_address: int = 256
    """Connections at a time from one IP address (an office behind one NAT)."""
    first_message: float = 10.0
    """Seconds from connecting, handshakes included, to the first whole message."""
    unfinished: float = 30.0
    """Seconds that the rest of a begun message may take."""
    idle: float = 3900.0
    """Seconds of silence; a phone that only refreshes hourly keeps its connection."""
    unsent: int = 256 * 1024
    """Bytes that may wait for a peer that does not read."""

    def __post_init__(self) -> None:
        for name in ("connections", "per_address", "first_message", "unfinished", "idle", "unsent"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")


class Occupant(Protocol):
    """Who holds a slot."""

    flow: Flow

    def close(self) -> None:
        """Hang up, and `release` the slot."""


class Admission:
    """The slots of one side."""

    def __init__(
        self,
        limits: Limits | None = None,
        counters: Counter[str] | None = None,
        welcomes: Callable[[str], bool] = lambda host: True,
    ) -> None:
        """Count in `counters` what was turned away.

        `welcomes` says whether an IP address may be connected at all: it is asked before a slot is given, and
        of everybody who has one every few seconds.
        """
        self.welcomes = welcomes
        self.limits = limits or Limits()
        self.counters: Counter[str] = Counter() if counters is None else counters
        self._taken = 0
        self._of: Counter[str] = Counter()
        self._unproven: OrderedDict[Occupant, None] = OrderedDict()

    @property
    def taken(self) -> int:
        """Slots in use."""
        return self._taken

    def admit(self, occupant: Occupant) -> bool:
        """Give a slot; if all are taken, that of whoever has been silent for longest."""
        host = occupant.flow.remote[0]
        is_full = self._taken >= self.limits.connections
        if not self.welcomes(host):
            self.counters["connections.banned"] += 1
            return False
        if self._of[host] >= self.limits.per_address or (is_full and not self.evict()):
            self.counters["connections.refused"] += 1
            return False
        self._of[host] += 1
        self._taken += 1
        self._unproven[occupant] = None
        return True

    def evict(self) -> bool:
        """Hang up on whoever has held a slot for longest without a whole message; False if nobody has."""
        if not self._unproven:
            return False
        oldest, _ = self._unproven.popitem(last=False)
        self.counters["connections.evicted"] += 1
        oldest.close()
        return True

    def prove(self, occupant: Occupant) -> None:
        """Let `occupant` keep its slot whoever else wants one."""
        self._unproven.pop(occupant, None)

    def release(self, occupant: Occupant) -> None:
        """Take back the slot of an admitted `occupant`."""
        self._unproven.pop(occupant, None)
        self._taken -= 1
        host = occupant.flow.remote[0]
        self._of[host] -= 1
        if not self._of[host]:
            del self._of[host]
