"""Which peers take a call, and which peer a call is from: pure choices among `Platform.peer_groups`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from ngcp.provisioning.patterns import find
from ngcp.provisioning.runtime import InboundRule, Peer, PeerGroup, PeerGroups, PeerRule


class Route(NamedTuple):
    """A peer, and the group that it is in."""

    group: PeerGroup
    peer: Peer


@dataclass(frozen=True, slots=True)
class Wanted:
    """What peers are chosen by."""

    number: str
    """Whom the call is for: the user part of the callee's URI."""
    callee_uri: str
    caller_uri: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A call from a peer's address that none of its rules accepts."""

    status: int
    reason: str


def routes(groups: Iterable[PeerGroup], wanted: Wanted, draw: Callable[[], float]) -> tuple[Route, ...]:
    """Return the peers to try, in order; `draw` gives random numbers from 0 up to 1.

    The longest callee prefix comes first, then the group's priority, then chance, by weight. A stopper keeps
    out the rules of shorter prefixes.
    """
    known = groups if isinstance(groups, PeerGroups) else PeerGroups(groups)
    matches = [
        ((-len(rule.callee_prefix), group.priority), rule.is_stopper, group)
        for group, rule in known.rules_for(wanted.number)
        if _takes(rule, wanted)
    ]
    matches.sort(key=itemgetter(0))
    shortest = next((length for (length, _), is_stopper, _ in matches if is_stopper), 0)
    found: dict[int, Route] = {}
    for (length, _), alike in groupby(matches, key=itemgetter(0)):
        if length <= shortest:
            peers = {peer.id: Route(group, peer) for _, _, group in alike for peer in group.peers}
            for route in _by_weight([route for route in peers.values() if route.peer.id not in found], draw):
                found[route.peer.id] = route
    return tuple(found.values())


def origin(groups: Iterable[PeerGroup], ip: str, fields: Mapping[str, str]) -> Route | Rejected | None:
    """Return the peer that a call from `ip` is of, None if that is no peer's address.

    `fields` are what inbound rules look at: `from_user`, `ruri_uri` and so on. Groups with rules are asked
    before those that take whatever comes.
    """
    here = [Route(group, peer) for group in groups for peer in group.peers if peer.ip == ip]
    rejected: Rejected | None = None
    for route in here:
        for rule in route.group.inbound_rules:
            if find(rule.pattern, fields.get(rule.field, "")):
                return route
            rejected = rejected or _rejection(rule)
    return rejected or next((route for route in here if not route.group.inbound_rules), None)


def _takes(rule: PeerRule, wanted: Wanted) -> bool:
    return (not rule.callee_pattern or find(rule.callee_pattern, wanted.callee_uri) is not None) and (
        not rule.caller_pattern or find(rule.caller_pattern, wanted.caller_uri) is not None
    )


def _by_weight(routes: Sequence[Route], draw: Callable[[], float]) -> Iterable[Route]:
    """Yield each route once; the chance to be next is its weight among those left, none if that is 0."""
    left = list(routes)
    while left:
        weights = [route.peer.weight for route in left]
        mark, index = draw() * sum(weights), 0
        while index < len(left) - 1 and mark >= weights[index]:
            mark -= weights[index]
            index += 1
        if not any(weights):
            index = 0
        yield left.pop(index)


def _rejection(rule: InboundRule) -> Rejected | None:
    return None if rule.reject_code is None else Rejected(rule.reject_code, rule.reject_reason or "")
