"""A whole node on the wire: load-balancer and proxy as the daemons compose them, with doors in memory."""

from dataclasses import dataclass, field, replace
from typing import Any

from flows import workers
from flows.attempts import ANSWERS, Script
from flows.outside import watch
from flows.phones import Call, Phone
from flows.wire import Wire
from ngcp.b2bua import config as b2bua_config
from ngcp.b2bua.bridge import SUFFIX
from ngcp.b2bua.core import B2bua
from ngcp.b2bua.profile import Profile
from ngcp.lb import config as lb_config
from ngcp.lb.core import LoadBalancer
from ngcp.proxy import config as proxy_config
from ngcp.proxy.core import ProxyCore
from ngcp.proxy.locations import Locations
from ngcp.proxy.parts import Clock
from ngcp.proxy.pings import Keepalive
from ngcp.proxy.service import Doors, compose
from ngcp.service.endpoint import Endpoint
from proxy.doors import PASSWORD, MemoryDirectory, MemoryRelay, MemoryTable
from proxy.stores import MemoryAcc, MemoryRedis, MemoryRedisLine

EDGE, EDGE_TLS = ("198.51.100.1", 5060), ("198.51.100.1", 5061)
INSIDE, PROXY, B2BUA = ("127.0.0.1", 5060), ("127.0.0.1", 5062), ("127.0.0.1", 5080)
UNIX_EPOCH_OF_WIRE = 1_700_000_000.0


@dataclass
class Node:
    """Everything between phones, on one wire."""

    wire: Wire = field(default_factory=Wire)
    directory: MemoryDirectory = field(default_factory=MemoryDirectory)
    table: MemoryTable = field(default_factory=MemoryTable)
    acc: MemoryAcc = field(default_factory=MemoryAcc)
    redis: MemoryRedis = field(default_factory=MemoryRedis)
    max_call_duration: float = 21600.0
    profile: Profile = field(default_factory=Profile)
    """Of the back-to-back user agent."""
    bypass: bool = False
    """Whether calls do without the back-to-back user agent."""
    relay: MemoryRelay = field(default_factory=MemoryRelay)
    ring_timeout: float = 60.0
    workers: int = 1
    """Of the load-balancer."""
    digest_algorithms: tuple[str, ...] = ("MD5",)
    memory_lifetime: float = 300.0
    keepalive: Keepalive = field(default_factory=lambda: Keepalive(nat_sipping="no"))

    def __post_init__(self) -> None:
        for number, user in enumerate(("alice", "bob", "carol"), 1001):
            self.directory.add(user, f"431{number}")
        self.edges = workers.start(self.wire, self._lb_configuration(), self.workers)
        watch(self.wire, (EDGE, EDGE_TLS), {INSIDE[0], PROXY[0]})
        self.proxy = self.start_proxy()
        if not self.bypass:
            self.b2bua = self.start_b2bua()

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
            self.acc,
            MemoryRedisLine(self.redis),
            self.relay,
            clock,
            self.wire.ids("px"),
            self.wire.spawn,
            self.wire.spawn,
        )
        parts = compose(self._proxy_configuration(), b"proxy secret", doors)
        self.signers = parts.signers
        self.wire.spawn(self._load(parts.locations))
        self.proxy = ProxyCore(parts)
        self.wire.attach(self.proxy, "udp", PROXY)
        return self.proxy

    def rotate(self, secret: bytes, *earlier: bytes) -> None:
        """Let load-balancer and proxy sign with another secret, as `ngcp-secrets rotate` does."""
        for signer in (*self.edges, *self.signers):
            signer.rekey(secret, earlier)

    def restart_proxy(self) -> None:
        """Kill the proxy and start it again: its memory is gone."""
        self.wire.detach(self.proxy)
        self.start_proxy()

    def start_b2bua(self) -> B2bua:
        """Let a B2BUA begin, without any calls."""
        self.b2bua = B2bua(
            b2bua_config.Configuration(profile=self.profile), self.wire.ids(f"b2{len(self.wire.packets)}-")
        )
        self.wire.attach(self.b2bua, "udp", B2BUA)
        return self.b2bua

    def change(self, user: str, **fields: Any) -> None:  # noqa: ANN401 - whatever a subscriber has
        """Provision something else for a subscriber, and tell the proxy."""
        self.directory.change(user, **fields)
        self.proxy.directory.drop(f"{user}@example.org")

    def prefer(self, user: str, **values: str) -> None:
        """Set preferences of a subscriber, and tell the proxy."""
        self.directory.prefer(user, **values)
        self.proxy.directory.drop(f"{user}@example.org")

    def share(self, **fields: Any) -> None:  # noqa: ANN401 - whatever the platform has
        """Let the platform be another one, and tell the proxy."""
        self.directory.shared = replace(self.directory.shared, **fields)
        self.proxy.directory.drop("*")

    @staticmethod
    def is_same(call: Call, other: Call) -> bool:
        """Tell whether two phones' dialogs are the legs of one call."""
        return call.call_id.removesuffix(SUFFIX) == other.call_id.removesuffix(SUFFIX)

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
            listen=Endpoint(*PROXY),
            xmlrpc=Endpoint("127.0.0.1", 8000),
            load_balancer=proxy_config.LoadBalancerEndpoint(*INSIDE),
            media_relay=proxy_config.MediaRelayEndpoint("127.0.0.1", 12222),
            database=proxy_config.Database("/run/mysqld/mysqld.sock"),
            b2bua=proxy_config.B2buaEndpoint(*B2BUA, bypass=self.bypass),
            ring_timeout=self.ring_timeout,
            keepalive=self.keepalive,
            max_call_duration=self.max_call_duration,
            digest_algorithms=self.digest_algorithms,
            memory_lifetime=self.memory_lifetime,
        )
