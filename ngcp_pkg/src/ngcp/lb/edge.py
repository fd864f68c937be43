"""What the load-balancer knows of itself: its sockets, its neighbours, its secret, its live connections."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from ngcp.lb.config import Configuration
from ngcp.lb.dispatcher import Dispatcher
from ngcp.lb.nat import NatTest
from ngcp.lb.sockets import Sockets
from ngcp.sip.core.proxy import Incoming
from ngcp.sip.syntax.memory import remembered
from ngcp.sip.syntax.seal import Seal
from ngcp.sip.syntax.uri import Uri
from ngcp.sip.transport.flow import Address, Flow, format_address, parse_host

#: Ports that a URI means when it names none, other than 5060 (RFC 3261 §19.1.2, RFC 7118 §5.2).
DEFAULT_PORTS: Final = {"tls": 5061, "ws": 80, "wss": 443}


#: What folded Record-Route values are sealed for.
ROUTES: Final = "ngcprr"


class Tokens:
    """Masks a phone's Contact: the URI and the flow it is behind, sealed, as one URI parameter `ngcpct`."""

    def __init__(self, secret: bytes, earlier: Sequence[bytes] = ()) -> None:
        self._seal = Seal(secret, "ngcpct", earlier)
        self._read = remembered(self._read_anew)

    def seal(self, uri: str, socket: str, remote: Address) -> str:
        """Return the token for a URI (checked by the caller) that is reached at `remote` by our `socket`."""
        host, port = remote
        return self._seal.close(f"{socket} {host} {port} {uri}")

    def open(self, token: str) -> tuple[str, str, Address]:
        """Return URI, our socket's label and remote address, or raise `ForgedToken`."""
        return self._read(token)

    def _read_anew(self, token: str) -> tuple[str, str, Address]:
        socket, host, port, uri = self._seal.open(token).split(" ", 3)
        return uri, socket, (host, int(port))


@dataclass(frozen=True, slots=True)
class Hiding:
    """What topology hiding rests upon."""

    is_on: bool
    routes: Seal
    """Closes folded Record-Route values."""
    server: str
    """Our own Server header."""
    inner_servers: frozenset[str]
    """Those of the elements inside."""


@dataclass(frozen=True, slots=True, eq=False)  # there is one; what was found out with it is remembered by it
class Edge:
    """Both sides of the load-balancer."""

    public: Sockets
    """Our public sockets."""
    internal: Address
    """Our internal socket, of UDP and of TCP."""
    internals: frozenset[Address]
    """Those of all workers there can be, ours among them."""
    dispatcher: Dispatcher
    """Where requests of phones go."""
    tokens: Tokens
    is_connected: Callable[[Flow], bool]
    """Whether a TCP or TLS flow exists now."""
    nat: NatTest
    hiding: Hiding
    origin: Callable[[str, str], Incoming | None] = lambda branch, method: None
    """How the request came in that left under a branch of ours, as long as it is not over; by its method."""
    own: frozenset[Address] = field(init=False)
    """The addresses of all our sockets."""
    prefixes: tuple[str, ...] = field(init=False)
    """How the Route values begin that we write: they come back as they left and need no parsing."""

    hosts: frozenset[IPv4Address | IPv6Address] = field(init=False)
    """Our public addresses."""

    def __post_init__(self) -> None:
        hosts = frozenset(ip_address(host) for host, _ in self.public.addresses)
        object.__setattr__(self, "hosts", hosts)  # frozen, but this is still its making
        own = self.public.addresses | self.internals
        sockets = map(format_address, self.public.addresses | {self.internal})
        prefixes = *(f"<sip:{socket};" for socket in sockets), f"<sip:lb@{format_address(self.internal)};"
        object.__setattr__(self, "own", own)
        object.__setattr__(self, "prefixes", prefixes)

    @classmethod
    def of(
        cls,
        configuration: Configuration,
        secret: bytes,
        is_connected: Callable[[Flow], bool],
        origin: Callable[[str, str], Incoming | None] = lambda branch, method: None,
        worker: int = 0,
    ) -> "Edge":
        """Take the sockets of a worker from the configuration."""
        public, internals = Sockets(configuration.public.sockets), configuration.internal.sockets
        internal = internals[worker]
        dispatcher = Dispatcher(internal, configuration.proxies, configuration.dispatcher)
        nat = NatTest(map(ip_network, configuration.nattest_exceptions))
        hiding = Hiding(
            configuration.topology_hiding,
            Seal(secret, ROUTES),
            configuration.server_header,
            frozenset(configuration.inner_servers),
        )
        tokens, own = Tokens(secret), frozenset(internals)
        return cls(public, internal, own, dispatcher, tokens, is_connected, nat, hiding, origin)

    def rekeyed(self, secret: bytes, earlier: Sequence[bytes]) -> "Edge":
        """Return the same with another secret: it seals, `earlier` ones still open what they sealed.

        Another object, so that what was remembered with this one is forgotten.
        """
        hiding = replace(self.hiding, routes=Seal(secret, ROUTES, earlier))
        return replace(self, tokens=Tokens(secret, earlier), hiding=hiding)

    def is_internal(self, flow: Flow) -> bool:
        """Whether `flow` is one of the inner side."""
        return flow.local == self.internal

    def is_own(self, uri: Uri) -> bool:
        """Whether `uri` names one of our sockets."""
        return address_of(uri) in self.own

    def is_inside(self, host: str) -> bool:
        """Whether `host` is one of the inner side."""
        return host == self.internal[0] or host in self.dispatcher.hosts


def address_of(uri: Uri) -> Address:
    """Return host and port of a URI, with the transport's default port (RFC 3263 §4.2); names stay names."""
    return parse_host(uri.host), uri.port or DEFAULT_PORTS.get(uri.transport, 5060)
