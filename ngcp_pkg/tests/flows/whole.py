"""A whole node on the wire: load-balancer and proxy as the daemons compose them, with doors in memory."""

from dataclasses import dataclass, field

from flows import workers
from flows.attempts import ANSWERS, Script
from flows.outside import watch
from flows.phones import Phone
from flows.wire import Wire
from ngcp.lb import config as lb_config
from ngcp.lb.core import LoadBalancer
from ngcp.proxy import config as proxy_config
from ngcp.proxy.core import Clock, ProxyCore
from ngcp.proxy.locations import Locations
from ngcp.proxy.pings import Keepalive
from ngcp.proxy.service import Doors, compose
from proxy.doors import PASSWORD, MemoryDirectory, MemoryRelay, MemoryTable

EDGE, EDGE_TLS = ("198.51.100.1", 5060), ("198.51.100.1", 5061)
INSIDE, PROXY = ("127.0.0.1", 5060), ("127.0.0.1", 5062)
UNIX_EPOCH_OF_WIRE = 1_700_000_000.0


@dataclass
class Node:
    """Everything between phones, on one wire."""

    wire: Wire = field(default_factory=Wire)
    directory: MemoryDirectory = field(default_factory=MemoryDirectory)
    table: MemoryTable = field(default_factory=MemoryTable)
    relay: MemoryRelay = field(default_factory=MemoryRelay)
    ring_timeout: float = 60.0
    workers: int = 1
    """Of the load-balancer."""
    keepalive: Keepalive = field(default_factory=lambda: Keepalive(nat_sipping="no"))

    def __post_init__(self) -> None:
        for number, user in enumerate(("alice", "bob", "carol"), 1001):
            self.directory.add(user, f"431{number}")
        self.edges = workers.start(self.wire, self._lb_configuration(), self.workers)
        watch(self.wire, (EDGE, EDGE_TLS), {INSIDE[0], PROXY[0]})
        self.proxy = self.start_proxy()

    @property
    def edge(self) -> LoadBalancer:
        """The first worker, which has all phones if it is the only one."""
        return self.edges[0]

    @property
    def edge_transactions(self) -> int:
        return sum(edge.transactions for edge in self.edges)

    def restart_edge(self, size: int) -> None:
        """Kill the load-balancer and start it again with another number of workers."""
        for edge in self.edges:
            self.wire.detach(edge)
        self.edges = workers.start(self.wire, self._lb_configuration(), size, before=len(self.edges))

    def start_proxy(self) -> ProxyCore:
        """Let a proxy begin, with the registrations that the table holds."""
        clock = Clock(self.wire.clock, lambda: UNIX_EPOCH_OF_WIRE + self.wire.now)
        doors = Doors(
            self.directory,
            self.table,
            self.relay,
            clock,
            self.wire.ids("px"),
            self.wire.spawn,
            self.wire.spawn,
        )
        parts = compose(self._proxy_configuration(), b"proxy secret", doors)
        self.wire.spawn(self._load(parts.locations))
        self.proxy = ProxyCore(parts)
        self.wire.attach(self.proxy, "udp", PROXY)
        return self.proxy

    def restart_proxy(self) -> None:
        """Kill the proxy and start it again: its memory is gone."""
        self.wire.detach(self.proxy)
        self.start_proxy()

    def phone(self, user: str, host: str, *, transport: str = "udp", script: Script = ANSWERS) -> Phone:
        """Connect a phone that knows its password."""
        edge = EDGE_TLS if transport == "tls" else EDGE
        return Phone(
            self.wire, user, (host, 5060), edge, transport=transport, password=PASSWORD, script=script
        )

    def registered(self, user: str, host: str, *, transport: str = "udp", script: Script = ANSWERS) -> Phone:
        """Connect a phone and wait until it is registered."""
        phone = self.phone(user, host, transport=transport, script=script)
        attempt = phone.register()
        assert self.wire.run_until(lambda: attempt.is_over)
        assert attempt.status == 200
        return phone

    @staticmethod
    async def _load(locations: Locations) -> None:
        await locations.load()

    @staticmethod
    def _lb_configuration() -> lb_config.Configuration:
        return lb_config.Configuration(
            lb_config.Public(EDGE[0], certificate=lb_config.PATH, private_key=lb_config.PATH)
        )

    def _proxy_configuration(self) -> proxy_config.Configuration:
        return proxy_config.Configuration(
            listen=proxy_config.Endpoint(*PROXY),
            xmlrpc=proxy_config.Endpoint("127.0.0.1", 8000),
            load_balancer=proxy_config.LoadBalancerEndpoint(*INSIDE),
            media_relay=proxy_config.MediaRelayEndpoint("127.0.0.1", 12222),
            database=proxy_config.Database("/run/mysqld/mysqld.sock"),
            ring_timeout=self.ring_timeout,
            keepalive=self.keepalive,
        )
