"""Our own Route, Record-Route and Path values (RFC 3261 §16.4, §16.6, RFC 3327, RFC 5658)."""

from typing import Final
from urllib.parse import unquote

from ngcp.lb.edge import Edge, address_of
from ngcp.net.udp import family_of
from ngcp.sip.errors import InvalidUri, SipError
from ngcp.sip.syntax.fields import NameAddr
from ngcp.sip.syntax.message import Request
from ngcp.sip.syntax.uri import Uri
from ngcp.sip.transport.flow import Flow, format_address

#: Requests that found a dialog, so that later ones must come by here (§12.1; RFC 6665 §4.5.2, RFC 3515).
DIALOG_FORMING: Final = frozenset({"INVITE", "SUBSCRIBE", "REFER"})


class RelayDenied(SipError):
    """A request from outside that wants to leave again: we are no open relay."""

    status = 403
    reason = "Relaying denied"


def take_own_routes(request: Request, edge: Edge) -> tuple[Uri | None, Uri | None]:
    """Take our own values off the top of the route set.

    Return the Path among them that leads to a phone, and the Route after them, the next hop.
    """
    path: Uri | None = None
    next_hop: Uri | None = None
    own = 0
    for value in request.all("route"):
        as_we_wrote_it = value.startswith(edge.prefixes)
        if not as_we_wrote_it or ";received=" in value:
            uri = _read(value)
            if not edge.is_own(uri):
                next_hop = uri
                break
            if "received" in uri.params:
                path = path or uri
        own += 1
    request.drop_first("Route", own)
    return path, next_hop


def refuse_foreign_routes(request: Request, edge: Edge) -> Flow | None:
    """Let a request of the outside follow our own routes and those of a proxy, and no others (§16.4).

    Return the flow to the proxy that the next one names: it has the dialog. A host name on top is a name of
    ours: by resolving it the phone found us.
    """
    first = request.first("route") if "route" in request else ""
    if first and not first.startswith(edge.prefixes) and family_of(address_of(_read(first))[0]) is None:
        request.pop_first("Route")
    _, next_hop = take_own_routes(request, edge)
    if next_hop is None:
        return None
    proxy = edge.dispatcher.destinations.get(address_of(next_hop))
    if proxy is None:
        raise RelayDenied(f"route to {next_hop}")
    return proxy.flow


def _read(value: str) -> Uri:
    return NameAddr.parse(value, "Route").uri


def path_of(flow: Flow, edge: Edge) -> str:
    """Return the Path value that leads back to the phone behind `flow`."""
    received = f"sip:{format_address(flow.remote)}"
    if flow.transport != "udp":
        received += f"%3Btransport%3D{flow.transport}"
    inside = format_address(edge.internal)
    return f"<sip:lb@{inside};lr;socket={edge.socket_name(flow.transport)};received={received}>"


def flow_of_path(path: Uri, edge: Edge) -> Flow:
    """Return the flow that one of our Path values leads to."""
    received = unquote(path.params.get("received") or "")
    uri = Uri.parse(received)
    flow = edge.outwards(uri.transport, address_of(uri))
    if flow is None or family_of(flow.remote[0]) is None:
        raise InvalidUri(received)
    return flow


def record_route(request: Request, transport: str, edge: Edge, is_natted: bool = False) -> tuple[str, str]:
    """Return our public and our internal Record-Route value of one passage by `transport`."""
    params = f"r2=on;lr=on{_ftag(request)};ngcplb=yes;socket={edge.socket_name(transport)}"
    if is_natted:
        params += ";nat=yes"
    public = format_address(edge.public[transport])
    suffix = "" if transport == "udp" else f";transport={transport}"
    return f"<sip:{public}{suffix};{params}>", f"<sip:{format_address(edge.internal)};{params}>"


def _ftag(request: Request) -> str:
    tag = request.from_.tag
    return f";ftag={tag}" if tag else ""
