"""The wire, and the elements that flows put on it."""

import pytest

from flows.edge import StubProxy, add_load_balancer
from flows.wire import Wire
from ngcp.lb.core import LoadBalancer


@pytest.fixture
def wire() -> Wire:
    """Return a network without anybody."""
    return Wire()


@pytest.fixture
def edge(wire: Wire) -> LoadBalancer:
    """Return the load-balancer."""
    return add_load_balancer(wire)


@pytest.fixture
def stub(wire: Wire, edge: LoadBalancer) -> StubProxy:
    """Return a proxy that believes everybody, behind the load-balancer."""
    return StubProxy(wire)
