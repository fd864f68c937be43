"""A call for one of our subscribers: where he is reached, in which order, and for how long."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ngcp.provisioning.patterns import find
from ngcp.provisioning.runtime import LocationMapping, Subscriber
from ngcp.proxy.call import Call, Onward, Routed
from ngcp.proxy.floor import Floor
from ngcp.proxy.refusals import refuse
from ngcp.sip.core.decision import Reply, Target
from ngcp.sip.syntax import Uri

from .access import LOCKED_ALL
from .blocks import barred_in
from .forwards import forward
from .location import bindings_of
from .media import with_media
from .origin import FROM_INSIDE
from .outbound import leave

Outcome = Routed | Reply | None
"""None: the call goes on with what waits."""


def ring(call: Call, floor: Floor) -> Outcome:
    """Call the subscriber who is the callee, or forward the call."""
    subscriber = call.callee.subscriber
    assert subscriber is not None, "only subscribers ring here"
    if subscriber.lock >= LOCKED_ALL:
        return refuse(call, "locked_in")
    if call.request.method == FROM_INSIDE:  # nobody calls
        return _fork(call, floor, subscriber)
    barred = barred_in(call, call.callee)
    if barred is not None:
        return barred
    if call.request.method not in ("INVITE", "MESSAGE"):
        return _fork(call, floor, subscriber)
    always = forward(call, "cfu" if call.request.method == "INVITE" else "cfs")
    if always:
        return always if isinstance(always, Reply) else None
    if call.callee.preferences.flag("dnd"):
        return _or_forward(call, "cfb", "callee_busy")
    return _fork(call, floor, subscriber)


def _or_forward(call: Call, kind: str, refusal: str) -> Outcome:
    taken = call.request.method == "INVITE" and forward(call, kind)
    if isinstance(taken, Reply):
        return taken
    return None if taken else refuse(call, refusal)


def _fork(call: Call, floor: Floor, subscriber: Subscriber) -> Outcome:
    """Ring all phones, those of location mappings included."""
    bindings = bindings_of(call, floor)
    mappings = [each for each in subscriber.locations if _applies(each, call, bool(bindings))]
    onwards = _onwards(call, mappings)
    if onwards:
        call.waiting = (*onwards, *call.waiting)
        return None
    if any(each.mode in ("replace", "forward") for each in mappings):
        bindings = []
    targets = [floor.edge.target(binding) for binding in bindings]
    targets += [_mapped(each, call, floor) for each in mappings]
    if not targets:
        return _or_forward(call, "cfna", "callee_offline")
    preferences = call.callee.preferences
    ordered = _in_order(targets, preferences.text("serial_forking_by_q_value"), floor)
    attempt = with_media(leave(call, floor, ordered, _patience(call, floor)), call, bindings)
    stops = {int(code) for code in preferences.all("stop_forking_code_lists") if code.isdigit()}
    if preferences.text("call_deflection") == "immediate":
        stops |= {301, 302}
    each = preferences.number("contact_ringtimeout")
    call.attempt = replace(attempt, each=each or attempt.each, stops=frozenset(stops))
    return Routed(call)


def _patience(call: Call, floor: Floor) -> float:
    """Return how long the callee may ring."""
    return min(call.callee.preferences.number("ringtimeout") or floor.ring_timeout, call.timeout)


def _applies(mapping: LocationMapping, call: Call, is_registered: bool) -> bool:
    if mapping.mode == "offline" and is_registered:
        return False
    caller = call.identity.npn or call.request.from_.uri.name
    patterns = ((mapping.caller_pattern, caller), (mapping.callee_pattern, call.uri.name))
    return all(not pattern or find(pattern, text) for pattern, text in patterns)


def _onwards(call: Call, mappings: Iterable[LocationMapping]) -> tuple[Onward, ...]:
    """Go to others of our subscribers as a call for them would; nobody pays for it but who calls."""
    uris = [_uri(each, call) for each in mappings if each.mode == "forward"]
    ours = [uri for uri in uris if uri.host in call.platform.domains]
    return tuple(Onward(uri, call.diversions, call.timeout) for uri in ours)


def _mapped(mapping: LocationMapping, call: Call, floor: Floor) -> Target:
    return Target(str(_uri(mapping, call)), floor.edge.main)


def _uri(mapping: LocationMapping, call: Call) -> Uri:
    uri = Uri.parse(mapping.location)
    if mapping.to_username:
        uri.user = mapping.to_username
    elif uri.user is None:
        uri.user = call.uri.user
    return uri


def _in_order(targets: Sequence[Target], forking: str | None, floor: Floor) -> tuple[Target, ...]:
    """Ring all at once, by q, or one by one in an order of chance in which q is the weight."""
    if forking == "standard" or len(targets) == 1:
        return tuple(targets)
    if forking != "probability":
        return tuple(replace(target, q=1.0) for target in targets)
    left, drawn = list(targets), []
    while left:
        mark, index = floor.draw() * sum(target.q for target in left), 0
        while index < len(left) - 1 and mark >= left[index].q:
            mark -= left[index].q
            index += 1
        drawn.append(left.pop(index))
    return tuple(replace(target, q=1.0 - place / 1000) for place, target in enumerate(drawn))
