"""Requests that come back: a spiral may pass, a loop may not (RFC 3261 §16.3 step 4, RFC 5393).

What §16.6 step 8 would hash into our branch is still there, in the transaction of that branch: a request that
carries a Via of ours is compared with the one that left under it. The usual request carries none.
"""

from typing import Final

from ngcp.lb.edge import Edge
from ngcp.sip.core.proxy import Incoming
from ngcp.sip.errors import SipError
from ngcp.sip.syntax.fields import Via
from ngcp.sip.syntax.message import Request
from ngcp.sip.transport.flow import Address, parse_host

#: How often a request may leave us and come back by the public side, each time to somebody else: the backstop
#: for loops whose earlier rounds this process does not know.
SPIRALS: Final = 2

#: Parameter of our Via: for how many of ours that stayed with us it stands (`topology`).
PASSAGES: Final = "ngcplb"
#: Via values of a call that never left: the phone's, ours inside, the proxy's.
OF_A_CALL: Final = 3


class LoopDetected(SipError):
    """A request that came back as it was."""

    status = 482
    reason = "Loop Detected"


def check_loop(request: Request, edge: Edge) -> None:
    """Refuse a request of the outside that is here again unchanged, or too often."""
    own = _own_vias(request, edge)
    if not own:
        return
    if _count(own, edge) > SPIRALS:
        raise LoopDetected(f"{request.uri} passed {len(own)} times")
    earlier = _origin(request, edge)
    while earlier is not None:
        if not edge.is_internal(earlier.flow) and _is_same(earlier.request, request):
            raise LoopDetected(f"{request.uri} is here already")
        earlier = _origin(earlier.request, edge)


def tell_passages(request: Request, edge: Edge) -> str:
    """Return the parameter that says for how many Via values of ours our next one stands, if any."""
    if len(request.all("via")) <= OF_A_CALL:
        return ""
    passages = _count(_own_vias(request, edge), edge)
    return f";{PASSAGES}={passages}" if passages else ""


def _count(own: list[Via], edge: Edge) -> int:
    """Return how often a request went out: our Via values, and those that they stand for."""
    passages = 0
    for via in own:
        if _sent_by(via) in edge.public.addresses:
            hidden = via.params.get(PASSAGES) or ""
            passages += 1 + (int(hidden) if hidden.isascii() and hidden.isdigit() and len(hidden) < 4 else 0)
    return passages


def _own_vias(request: Request, edge: Edge) -> list[Via]:
    """Return those Vias below the topmost one that name us."""
    values = request.all("via")
    if len(values) == 1:
        return []
    sockets = edge.own
    hosts = {host for host, _ in sockets}
    likely = [value for value in values[1:] if any(host in value for host in hosts)]
    return [via for via in map(Via.parse, likely) if _sent_by(via) in sockets]


def _origin(request: Request, edge: Edge) -> Incoming | None:
    """Return how a request came in when it passed last; each such passage is older than the one after it."""
    origins = (edge.origin(via.branch, request.method) for via in _own_vias(request, edge))
    return next((origin for origin in origins if origin is not None), None)


def _is_same(one: Request, other: Request) -> bool:
    """Compare what decides where a request goes; its own Route values are off already."""
    return (one.uri, one.call_id, one.cseq, one.from_.tag, one.to.tag, one.all("route")) == (
        other.uri,
        other.call_id,
        other.cseq,
        other.from_.tag,
        other.to.tag,
        other.all("route"),
    )


def _sent_by(via: Via) -> Address:
    host, port = via.sent_by
    return parse_host(host), port
