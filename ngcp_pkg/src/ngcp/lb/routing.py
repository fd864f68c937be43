"""Our own Route, Record-Route and Path values (RFC 3261 §16.4, §16.6, RFC 3327, RFC 5658)."""

from typing import Final
from urllib.parse import unquote

from ngcp.lb.edge import Edge, address_of
from ngcp.net.udp import family_of
from ngcp.sip.errors import InvalidUri, SipError
from ngcp.sip.syntax.fields import NameAddr
from ngcp.sip.syntax.memory import remembered, remembered_with
from ngcp.sip.syntax.message import Request
from ngcp.sip.syntax.uri import Uri
from ngcp.sip.transport.flow import Flow, format_address

#: Requests that found a dialog, so that later ones must come by here (§12.1; RFC 6665 §4.5.2, RFC 3515).
DIALOG_FORMING: Final = frozenset({"INVITE", "SUBSCRIBE", "REFER"})

#: How a URI says the transport; secure WebSockets have no name of their own (RFC 7118 §5.2).
TRANSPORTS: Final = {
    "udp": "",
    "tcp": ";transport=tcp",
    "tls": ";transport=tls",
    "ws": ";transport=ws",
    "wss": ";transport=ws",
}


class RelayDenied(SipError):
    """A request from outside that wants to leave again: we are no open relay."""

    status = 403
    reason = "Relaying denied"


def take_own_routes(request: Request, edge: Edge) -> tuple[Uri | None, Uri | None]:
    """Take our own values off the top of the route set.

    Return the Path among them, which leads to a phone or only names a socket, and the Route after them.
    """
    path: Uri | None = None
    next_hop: Uri | None = None
    own = 0
    for value in request.all("route"):
        as_we_wrote_it = value.startswith(edge.prefixes)
        if not as_we_wrote_it or value.startswith("<sip:lb@"):
            uri = _read(value)
            if not edge.is_own(uri):
                next_hop = uri
                break
            if uri.user == "lb":
                path = path or uri
        own += 1
    request.drop_first("Route", own)
    return path, next_hop


def refuse_foreign_routes(request: Request, edge: Edge) -> Flow | None:
    """Let a request of the outside follow our own routes and those of a proxy, and no others (§16.4).

    Return the flow to the proxy that the next one names: it has the dialog. A host name on top is a name of
    ours: by resolving it the phone found us.
    """
    if "route" not in request:
        return None
    first = request.first("route")
    if first and not first.startswith(edge.prefixes) and family_of(address_of(_read(first))[0]) is None:
        request.pop_first("Route")
    _, next_hop = take_own_routes(request, edge)
    if next_hop is None:
        return None
    proxy = edge.dispatcher.destinations.get(address_of(next_hop))
    if proxy is None:
        raise RelayDenied(f"route to {next_hop}")
    return proxy.flow


@remembered
def _read(value: str) -> Uri:
    return NameAddr.parse(value, "Route").uri


def path_of(flow: Flow, edge: Edge, *, is_first_hop: bool) -> str:
    """Return the Path value that leads back over `flow`, which as a phone's first hop is all its way."""
    received = f"sip:{format_address(flow.remote)}"
    if flow.transport != "udp":
        received += f"%3Btransport%3D{flow.transport}"
    flags = "lr;ob" if is_first_hop else "lr"
    inside = format_address(edge.internal)
    return f"<sip:lb@{inside};{flags};socket={edge.public.name(flow)};received={received}>"


def flow_of_path(path: Uri, edge: Edge) -> Flow:
    """Return the flow that one of our Path values leads to."""
    return _flow_to(path.params.get("received") or "", path.params.get("socket") or "", edge)


@remembered_with
def _flow_to(received: str, socket: str, edge: Edge) -> Flow:
    received = unquote(received)
    uri = Uri.parse(received)
    remote = address_of(uri)
    flow = edge.public.flow(socket, remote)
    if flow is None or flow.transport != uri.transport:  # a socket that is no more: another may do
        flow = edge.public.flow(uri.transport, remote)
    if flow is None or family_of(flow.remote[0]) is None:
        raise InvalidUri(received)
    return flow


def record_route(request: Request, flow: Flow, edge: Edge, is_natted: bool = False) -> tuple[str, str]:
    """Return our public and our internal Record-Route value of one passage by the public `flow`."""
    params = f"r2=on;lr=on{_ftag(request)};ngcplb=yes;socket={edge.public.name(flow)}"
    if is_natted:
        params += ";nat=yes"
    public = format_address(flow.local) + TRANSPORTS[flow.transport]
    return f"<sip:{public};{params}>", f"<sip:{format_address(edge.internal)};{params}>"


def _ftag(request: Request) -> str:
    tag = request.from_.tag
    return f";ftag={tag}" if tag else ""
