"""Which of the load-balancer's workers a request goes to: the one that wrote its topmost Route."""

import pytest

from ngcp.proxy.edge import Edge
from ngcp.service.workers import MAXIMUM, sockets_of

MAIN = ("127.0.0.1", 5060)
EDGE = Edge(("127.0.0.1", 5062), sockets_of(MAIN, 5101))


@pytest.mark.parametrize(
    ("route", "port"),
    [
        ("<sip:lb@127.0.0.1:5060;lr;socket=udp:192.0.2.1:5060>", 5060),
        ("<sip:lb@127.0.0.1:5101;lr;socket=udp:192.0.2.1:5060;received=sip:192.0.2.9:6000>", 5101),
        ("<sip:127.0.0.1:5102;r2=on;lr=on;ftag=1;ngcplb=yes;socket=udp:192.0.2.1:5060>", 5102),
        (f"<sip:127.0.0.1:{5101 + MAXIMUM - 2};lr>", 5101 + MAXIMUM - 2),
    ],
)
def test_a_worker_gets_back_what_it_wrote(route: str, port: int) -> None:
    assert EDGE.towards(route).remote == ("127.0.0.1", port)


@pytest.mark.parametrize(
    "route",
    [
        None,
        "",
        "<sip:127.0.0.1:22;lr>",
        f"<sip:127.0.0.1:{5101 + MAXIMUM - 1};lr>",
        "<sip:192.0.2.66:5101;lr>",
        "<sip:x@127.0.0.1:5101;lr>",
        "sip:127.0.0.1:5101",
    ],
)
def test_no_other_route_leads_anywhere_but_to_the_main_socket(route: str | None) -> None:
    """A phone writes what stands behind the proxy's own Route: it must not choose where packets go."""
    assert EDGE.towards(route) == EDGE.main
    assert EDGE.main.remote == MAIN


def test_ipv6() -> None:
    edge = Edge(("::1", 5062), sockets_of(("::1", 5060), 5101))

    assert edge.towards("<sip:lb@[::1]:5101;lr>").remote == ("::1", 5101)
