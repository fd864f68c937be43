"""Topology hiding: what phones see of a call names nobody but themselves and our public side.

Via values of the inside stay here with the transaction. Of a Record-Route stack one value of ours goes out,
with the rest folded into its parameter `ngcprr`; in requests of the dialog it unfolds into Routes again.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from ngcp.lb.contact import mask_inner
from ngcp.lb.edge import Edge
from ngcp.lb.routing import DIALOG_FORMING
from ngcp.sip.core.proxy import Incoming
from ngcp.sip.syntax.message import Message, Request, Response
from ngcp.sip.transport.flow import format_address

PARAMETER: Final = "ngcprr"
_MARK: Final = f";{PARAMETER}="
#: Headers that are between registrar, proxies and us (RFC 3327, RFC 3608), or name who complains (§20.43).
_INNER: Final = frozenset({"path", "service-route", "warning"})


def fold(own: str, routes: Iterable[str], edge: Edge) -> str:
    """Return our public Record-Route value `own`, standing for all `routes`, the next hop behind us first."""
    short: list[str] = []
    for is_own, group in groupby(routes, lambda value: value.startswith(edge.prefixes)):
        short += [""] if is_own else group
    token = edge.hiding.routes.close("\n".join(short))
    return f"{own[:-1].replace('r2=on;', '', 1)}{_MARK}{token}>"


def unfold_routes(request: Request, edge: Edge) -> None:
    """Put the Routes that a folded one stands for into its place; raises `ForgedToken`."""
    if "route" not in request:
        return
    routes = request.all("route")
    for index, route in enumerate(routes):
        if _MARK in route:
            text = edge.hiding.routes.open(route.partition(_MARK)[2].partition(">")[0])
            behind = [value or _inner_route(edge) for value in text.split("\n")] if text else []
            replace(request, "Route", [*routes[:index], *behind, *routes[index + 1 :]])
            return


def restore_record_route(response: Response, request: Request, edge: Edge) -> None:
    """Let a callee's response name the whole stack again: `request` is what came from inside."""
    if "record-route" not in response:
        return
    routes = response.all("record-route")
    for index, route in enumerate(routes):
        if _MARK in route and route.startswith(edge.prefixes):
            behind = [_inner_route(edge), *request.all("record-route")]
            replace(response, "Record-Route", [*routes[:index], *behind, *routes[index + 1 :]])
            return


def fold_record_route(response: Response, request: Request, edge: Edge) -> None:
    """Show the caller one value of ours, and below it what its own side recorded in `request` (RFC 5658)."""
    if "record-route" not in response:
        return
    recorded = response.all("record-route")
    outer = request.all("record-route")
    inner = recorded[: len(recorded) - len(outer)]
    forms_dialog = request.method in DIALOG_FORMING and request.to.tag is None
    if response.status >= 300 or not forms_dialog or not inner or not inner[-1].startswith(edge.prefixes):
        response.remove("Record-Route")
        return
    replace(response, "Record-Route", [fold(inner[-1], reversed(inner[:-1]), edge), *outer])


def show_outside(response: Response, incoming: Incoming, edge: Edge) -> None:
    """Edit the response to a request that came from outside."""
    request = incoming.request
    if not edge.hiding.is_on:
        response.remove("Path")
        return
    fold_record_route(response, request, edge)
    if request.method != "REGISTER":
        mask_inner(response, incoming.flow, edge)
    if not _INNER.isdisjoint(response.shape):
        response.remove("Path")
        response.remove("Service-Route")
        warnings = response.all("warning")
        replace(response, "Warning", [text for text in warnings if not _is_from_inside(text, edge)])
    if "server" in response and response.status not in (
        401,
        407,
    ):  # those are the platform's fingerprint
        name = response.get("server")
        if name in edge.hiding.inner_servers:
            response.set("Server", edge.hiding.server)


def replace(message: Message, name: str, values: Sequence[str]) -> None:
    """Let `name` have these values."""
    if values:
        message.set(name, ", ".join(values))
    else:
        message.remove(name)


def _is_from_inside(warning: str, edge: Edge) -> bool:
    """Whether the warn-agent, the second word, is the address of an element of the inside (§20.43)."""
    agent = warning.split(" ", 2)[1] if " " in warning else ""
    host = agent.rpartition(":")[0] if agent.count(":") == 1 else agent
    return edge.is_inside(host.strip("[]"))


def _inner_route(edge: Edge) -> str:
    """Return a Route back to us for those inside."""
    return f"<sip:{format_address(edge.internal)};lr=on;ngcplb=yes>"
