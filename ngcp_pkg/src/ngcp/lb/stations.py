"""The stations of the corridor: each edits a request on its way across the edge, or decides its fate.

They are pure: what they know of the world is `Edge`. A `SipError` refuses the request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ngcp.lb import topology
from ngcp.lb.contact import check_bindings, mask_contact, mask_inner, require_contact, reveal, unmask
from ngcp.lb.edge import Edge, address_of
from ngcp.lb.headers import FROM_CALLERS, FROM_OUTSIDE, TO_OUTSIDE, keep_private
from ngcp.lb.loops import LoopDetected, check_loop, tell_passages
from ngcp.lb.routing import (
    DIALOG_FORMING,
    RelayDenied,
    flow_of_path,
    path_of,
    record_route,
    refuse_foreign_routes,
    take_own_routes,
)
from ngcp.lb.sanity import check_extensions, read_target
from ngcp.net.udp import family_of
from ngcp.sip.core.decision import Decision, Relay, Target
from ngcp.sip.errors import SipError
from ngcp.sip.syntax.message import Request
from ngcp.sip.syntax.uri import Uri
from ngcp.sip.transport.flow import Flow

#: What a proxy answers within 200 ms, if only with 100; other requests wait for the phone they are for.
PROMPT: Final = frozenset({"INVITE", "REGISTER"})


class FlowFailed(SipError):
    """The connection to the phone is gone (RFC 5626 §5.3.1)."""

    status = 430
    reason = "Flow Failed"


class Unresolvable(SipError):
    """A next hop that is no address of ours to reach."""

    status = 478
    reason = "Unresolvable Destination"


@dataclass(slots=True)
class Crossing:
    """A request on its way across the edge, and what the stations found out."""

    request: Request
    flow: Flow
    """The way it came."""
    next_hop: Uri | None = None
    """The topmost Route behind our own ones."""
    socket: str | None = None
    """The name of the socket to leave by, where the proxy wishes one."""
    target: Flow | None = None
    """The way it goes."""
    spares: tuple[Flow, ...] = ()
    """Who stands in if nobody answers there."""
    is_resolved: bool = False
    """Whether `target` is an address that the request names, not the flow of a phone we know."""
    is_natted: bool = False
    """Whether the phone, caller or callee, is elsewhere than it says."""
    record_route: tuple[str, ...] = ()
    hides_path: bool = False
    """Whether Via and Record-Route of the inside stay with us."""
    via_params: str = ""


Station = Callable[[Crossing, Edge], Decision | None]


# Inwards


def refuse_extensions(crossing: Crossing, edge: Edge) -> None:
    """Refuse what asks proxies for what we do not know (§16.3 step 5)."""
    check_extensions(crossing.request)


def unfold_routes(crossing: Crossing, edge: Edge) -> None:
    """Let a Route of ours become those of the inside that it stands for."""
    topology.unfold_routes(crossing.request, edge)


def follow_routes_inwards(crossing: Crossing, edge: Edge) -> None:
    """Take our Route values off; whatever else is named must be ours too: no open relay."""
    crossing.target = refuse_foreign_routes(crossing.request, edge)


def refuse_loop(crossing: Crossing, edge: Edge) -> None:
    """Refuse what comes back from outside (§16.3 step 4)."""
    check_loop(crossing.request, edge)


def refuse_foreign_target(crossing: Crossing, edge: Edge) -> None:
    """Let a phone name a domain, which is the proxy's to judge, or us; any other address is not ours to call.

    In a dialog it names the other phone only: every Contact it was told is one we masked. A party to a call
    has a signed Route; without this it could aim it at any address outside.
    """
    request = crossing.request
    address = read_target(request.uri)[1]
    if address is not None and address not in edge.hosts:
        raise RelayDenied(f"{request.uri} is not ours")
    if request.to.tag is None:
        return
    revealed = reveal(request.uri, edge)
    if revealed is None:
        raise RelayDenied(f"{request.uri} in a dialog")
    uri, flow = revealed
    if flow is not None and edge.is_internal(flow):
        request.uri = uri


def tell_source(crossing: Crossing, edge: Edge) -> None:
    """Replace what the outside says of itself by what we know of it."""
    request = crossing.request
    keep_private(request, FROM_CALLERS if request.to.tag is None else FROM_OUTSIDE)
    for name, value in _source_of(crossing.flow):
        request.append(name, value)
    crossing.is_natted = edge.nat.is_natted(crossing.flow, request.via, request.get("contact"))
    if crossing.is_natted:
        request.append("P-NGCP-Src-Nat", "1")


@lru_cache(4096)
def _source_of(flow: Flow) -> tuple[tuple[str, str], ...]:
    host, port = flow.remote
    return (
        ("P-NGCP-Src-Ip", host),
        ("P-NGCP-Src-Port", str(port)),
        ("P-NGCP-Src-Proto", flow.transport),
        ("P-NGCP-Src-Af", "6" if ":" in host else "4"),
    )


def add_path(crossing: Crossing, edge: Edge) -> None:
    """Let the registrar know the way back to the phone (RFC 3327)."""
    if crossing.request.method == "REGISTER":
        is_first_hop = len(crossing.request.all("via")) == 1
        crossing.request.prepend("Path", path_of(crossing.flow, edge, is_first_hop=is_first_hop))


def hide_contact(crossing: Crossing, edge: Edge) -> None:
    """Let the inside reach the phone by the flow it is behind; a registrar needs the Contact as it is."""
    request = crossing.request
    if request.method == "REGISTER":
        check_bindings(request)
    elif "contact" in request:
        mask_contact(request, crossing.flow, edge)
    else:
        require_contact(request)


def go_inwards(crossing: Crossing, edge: Edge) -> None:
    """Everything from outside goes to a proxy: who has the dialog, or else who has the Call-ID."""
    if crossing.target is None:
        crossing.target, *spares = edge.dispatcher.choose(crossing.request.call_id)
        crossing.spares = tuple(spares)
    if _forms_dialog(crossing.request):
        public, internal = record_route(crossing.request, crossing.flow, edge, crossing.is_natted)
        crossing.record_route = (internal, public)


# Outwards


def follow_routes_outwards(crossing: Crossing, edge: Edge) -> None:
    """Take our Route values off; a Path among them leads to its phone, or at least names the socket."""
    path, crossing.next_hop = take_own_routes(crossing.request, edge)
    if path is not None and "received" in path.params:
        crossing.target = flow_of_path(path, edge)
    elif path is not None:
        crossing.socket = path.params.get("socket")


def unmask_target(crossing: Crossing, edge: Edge) -> None:
    """Let a request for a masked Contact go to the phone that is behind it."""
    crossing.target = unmask(crossing.request, edge) or crossing.target


def resolve_target(crossing: Crossing, edge: Edge) -> None:
    """Without a Path or a masked Contact, the next hop is what Route or Request-URI say (§16.6 step 6)."""
    if crossing.target is not None:
        return
    uri = crossing.next_hop or Uri.parse(crossing.request.uri)
    address = address_of(uri)
    flow = edge.public.flow(crossing.socket or uri.transport, address)
    if flow is None or family_of(address[0]) is None:
        raise Unresolvable(str(uri))
    crossing.target = flow
    crossing.is_resolved = True


def check_target(crossing: Crossing, edge: Edge) -> None:
    """Refuse what would come back to us, would reach the inside, or needs a connection that is gone."""
    assert crossing.target is not None, "resolve_target stands before"
    host = crossing.target.remote[0]
    if crossing.target.remote in edge.own:
        raise LoopDetected(f"{crossing.target.remote} is ourselves")
    is_proxy = crossing.target.remote in edge.dispatcher.destinations
    if is_proxy or (crossing.is_resolved and edge.is_inside(host)):
        raise RelayDenied(f"{crossing.target.remote} is inside")
    may_open = crossing.is_resolved and crossing.target.transport == "tcp"
    if crossing.target.is_reliable and not may_open and not edge.is_connected(crossing.target):
        raise FlowFailed(f"no connection with {crossing.target.remote}")


def go_outwards(crossing: Crossing, edge: Edge) -> None:
    """Leave nothing internal in the request and stay in the dialog's way."""
    assert crossing.target is not None, "resolve_target stands before"
    request = crossing.request
    keep_private(request, TO_OUTSIDE)
    if _forms_dialog(crossing.request):
        natted = edge.nat.leads_inside(request.uri, crossing.target.remote)
        crossing.record_route = record_route(request, crossing.target, edge, natted)


def hide_inside(crossing: Crossing, edge: Edge) -> None:
    """Let the phone see one Record-Route and one Via, both ours; what they stand for comes back to us."""
    if not edge.hiding.is_on:
        return
    assert crossing.target is not None, "resolve_target stands before"
    request = crossing.request
    mask_inner(request, crossing.target, edge)
    if crossing.record_route:
        crossing.record_route = (topology.fold(crossing.record_route[0], request.all("record-route"), edge),)
    crossing.hides_path = True
    crossing.via_params = tell_passages(request, edge)


def relay(crossing: Crossing, edge: Edge) -> Decision:
    """Send it."""
    assert crossing.target is not None, "every way here sets a target"
    target = Target(crossing.request.uri, crossing.target, via_params=crossing.via_params)
    if crossing.spares:
        target.spares = crossing.spares
        if crossing.request.method in PROMPT:
            target.patience = edge.dispatcher.patience
    return Relay(crossing.request, (target,), crossing.record_route, hides_path=crossing.hides_path)


def _forms_dialog(request: Request) -> bool:
    return request.method in DIALOG_FORMING and request.to.tag is None
