"""The configuration of the load-balancer, `/etc/kamailio/lb/lb.yml`; the docstrings here are its manual."""

from dataclasses import dataclass
from pathlib import Path

from ngcp.net.udp import family_of
from ngcp.service.config import load_yaml
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
    """The proxy and registrar that all requests of phones go to."""

    address: str = "127.0.0.1"
    """IP address."""
    port: int = 5062
    """UDP port."""

    def __post_init__(self) -> None:
        _check_address(self.address)
        _check_port(self.port)

    @property
    def socket(self) -> Address:
        """The address of UDP."""
        return self.address, self.port


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the load-balancer is told."""

    public: Public
    """Where phones reach us."""
    internal: Internal = Internal()
    """Where the other elements reach us."""
    proxy: Proxy = Proxy()
    """Where requests of phones go."""
    server_header: str = "Sipwise NGCP LB"
    """The Server header of answers that we give ourselves."""
    tos: int = 184
    """The TOS octet of SIP packets on the public side."""

    def __post_init__(self) -> None:
        if not 0 <= self.tos < 256:
            raise ValueError(f"tos is one octet, not {self.tos}")
        if self.public.socket == self.internal.socket:
            raise ValueError("public and internal are the same socket")


def load(path: Path) -> Configuration:
    """Read the configuration, or raise `ConfigError`."""
    return load_yaml(path, Configuration)
