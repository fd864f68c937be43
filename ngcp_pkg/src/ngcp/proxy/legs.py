"""The legs of a call: from the caller to the callee, or to who forwards it, and from there on.

Each leg moves the counters of both its ends; the platform's names of them are in `ngcp.state.layout`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from ngcp.provisioning.runtime import NO_PREFERENCES, Peer, Platform, Preferences, Subscriber
from ngcp.sip.syntax import Uri
from ngcp.state.layout import TOTAL

from .applications import is_application
from .call import Call


class Place(Enum):
    """Who has as many calls as he may."""

    CALLER = "caller"
    FORWARDER = "forwarder"
    CALLEE = "callee"
    PEER = "peer"


#: In which words a call is refused to who has as many as he may (`refusals`).
FULL: Final = {
    Place.CALLER: "max_calls_out",
    Place.FORWARDER: "max_calls_in",
    Place.CALLEE: "max_calls_in",
    Place.PEER: "max_calls_peer",
}


class Limit(NamedTuple):
    """How many calls a counter may count."""

    counter: str
    minus: str | None
    """Calls of that counter do not count: incoming ones are all but the outgoing ones."""
    most: int
    place: Place


@dataclass(frozen=True, slots=True)
class End:
    """Who is at an end of a leg: one of ours, a peer, or, with neither, somebody else."""

    subscriber: Subscriber | None = None
    peer: Peer | None = None
    preferences: Preferences = NO_PREFERENCES
    counts: bool = True
    """Whether the leg is counted for him."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One stretch of a call."""

    caller: End
    callee: End
    kind: str
    """Why it is there: `call`, or the forward that made it: cfu, cfb, cft, cfna, cfr, cfo, …."""
    dialed: str
    """The URI that was called on it."""
    reached: str
    """The same as our rules have it: whose number it is, and what it costs."""
    is_last: bool = False


#: Attribute after `concurrent_max`, whether applications count, whether only one direction does.
_LIMITS: Final = tuple(
    (f"{direction}{scope}", bool(scope), direction)
    for scope in ("", "_total")
    for direction in ("", "_out", "_in")
)
_PER_ACCOUNT: Final = tuple(
    (f"{direction}_per_account", False, direction) for direction in ("", "_out", "_in")
)
_ATTRIBUTES: Final = frozenset(f"concurrent_max{name}" for name, *_ in (*_LIMITS, *_PER_ACCOUNT))


def legs_of(call: Call) -> list[Leg]:
    """Return the legs of a call with its present attempt, the caller's first."""
    caller = call.caller
    near = End(caller.subscriber, caller.peer, caller.preferences)
    party = call.attempt.party if call.attempt else call.callee
    legs: list[Leg] = []
    kind, dialed = "call", call.request.uri
    for diversion in call.diversions:
        dialed = diversion.uri if legs else dialed
        preferences = call.platform.preferences_of(diversion.subscriber)
        # Forwarded because he has as many calls as he may: he has no part in this one.
        has_part = diversion.kind != "cfo"
        forwarder = End(diversion.subscriber, None, preferences, has_part)
        legs.append(Leg(near, forwarder, kind, dialed, diversion.uri))
        is_one = preferences.flag("count_callforward_as_one")
        near = End(diversion.subscriber, None, preferences, has_part and not is_one)
        kind = diversion.kind
    if legs:
        dialed = str(call.uri)
    far = End(party.subscriber, party.peer, party.preferences)
    legs.append(Leg(near, far, kind, dialed, str(call.uri), True))
    return legs


def counters_of(legs: Sequence[Leg], uri: Uri) -> list[str]:
    """Return the counters that a call to `uri` moves, each once for each leg that moves it.

    What ends on the node itself, at the voicebox or the like, is in totals only.
    """
    moved, scopes = [TOTAL], ("total",) if is_application(uri.host) else ("total", "")
    for leg in legs:
        keys = [*_keys(leg.caller, scopes, True), *_keys(leg.callee, scopes, False)]
        moved += dict.fromkeys(keys)  # within one customer a call is one call
    return moved


def _keys(end: End, scopes: Sequence[str], calls: bool) -> Iterator[str]:
    if not end.counts:
        return
    if end.peer is not None:
        yield f"peer:{end.peer.id}"
        if not calls:  # what we send to a peer goes out
            yield f"peerout:{end.peer.id}"
    for kind, number in _owners(end):
        for scope in scopes:
            yield f"{scope}{kind}:{number}"
            if calls:
                yield f"{scope}{kind}out:{number}"


def _owners(end: End) -> Iterator[tuple[str, str | int]]:
    subscriber = end.subscriber
    if subscriber is None:
        return
    yield "user", subscriber.uuid
    if subscriber.account_id is not None:
        yield "account", subscriber.account_id
    if subscriber.reseller_id is not None:
        yield "reseller", subscriber.reseller_id


def limits_of(legs: Sequence[Leg], platform: Platform) -> Iterator[Limit]:
    """Yield what is allowed to those who count a call."""
    for index, leg in enumerate(legs):
        if leg.caller.counts:
            yield from _limits(leg.caller, platform, Place.FORWARDER if index else Place.CALLER)
        if leg.callee.counts:
            yield from _limits(leg.callee, platform, Place.CALLEE if leg.is_last else Place.FORWARDER)


def _limits(end: End, platform: Platform, place: Place) -> Iterator[Limit]:
    if end.peer is not None:
        at = Place.PEER if place is Place.CALLEE else place
        yield from _read(end.preferences, _LIMITS[:3], "peer", end.peer.id, at)
    subscriber = end.subscriber
    if subscriber is None:
        return
    yield from _read(end.preferences, _LIMITS, "user", subscriber.uuid, place)
    if subscriber.account_id is not None:
        own = Preferences((subscriber.contract_preferences,))
        yield from _read(own, _LIMITS, "account", subscriber.account_id, place)
        yield from _read(end.preferences, _PER_ACCOUNT, "account", subscriber.account_id, place)
    reseller = platform.resellers.get(subscriber.reseller_id or 0)
    if reseller is not None:
        yield from _read(Preferences((reseller,)), _LIMITS, "reseller", subscriber.reseller_id or 0, place)


def _read(
    preferences: Preferences,
    table: Sequence[tuple[str, bool, str]],
    kind: str,
    number: str | int,
    place: Place,
) -> Iterator[Limit]:
    if all(layer.keys().isdisjoint(_ATTRIBUTES) for layer in preferences.layers):
        return  # as most
    for name, is_total, direction in table:
        most = preferences.number(f"concurrent_max{name}")
        if most is None:
            continue
        scope = "total" if is_total else ""
        every, out = f"{scope}{kind}:{number}", f"{scope}{kind}out:{number}"
        if direction == "_out":
            yield Limit(out, None, most, place)
        else:
            yield Limit(every, out if direction == "_in" else None, most, place)


def longest(legs: Sequence[Leg], default: float) -> float:
    """Return how many seconds a call may last: what the strictest of those concerned says."""
    allowed = [default]
    for end in {id(end): end for leg in legs for end in (leg.caller, leg.callee)}.values():
        layers = [end.preferences]
        if end.subscriber is not None:
            layers.append(Preferences((end.subscriber.contract_preferences,)))
        allowed += [number for layer in layers if (number := layer.number("max_call_duration"))]
    return min(allowed)
