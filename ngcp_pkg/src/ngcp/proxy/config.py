"""The configuration of the proxy, `/etc/kamailio/proxy/proxy.yml`."""

from dataclasses import dataclass, field
from pathlib import Path

from ngcp.service.config import load_yaml
from ngcp.service.endpoint import Endpoint
from ngcp.service.metrics import Metrics
from ngcp.service.workers import sockets_of
from ngcp.sip.core.bindings import Rules
from ngcp.sip.core.digest import ALGORITHMS
from ngcp.state.layout import Databases

from . import codes
from .pings import Keepalive
from .probes import Probing


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
class B2buaEndpoint(Endpoint):
    """Where the back-to-back user agent listens for SIP."""

    bypass: bool = False
    """Whether calls go to whom they are for at once, instead of through it."""


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
class Redis:
    """Where Redis is."""

    address: str = "127.0.0.1"
    """IP address, or the path of a unix socket."""
    port: int = 6379
    """TCP port; 0 for a unix socket."""
    timeout: float = 1.0
    """Seconds until it counts as away; no call waits for it."""
    databases: Databases = field(default_factory=Databases)
    """Numbers of its databases."""

    @property
    def pair(self) -> tuple[str, int]:
        """The address as sockets want it."""
        return self.address, self.port


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
    redis: Redis = field(default_factory=Redis)
    """Redis, where calls are counted and call records begin."""
    app_server: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 5070))
    """The app server: voicebox."""
    b2bua: B2buaEndpoint = field(default_factory=lambda: B2buaEndpoint("127.0.0.1", 5080))
    """The back-to-back user agent, between the two passes of a call; conferences, service codes."""
    registrar: Rules = field(default_factory=Rules)
    """Intervals and number of registrations granted."""
    keepalive: Keepalive = field(default_factory=Keepalive)
    """Pings that keep the way to phones behind NAT open."""
    peer_probes: Probing = field(default_factory=Probing)
    """How peers are asked whether they live."""
    memory_lifetime: float = 300.0
    """Seconds for which a subscriber or number is remembered, where nobody says earlier that it changed."""
    nonce_expire: float = 300.0
    """Seconds for which a digest challenge may be answered."""
    digest_algorithms: tuple[str, ...] = ("MD5",)
    """Digest algorithms offered, each by a challenge of its own, the strongest first: SHA-256, MD5."""
    ring_timeout: float = 180.0
    """Seconds a call may ring until it is cancelled (timer C)."""
    max_call_duration: float = 21600.0
    """Seconds after which an answered call is ended, where no preference says less."""
    voicemail_number: str = "2000"
    """What subscribers dial to hear their messages."""
    voicemail_access_number: str = ""
    """Number (E.164, without "+") that anybody calls to hear those of a mailbox whose PIN he knows."""
    service_codes: codes.ServiceCodes = field(default_factory=codes.ServiceCodes)
    """What stands behind `*` or `#` in codes that the back-to-back user agent serves."""
    block_override_code: str = codes.OVERRIDE
    """What is dialled to pass block lists: `*CODE*PIN*NUMBER`."""
    server_header: str = "Sipwise NGCP Proxy"
    """Value of the Server header in responses that the proxy makes itself."""
    metrics: Metrics = field(default_factory=Metrics)
    """Where Prometheus finds counters."""

    def __post_init__(self) -> None:
        algorithms = self.digest_algorithms
        if not algorithms or not set(algorithms) <= set(ALGORITHMS):
            known, given = ", ".join(ALGORITHMS), ", ".join(algorithms)
            raise ValueError(f"digest_algorithms is one or more of {known}, not {given or 'empty'}")


def load(path: Path) -> Configuration:
    """Read the file, or raise `ConfigError` naming file and key."""
    return load_yaml(path, Configuration)
