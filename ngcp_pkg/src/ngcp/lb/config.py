"""The configuration of the load-balancer, `/etc/kamailio/lb/lb.yml`; the docstrings here are its manual."""

from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from ngcp.lb.security import BlockUserAgents, Security
from ngcp.net.udp import family_of
from ngcp.service.config import load_yaml
from ngcp.service.metrics import Metrics
from ngcp.sip.transport.flow import Address

#: Where the rendered file lives on a node.
PATH = Path("/etc/kamailio/lb/lb.yml")


def _check_address(address: str) -> None:
    if family_of(address) is None:
        raise ValueError(f"{address!r} is no IP address")


def _check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise ValueError(f"{port} is no port")


@dataclass(frozen=True, slots=True)
class Public:
    """The side that phones see."""

    address: str
    """IP address for UDP, TCP and TLS; it is written in Record-Route and Contact, so no wildcard."""
    port: int = 5060
    """Port of UDP and of TCP."""
    tls_port: int = 5061
    """Port of TLS."""
    certificate: Path | None = None
    """PEM file with the certificate chain shown to TLS phones; without it TLS is off."""
    private_key: Path | None = None
    """PEM file with its key."""

    def __post_init__(self) -> None:
        _check_address(self.address)
        _check_port(self.port)
        _check_port(self.tls_port)
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key come together")
        if self.certificate is not None and self.tls_port == self.port:
            raise ValueError("tls_port must differ from port: both are TCP")

    @property
    def socket(self) -> Address:
        """The address of UDP and TCP."""
        return self.address, self.port


@dataclass(frozen=True, slots=True)
class Internal:
    """The side that the other elements see."""

    address: str = "127.0.0.1"
    """IP address."""
    port: int = 5060
    """Port of SIP over UDP."""
    xmlrpc_port: int = 5060
    """TCP port of the control commands, XMLRPC over HTTP."""

    def __post_init__(self) -> None:
        _check_address(self.address)
        _check_port(self.port)
        _check_port(self.xmlrpc_port)

    @property
    def socket(self) -> Address:
        """The address of UDP."""
        return self.address, self.port


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy and registrar that requests of phones go to."""

    address: str = "127.0.0.1"
    """IP address."""
    port: int = 5062
    """UDP port."""
    weight: int = 1
    """Its share of the calls, compared with the other proxies."""
    enabled: bool = True
    """Whether it gets calls; in dialogs that it has, it stays ours."""

    def __post_init__(self) -> None:
        _check_address(self.address)
        _check_port(self.port)
        if not 1 <= self.weight <= 1000:
            raise ValueError(f"weight is 1 to 1000, not {self.weight}")

    @property
    def socket(self) -> Address:
        """The address of UDP."""
        return self.address, self.port


@dataclass(frozen=True, slots=True)
class Dispatching:
    """How calls are spread over several proxies, and how we find out that one is out of order."""

    patience: float = 2.0
    """Seconds without a sign of life after which a call is given to the next proxy."""
    probe_interval: float | None = None
    """Seconds between two OPTIONS to a proxy, 0: none; left out: 5 with several proxies, none with one."""
    down_after: int = 3
    """Probes or calls in a row without an answer after which a proxy gets no calls."""
    up_after: int = 2
    """Probes in a row that it must answer to get calls again."""

    def __post_init__(self) -> None:
        if not 0 < self.patience <= 30:
            raise ValueError(f"patience is above 0 and at most 30, not {self.patience}")
        if self.probe_interval is not None and not 0 <= self.probe_interval <= 3600:
            raise ValueError(f"probe_interval is 0 to 3600, not {self.probe_interval}")
        for key, count in (("down_after", self.down_after), ("up_after", self.up_after)):
            if not 1 <= count <= 100:
                raise ValueError(f"{key} is 1 to 100, not {count}")


#: Proxies of one set; the order of a Call-ID is a hash of each.
MAX_PROXIES = 64


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the load-balancer is told."""

    public: Public
    """Where phones reach us."""
    internal: Internal = Internal()
    """Where the other elements reach us."""
    proxies: tuple[Proxy, ...] = (Proxy(),)
    """Where requests of phones go."""
    server_header: str = "Sipwise NGCP LB"
    """The Server header of answers that we give ourselves."""
    tos: int = 184
    """The TOS octet of SIP packets on the public side."""
    dispatcher: Dispatching = Dispatching()
    """How they are spread over the proxies."""
    nattest_exceptions: tuple[str, ...] = ()
    """Addresses and networks whose phones are never taken to be behind a NAT."""
    security: Security = field(default_factory=Security)
    """Who is banned."""
    block_useragents: BlockUserAgents = field(default_factory=BlockUserAgents)
    """Whose telephone is not wanted."""
    metrics: Metrics = field(default_factory=Metrics)
    """Where Prometheus finds counters."""

    def __post_init__(self) -> None:
        if not 0 <= self.tos < 256:
            raise ValueError(f"tos is one octet, not {self.tos}")
        for network in self.nattest_exceptions:
            ip_network(network)
        sockets = [proxy.socket for proxy in self.proxies]
        if not 1 <= len(sockets) <= MAX_PROXIES:
            raise ValueError(f"proxies are 1 to {MAX_PROXIES}, not {len(sockets)}")
        if len(set(sockets)) < len(sockets) or self.internal.socket in sockets:
            raise ValueError("each of proxies and internal is a socket of its own")
        if self.public.socket == self.internal.socket:
            raise ValueError("public and internal are the same socket")


def load(path: Path) -> Configuration:
    """Read the configuration, or raise `ConfigError`."""
    return load_yaml(path, Configuration)
