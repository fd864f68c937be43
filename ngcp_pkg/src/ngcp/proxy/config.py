"""The configuration of the proxy, `/etc/kamailio/proxy/proxy.yml`."""

from dataclasses import dataclass, field
from pathlib import Path

from ngcp.service.config import load_yaml
from ngcp.service.metrics import Metrics
from ngcp.service.workers import sockets_of
from ngcp.sip.core.registrar import Rules

from .pings import Keepalive


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An internal address."""

    address: str
    """IP address."""
    port: int
    """Port number."""

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"port {self.port} is not between 1 and 65535")

    @property
    def pair(self) -> tuple[str, int]:
        """The address as sockets want it."""
        return self.address, self.port


@dataclass(frozen=True, slots=True)
class LoadBalancerEndpoint(Endpoint):
    """Where the load-balancer listens for SIP."""

    worker_port: int = 5101
    """UDP port of its second worker; those of further ones count up."""

    @property
    def sockets(self) -> tuple[tuple[str, int], ...]:
        """The addresses of all its workers, the first one's in front."""
        return sockets_of(self.pair, self.worker_port)


@dataclass(frozen=True, slots=True)
class MediaRelayEndpoint(Endpoint):
    """Where the media relay listens for commands (ng protocol)."""

    timeout: float = 1.0
    """Seconds until a call is refused because the relay does not answer."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where MariaDB is."""

    socket: str
    """Path of its unix socket; the account is the daemon's own user."""
    timeout: float = 2.0
    """Seconds until a query is given up."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an operator can decide about the proxy."""

    listen: Endpoint
    """Where SIP is received, from inside only."""
    xmlrpc: Endpoint
    """Where control commands are received."""
    load_balancer: LoadBalancerEndpoint
    """The internal address of the load-balancer, through which everything leaves."""
    media_relay: MediaRelayEndpoint
    """The media relay."""
    database: Database
    """MariaDB."""
    registrar: Rules = field(default_factory=Rules)
    """Intervals and number of registrations granted."""
    keepalive: Keepalive = field(default_factory=Keepalive)
    """Pings that keep the way to phones behind NAT open."""
    memory_lifetime: float = 300.0
    """Seconds for which a subscriber or number is remembered, where nobody says earlier that it changed."""
    nonce_expire: float = 300.0
    """Seconds for which a digest challenge may be answered."""
    ring_timeout: float = 180.0
    """Seconds a call may ring until it is cancelled (timer C)."""
    server_header: str = "Sipwise NGCP Proxy"
    """Value of the Server header in responses that the proxy makes itself."""
    metrics: Metrics = field(default_factory=Metrics)
    """Where Prometheus finds counters."""


def load(path: Path) -> Configuration:
    """Read the file, or raise `ConfigError` naming file and key."""
    return load_yaml(path, Configuration)
