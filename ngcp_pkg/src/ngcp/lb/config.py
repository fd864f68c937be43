"""The configuration of the load-balancer, `/etc/kamailio/lb/lb.yml`; the docstrings here are its manual."""

from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from socket import AF_INET6

from ngcp.lb.security import BlockUserAgents, Security
from ngcp.net.admission import Limits
from ngcp.net.udp import family_of
from ngcp.service.config import load_yaml
from ngcp.service.metrics import Metrics
from ngcp.service.workers import MAXIMUM, cores, sockets_of
from ngcp.sip.transport.flow import Address

#: Where the rendered file lives on a node.
PATH = Path("/etc/kamailio/lb/lb.yml")


def _check_address(address: str) -> None:
    if family_of(address) is None:
        raise ValueError(f"{address!r} is no IP address")


def _check_port(port: int) -> None:
    if not 0 < port < 65536:
        raise ValueError(f"{port} is no port")


#: What an extra socket may speak.
TRANSPORTS = ("udp", "tcp", "tls")
#: What shows the certificate.
SECURE = ("tls", "wss")


@dataclass(frozen=True, slots=True)
class ExtraSocket:
    """One more public socket."""

    transport: str
    """udp, tcp or tls."""
    ip: str
    """IP address."""
    port: int
    """Port."""

    def __post_init__(self) -> None:
        _check_address(self.ip)
        _check_port(self.port)
        if self.transport not in TRANSPORTS:
            raise ValueError(f"transport is one of {', '.join(TRANSPORTS)}, not {self.transport!r}")


@dataclass(frozen=True, slots=True)
class Public:
    """The side that phones see."""

    address: str
    """IP address of all transports; it is written in Record-Route and Contact, so no wildcard."""
    port: int = 5060
    """Port of UDP and of TCP."""
    tls_port: int = 5061
    """Port of TLS."""
    certificate: Path | None = None
    """PEM file with the certificate chain shown to TLS phones; without it TLS is off."""
    private_key: Path | None = None
    """PEM file with its key."""
    address6: str | None = None
    """IPv6 address beside an IPv4 `address`; the same ports."""
    ws_port: int | None = None
    """Port of SIP over WebSocket; left out: none."""
    wss_port: int | None = None
    """Port of SIP over secure WebSocket, with the same certificate; left out: none."""
    ws_origins: tuple[str, ...] = ()
    """Origins (`https://phone.example.org`) whose pages browsers may call from; of none: of any."""
    extra_sockets: tuple[ExtraSocket, ...] = ()
    """More sockets, of which a proxy may choose one for what it sends out (`socket=` in Path)."""

    def __post_init__(self) -> None:
        _check_address(self.address)
        if self.address6 is not None and (":" in self.address or family_of(self.address6) is not AF_INET6):
            raise ValueError("address6 is the IPv6 address beside an IPv4 address")
        for port in (self.port, self.tls_port, self.ws_port, self.wss_port):
            if port is not None:
                _check_port(port)
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key come together")
        self._check_sockets()

    def _check_sockets(self) -> None:
        taken: dict[tuple[bool, Address], str] = {}
        for transport, address in self.sockets:
            if transport in SECURE and self.certificate is None:
                raise ValueError(f"a {transport} socket needs a certificate")
            other = taken.setdefault((transport == "udp", address), transport)
            if other != transport or self.sockets.count((transport, address)) > 1:
                raise ValueError(f"{transport} and {other} are both to be on {address[0]} port {address[1]}")

    @property
    def socket(self) -> Address:
        """The address of UDP and TCP."""
        return self.address, self.port

    @property
    def sockets(self) -> tuple[tuple[str, Address], ...]:
        """Transport and address of every public socket, the usual ones first."""
        ports = [("udp", self.port), ("tcp", self.port)]
        if self.certificate is not None:
            ports.append(("tls", self.tls_port))
        if self.ws_port is not None:
            ports.append(("ws", self.ws_port))
        if self.wss_port is not None:
            ports.append(("wss", self.wss_port))
        hosts = [host for host in (self.address, self.address6) if host is not None]
        usual = [(transport, (host, port)) for host in hosts for transport, port in ports]
        return *usual, *((extra.transport, (extra.ip, extra.port)) for extra in self.extra_sockets)


@dataclass(frozen=True, slots=True)
class Internal:
    """The side that the other elements see."""

    address: str = "127.0.0.1"
    """IP address."""
    port: int = 5060
    """Port of SIP over UDP and over TCP."""
    xmlrpc_port: int = 5060
    """TCP port of the control commands, XMLRPC over HTTP; it may be `port`."""
    worker_port: int = 5101
    """UDP port of the second worker; those of further ones count up."""

    def __post_init__(self) -> None:
        _check_address(self.address)
        _check_port(self.port)
        _check_port(self.xmlrpc_port)
        for _, port in self.sockets:
            _check_port(port)
        if self.socket in self.sockets[1:]:
            raise ValueError(f"port {self.port} is one of those from worker_port up")

    @property
    def socket(self) -> Address:
        """The address of UDP."""
        return self.address, self.port

    @property
    def sockets(self) -> tuple[Address, ...]:
        """The UDP addresses of all workers there can be, the main one first."""
        return sockets_of(self.socket, self.worker_port)


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
    topology_hiding: bool = True
    """Whether phones see no Via, Record-Route, Contact, Server or Warning of the inside."""
    inner_servers: tuple[str, ...] = ("Sipwise NGCP Proxy",)
    """Server headers of elements inside that phones see with challenges only; otherwise they see ours."""
    nattest_exceptions: tuple[str, ...] = ()
    """Addresses and networks whose phones are never taken to be behind a NAT."""
    security: Security = field(default_factory=Security)
    """Who is banned."""
    block_useragents: BlockUserAgents = field(default_factory=BlockUserAgents)
    """Whose telephone is not wanted."""
    metrics: Metrics = field(default_factory=Metrics)
    """Where Prometheus finds counters."""
    workers: int = 1
    """Processes that share the public sockets; 0: as many as there are cores."""
    limits: Limits = field(default_factory=Limits)
    """What the public TCP, TLS and WebSocket connections may take, all together."""

    def __post_init__(self) -> None:
        if not 0 <= self.tos < 256:
            raise ValueError(f"tos is one octet, not {self.tos}")
        for network in self.nattest_exceptions:
            ip_network(network)
        sockets = [proxy.socket for proxy in self.proxies]
        if not 1 <= len(sockets) <= MAX_PROXIES:
            raise ValueError(f"proxies are 1 to {MAX_PROXIES}, not {len(sockets)}")
        if len(set(sockets)) < len(sockets) or set(sockets) & set(self.internal.sockets):
            raise ValueError(
                "each of proxies and internal, its worker_port and above, is a socket of its own"
            )
        if not {address for _, address in self.public.sockets}.isdisjoint(self.internal.sockets):
            raise ValueError("public and internal are the same socket")
        if not 0 <= self.workers <= MAXIMUM:
            raise ValueError(f"workers is a number up to {MAXIMUM}, not {self.workers}")

    @property
    def processes(self) -> int:
        """How many workers there are."""
        return self.workers or min(cores(), MAXIMUM)


def load(path: Path) -> Configuration:
    """Read the configuration, or raise `ConfigError`."""
    return load_yaml(path, Configuration)
