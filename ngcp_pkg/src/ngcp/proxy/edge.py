"""The ways from the proxy to the load-balancer: one for each of its workers.

A Route or Path value that a worker wrote names that worker's internal socket: the phone behind it is reached
from there without a detour. A value of anybody else leads to the main socket: no packet goes to an address
just because a phone wrote it.
"""

import re
from collections.abc import Sequence
from typing import Final

from ngcp.provisioning.runtime import Peer
from ngcp.sip.core.bindings import Binding
from ngcp.sip.core.decision import Target
from ngcp.sip.syntax import Uri
from ngcp.sip.syntax.fields import split_list
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

    def target(self, binding: Binding) -> Target:
        """Return the branch that rings a registered phone, along its Path (RFC 3327 §5.4)."""
        path = tuple(split_list(binding.source.path)) if binding.source.path else ()
        return Target(binding.contact, self.towards(path[0] if path else None), path, binding.q)

    def peer(self, peer: Peer, user: str) -> Target:
        """Return the branch that reaches a peer, from the socket that its preference `outbound_socket` names.

        Where its name, or a proxy before it, is not what is sent to, a Route leads there (§16.6 step 6).
        """
        transport = "" if peer.transport == "udp" else f";transport={peer.transport}"
        address = format_address((peer.ip, peer.port))
        host = format_address((peer.host, peer.port)) if peer.host else address
        uri = f"sip:{user}@{host}{transport}" if user else f"sip:{host}{transport}"
        socket, route = peer.preferences.text("outbound_socket"), []
        if socket and socket != "NULL":
            route.append(f"<sip:lb@{format_address(self.main.remote)};lr;socket={socket}>")
        if peer.route:
            route += [f"<{_loose(each)}>" for each in peer.route.replace(",", " ").split()]
        elif host != address:
            route.append(f"<sip:{address}{transport};lr>")
        return Target(uri, self.main, tuple(route))


def _loose(text: str) -> str:
    """Let a route be one of RFC 3261, not one of RFC 2543 (§16.6 step 6)."""
    uri = Uri.parse(text.strip("<>"))
    uri.params.setdefault("lr", None)
    return str(uri)
