"""The way of a request through the load-balancer: the stations in their order, to one decision.

What arrives on the public side goes inwards and nowhere else; what arrives on the internal side goes out.
"""

from typing import Final

from ngcp.lb import stations
from ngcp.lb.edge import Edge
from ngcp.lb.stations import Crossing, Station
from ngcp.sip.core.decision import Decision
from ngcp.sip.syntax.message import Request
from ngcp.sip.transport.flow import Flow

INWARDS: Final[tuple[Station, ...]] = (
    stations.refuse_extensions,
    stations.unfold_routes,
    stations.follow_routes_inwards,
    stations.refuse_loop,
    stations.refuse_foreign_target,
    stations.tell_source,
    stations.add_path,
    stations.hide_contact,
    stations.go_inwards,
    stations.relay,
)
#: Where a request from inside goes.
LOCATING: Final[tuple[Station, ...]] = (
    stations.follow_routes_outwards,
    stations.unmask_target,
    stations.resolve_target,
    stations.check_target,
)
OUTWARDS: Final[tuple[Station, ...]] = (
    *LOCATING,
    stations.go_outwards,
    stations.hide_inside,
    stations.relay,
)


def decide(request: Request, flow: Flow, edge: Edge) -> Decision:
    """Return what becomes of a request that came by `flow`, or raise the `SipError` that refuses it."""
    crossing = Crossing(request, flow)
    for station in OUTWARDS if edge.is_internal(flow) else INWARDS:
        decision = station(crossing, edge)
        if decision is not None:
            return decision
    raise AssertionError("the last station decides")


def locate(request: Request, flow: Flow, edge: Edge) -> Flow:
    """Return the flow by which a request from inside would leave, or raise the `SipError` that refuses it."""
    crossing = Crossing(request, flow)
    for station in LOCATING:
        station(crossing, edge)
    assert crossing.target is not None, "resolve_target sets one"
    return crossing.target
