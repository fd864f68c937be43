"""The proxies behind the load-balancer: who gets a call, who stands in for whom, who is out of order.

By rendezvous hashing each Call-ID gives every proxy a score, and the highest has the call: a proxy that
leaves the set moves its own calls only. Nothing is kept per call; the order of recent Call-IDs is remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from math import log
from typing import Final

from ngcp.lb.config import Dispatching, Proxy
from ngcp.sip.errors import SipError
from ngcp.sip.syntax.memory import remembered
from ngcp.sip.transport.flow import Address, Flow, format_address

#: Seconds between two probes where the configuration leaves it to us and there are several proxies.
DEFAULT_PROBE_INTERVAL: Final = 5.0


class NoProxy(SipError):
    """No proxy of the set is in order (§21.5.4)."""

    status = 503
    reason = "No Proxy Available"


class State(Enum):
    """What becomes of a proxy, by the letters of Kamailio's dispatcher."""

    ACTIVE = "A"
    TRYING = "T"
    """In use, though its last answers did not come."""
    INACTIVE = "I"
    """Not used until enough probes were answered."""
    DISABLED = "D"
    """Not used until an operator says so."""


@dataclass(slots=True, eq=False)
class Destination:
    """One proxy and how it stands."""

    proxy: Proxy
    flow: Flow
    state: State
    failures: int = 0
    """In a row."""
    successes: int = 0
    """In a row, while inactive."""

    @property
    def is_used(self) -> bool:
        """Whether it may get calls."""
        return self.state is State.ACTIVE or self.state is State.TRYING


class Dispatcher:
    """The dispatch set."""

    def __init__(self, internal: Address, proxies: Sequence[Proxy], dispatching: Dispatching) -> None:
        """Reach the `proxies` from our socket `internal`."""
        self._internal = internal
        self._dispatching = dispatching
        self.destinations: dict[Address, Destination] = {}
        """By address; the disabled ones too."""
        self.hosts: frozenset[str] = frozenset()
        self.replace(proxies)

    @property
    def patience(self) -> float:
        """Seconds that a proxy may be silent if another can stand in for it."""
        return self._dispatching.patience

    @property
    def probe_interval(self) -> float:
        """Seconds between two probes of a proxy, 0 without probes: one that is alone is used in any state."""
        interval = self._dispatching.probe_interval
        if interval is None:
            return DEFAULT_PROBE_INTERVAL if len(self.destinations) > 1 else 0.0
        return interval

    def replace(self, proxies: Sequence[Proxy]) -> None:
        """Take another set; a proxy that was in the old one keeps its state."""
        before, self.destinations = self.destinations, {}
        for proxy in proxies:
            known = before.get(proxy.socket)
            state = State.ACTIVE if proxy.enabled else State.DISABLED
            if known is not None and known.proxy.enabled == proxy.enabled:
                state = known.state
            flow = Flow("udp", self._internal, proxy.socket)
            self.destinations[proxy.socket] = Destination(proxy, flow, state)
        self.hosts = frozenset(host for host, _ in self.destinations)
        self._settle()

    def choose(self, call_id: str) -> tuple[Flow, ...]:
        """Return the flows to the proxies in use, the one that has this Call-ID first, or raise `NoProxy`."""
        if len(self._used) > 1:
            return self._order(call_id)
        if not self._used:
            raise NoProxy("every proxy is out of order")
        return self._only

    def _settle(self) -> None:
        """Work out what calls rest upon; the set or a state has changed."""
        self._used = [destination for destination in self.destinations.values() if destination.is_used]
        self._only = tuple(destination.flow for destination in self._used)
        self._order = remembered(self._rank)

    def _rank(self, call_id: str) -> tuple[Flow, ...]:
        ranked = sorted(self._used, key=lambda destination: -_score(destination.proxy, call_id))
        return tuple(destination.flow for destination in ranked)

    # How they stand

    def note_success(self, destination: Destination) -> None:
        """Learn that a probe was answered."""
        destination.failures = 0
        if destination.state is State.TRYING:
            self.set_state(destination, State.ACTIVE)
        elif destination.state is State.INACTIVE:
            destination.successes += 1
            if destination.successes >= self._dispatching.up_after:
                self.set_state(destination, State.ACTIVE)

    def note_failure(self, destination: Destination) -> None:
        """Learn that a probe or call got no answer; without probes nobody would learn that it is back."""
        if not self.probe_interval or not destination.is_used:
            destination.successes = 0
            return
        destination.failures += 1
        is_down = destination.failures >= self._dispatching.down_after
        self.set_state(destination, State.INACTIVE if is_down else State.TRYING)

    def set_state(self, destination: Destination, state: State) -> None:
        """Let a proxy be in another state."""
        if state is not destination.state:
            was_used = destination.is_used
            destination.state, destination.successes = state, 0
            if state is State.ACTIVE:
                destination.failures = 0
            if destination.is_used is not was_used:
                self._settle()


def _score(proxy: Proxy, call_id: str) -> float:
    """Draw from what is the same in every process and after every restart; expect more for more weight."""
    text = f"{format_address(proxy.socket)} {call_id}".encode("utf-8", "surrogateescape")
    drawn = int.from_bytes(blake2b(text, digest_size=6).digest()) + 1
    return -proxy.weight / log(drawn / (2**48 + 1))
