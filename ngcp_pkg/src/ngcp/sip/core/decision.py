"""What is to become of one request: the value that a daemon's corridor returns (RFC 3261 §16.5)."""

import math
from dataclasses import dataclass

from ..syntax.message import Request
from ..transport.flow import Flow


@dataclass(slots=True)
class Target:
    """Where one branch goes (§16.5)."""

    uri: str
    """The Request-URI of the branch."""
    flow: Flow
    """The next hop: its `local` address also becomes the sent-by of our Via."""
    route: tuple[str, ...] = ()
    """Route values to put before those that the request has, the next hop first."""
    q: float = 1.0
    """Targets of equal q ring together; those of lower q are tried once all before them failed (§16.6)."""
    spares: tuple[Flow, ...] = ()
    """Next hops that can take this one's place, one after the other, as long as the answer is 503 (§16.7)."""
    patience: float = 0.0
    """Seconds without any response after which this counts as 503; 0: wait as the transaction does."""
    via_params: str = ""
    """Parameters of our Via beside `branch`, each with its semicolon."""


@dataclass(slots=True)
class Relay:
    """Forward the request to its targets and bring one answer back (§16.6, §16.7)."""

    request: Request
    """The request as the corridor edited it: our own Route is gone, Max-Forwards is as received.

    Via, From, To, Call-ID and CSeq of `Incoming.request` must stay as received: our own answers copy them.
    A copy may have another From and To, with the same tags; then the daemon restores them in the responses.
    """
    targets: tuple[Target, ...]
    """At least one."""
    record_route: tuple[str, ...] = ()
    """Record-Route values to put on top, in this order."""
    timer_c: float = 180.0
    """Seconds that an INVITE may ring after its last answer until it is cancelled (§16.6 step 11)."""
    limit: float = math.inf
    """Seconds that all branches may take together, whatever they answer."""
    stops: frozenset[int] = frozenset()
    """Failures of one branch that end them all, as any 6xx does."""
    hides_path: bool = False
    """Whether Via and Record-Route as received stay here; of the responses, Via is put back."""

    def __post_init__(self) -> None:
        if not self.targets:
            raise ValueError("a Relay needs a target")


@dataclass(slots=True)
class Reply:
    """Answer the request ourselves; a challenge is a reply too (§16.3, §8.2.6)."""

    status: int
    reason: str | None = None
    """None: the usual phrase."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names and values to add."""


@dataclass(slots=True)
class Drop:
    """Forget the request without an answer."""


Decision = Relay | Reply | Drop
