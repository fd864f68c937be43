"""Peers that are asked by OPTIONS whether they live, and passed over while they do not answer (`probe`)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ngcp.provisioning.runtime import Peer
from ngcp.sip.core.forwarding import via_value
from ngcp.sip.syntax import Response
from ngcp.sip.transaction.matching import COOKIE
from ngcp.sip.transport import Flow

from .directory import Directory, Unknown
from .edge import Edge

_log = logging.getLogger(__name__)

#: How the branches of probes begin.
BRANCH: Final = f"{COOKIE}nq-"
#: Answers of the edge, or of a peer that cannot serve: no sign of life.
LIFELESS: Final = frozenset({408, 430, 478, 479})
#: Seconds until the peers are looked up again where memory did not know them.
SOON: Final = 1.0


@dataclass(frozen=True, slots=True)
class Probing:
    """How peers are probed."""

    interval: float = 10.0
    """Seconds between two probes of a peer."""
    failures: int = 3
    """Probes in a row without an answer after which a peer is passed over."""

    def __post_init__(self) -> None:
        if not 1 <= self.interval <= 3600:
            raise ValueError(f"interval is from 1 to 3600 seconds, not {self.interval:g}")
        if not 1 <= self.failures <= 100:
            raise ValueError(f"failures is from 1 to 100, not {self.failures}")


@dataclass(slots=True)
class _Health:
    name: str
    branch: str = ""
    """Of the probe that waits for its answer."""
    missed: int = 0


class Probes:
    """Writes probes and reads their answers."""

    def __init__(self, probing: Probing, directory: Directory, edge: Edge, ids: Callable[[], str]) -> None:
        self._probing = probing
        self._directory = directory
        self._edge = edge
        self._ids = ids
        self._health: dict[int, _Health] = {}
        self.due = 0.0
        """When `visit` wants to be called, in monotonic time."""

    def is_down(self, peer: Peer) -> bool:
        """Tell whether a peer missed so many probes that it is passed over."""
        health = self._health.get(peer.id)
        return health is not None and health.missed >= self._probing.failures

    def visit(self, now: float) -> list[tuple[bytes, Flow]]:
        """Return the probes that are due, and their ways."""
        if now < self.due:
            return []
        self.due = now + self._probing.interval
        try:
            platform = self._directory.platform()
        except Unknown as unknown:
            unknown.learn(lambda error: None)
            self.due = now + SOON
            return []
        peers = {peer.id: peer for group in platform.peer_groups for peer in group.peers if peer.is_probed}
        domain, before = next(iter(platform.domains), "anonymous.invalid"), self._health
        self._health = {number: before.get(number) or _Health(peer.name) for number, peer in peers.items()}
        return [self._write(peer, self._health[number], domain) for number, peer in peers.items()]

    def _write(self, peer: Peer, health: _Health, domain: str) -> tuple[bytes, Flow]:
        if health.branch:
            health.missed += 1
            if health.missed == self._probing.failures:
                _log.warning("peer %s does not answer: it is passed over", health.name)
        health.branch = f"{BRANCH}{peer.id}.{self._ids()}"
        target = self._edge.peer(peer, "")
        lines = [
            f"OPTIONS {target.uri} SIP/2.0",
            f"Via: {via_value(target.flow, health.branch)}",
            *(f"Route: {route}" for route in target.route),
            "Max-Forwards: 70",
            f"From: <sip:ping@{domain}>;tag={self._ids()}",
            f"To: <{target.uri}>",
            f"Call-ID: {self._ids()}@{domain}",
            "CSeq: 1 OPTIONS",
            "Content-Length: 0",
            "",
            "",
        ]
        return "\r\n".join(lines).encode(), target.flow

    def hear(self, response: Response) -> None:
        """Take an answer."""
        branch = response.via.branch
        health = next((each for each in self._health.values() if each.branch == branch), None)
        if health is None or response.status >= 500 or response.status in LIFELESS:
            return
        if health.missed >= self._probing.failures:
            _log.warning("peer %s answers again", health.name)
        health.branch, health.missed = "", 0
