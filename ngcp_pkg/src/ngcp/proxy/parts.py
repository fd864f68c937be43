"""What a `ProxyCore` is composed of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ngcp.sip.core.proxy import StatefulProxy

from .answers import Answers
from .batches import Spawn
from .corridor import Corridor
from .ledger import Ledger
from .locations import Locations
from .media import Media
from .passes import Passes
from .pings import Pings
from .probes import Probes


class Clock(NamedTuple):
    """Both times a proxy lives in."""

    monotonic: Callable[[], float]
    """Seconds, the loop's time: timers."""
    unix: Callable[[], float]
    """Seconds since 1970: registrations, nonces."""


class Signer(Protocol):
    """Something that signs what it hands out."""

    def rekey(self, secret: bytes, earlier: Sequence[bytes]) -> None:
        """Sign with another secret from now on; what `earlier` ones signed stays good."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a `ProxyCore` is composed of."""

    engine: StatefulProxy
    corridor: Corridor
    locations: Locations
    media: Media
    ledger: Ledger
    passes: Passes
    pings: Pings
    probes: Probes
    round: float
    """Seconds in which all bindings are visited once."""
    clock: Clock
    spawn: Spawn
    """Starts a coroutine."""
    answers: Answers
    signers: tuple[Signer, ...]
    """Who signs."""
