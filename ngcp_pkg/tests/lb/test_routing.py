"""Path, Route and Record-Route values of our own, as tables (RFC 3261 §16.4, §16.6, RFC 3327)."""

import pytest

from ngcp.lb.config import Configuration, Internal, Proxy, Public
from ngcp.lb.edge import Edge
from ngcp.lb.routing import flow_of_path, path_of, record_route, take_own_routes
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr, Request
from ngcp.sip.transport.flow import Flow


def make_edge(public: str, internal: str = "127.0.0.1") -> Edge:
    configuration = Configuration(Public(public), Internal(internal), (Proxy(internal, 5062),))
    return Edge.of(configuration, bytes(32), lambda flow: True)


V4, V6 = make_edge("192.0.2.1"), make_edge("2001:db8::1", "::1")


@pytest.mark.parametrize(
    ("edge", "flow", "path"),
    [
        (
            V4,
            Flow("udp", ("192.0.2.1", 5060), ("198.51.100.7", 40000)),
            "<sip:lb@127.0.0.1:5060;lr;socket=udp:192.0.2.1:5060;received=sip:198.51.100.7:40000>",
        ),
        (
            V6,
            Flow("tcp", ("2001:db8::1", 5060), ("2001:db8::7", 40000)),
            "<sip:lb@[::1]:5060;lr;socket=tcp:[2001:db8::1]:5060;received=sip:[2001:db8::7]:40000%3Btransport%3Dtcp>",
        ),
    ],
)
def test_a_path_leads_back_to_its_flow(edge: Edge, flow: Flow, path: str) -> None:
    assert path_of(flow, edge, is_first_hop=False) == path
    assert path_of(flow, edge, is_first_hop=True) == path.replace(";lr;", ";lr;ob;")

    request = Request("INVITE", "sip:x@h", [f"Route: {path}"])
    found, next_hop = take_own_routes(request, edge)

    assert found is not None
    assert flow_of_path(found, edge) == flow
    assert (next_hop, "Route" in request) == (None, False)


@pytest.mark.parametrize("received", ["nonsense", "sip:host.example.org", "sip:192.0.2.7%3Btransport%3Dsctp"])
def test_a_path_that_leads_nowhere_is_an_error(received: str) -> None:
    route = NameAddr.parse(f"<sip:lb@127.0.0.1;lr;received={received}>").uri

    with pytest.raises(SipError):
        flow_of_path(route, V4)


@pytest.mark.parametrize(
    ("routes", "left"),
    [
        ("<sip:192.0.2.1;lr>, <sip:127.0.0.1:5060;lr>, <sip:127.0.0.1:5062;lr>", ["<sip:127.0.0.1:5062;lr>"]),
        ("<sip:192.0.2.1:5061;transport=tls;lr>", ["<sip:192.0.2.1:5061;transport=tls;lr>"]),
        ("<sip:192.0.2.1:5060;transport=tcp;lr>", []),
        ("<sip:192.0.2.1:5080;lr>, <sip:192.0.2.1;lr>", ["<sip:192.0.2.1:5080;lr>", "<sip:192.0.2.1;lr>"]),
    ],
)
def test_own_routes_come_off_the_top_only(routes: str, left: list[str]) -> None:
    """Of a node without a certificate 5061 is not ours."""
    request = Request("BYE", "sip:x@h", [f"Route: {routes}"])
    _, next_hop = take_own_routes(request, V4)

    assert request.all("Route") == left
    assert [f"<{next_hop}>"] == left[:1] if left else next_hop is None


def test_record_route_of_both_sides() -> None:
    """RFC 5658: one value for each side, so that each side sees an address it can reach."""
    request = Request("INVITE", "sip:x@h", ["From: <sip:a@h>;tag=77"])

    assert record_route(request, Flow("tcp", ("192.0.2.1", 5060), ("198.51.100.7", 4)), V4) == (
        "<sip:192.0.2.1:5060;transport=tcp;r2=on;lr=on;ftag=77;ngcplb=yes;socket=tcp:192.0.2.1:5060>",
        "<sip:127.0.0.1:5060;r2=on;lr=on;ftag=77;ngcplb=yes;socket=tcp:192.0.2.1:5060>",
    )
