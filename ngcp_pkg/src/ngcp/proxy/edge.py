"""The ways from the proxy to the load-balancer: one for each of its workers.

A Route or Path value that a worker wrote names that worker's internal socket: the phone behind it is reached
from there without a detour. A value of anybody else leads to the main socket: no packet goes to an address
just because a phone wrote it.
"""

import re
from collections.abc import Sequence
from typing import Final

from ngcp.sip.transport import Flow
from ngcp.sip.transport.flow import Address, format_address

_NAMED: Final = re.compile(r"<sip:(?:lb@)?([^;>@]+)")


class Edge:
    """The load-balancer, seen from the proxy."""

    def __init__(self, own: Address, sockets: Sequence[Address]) -> None:
        """`own` is our socket; `sockets` are the load-balancer's, the main one first."""
        flows = [Flow("udp", own, socket) for socket in sockets]
        self.main = flows[0]
        self._flows = {format_address(flow.remote): flow for flow in flows}

    def towards(self, route: str | None) -> Flow:
        """Return the way to whoever wrote `route`, the topmost Route of what is sent."""
        named = _NAMED.match(route) if route else None
        return self._flows.get(named[1], self.main) if named else self.main
