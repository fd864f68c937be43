"""What /etc/ngcp-api/api.yml says."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from ngcp.provisioning.speed_dials import SLOTS
from ngcp.service.config import load_yaml


@dataclass(frozen=True, slots=True)
class Listen:
    """Where HTTPS is served."""

    addresses: tuple[str, ...]
    """Local addresses."""
    certificate: Path
    """Certificate chain, PEM."""
    private_key: Path
    """Private key, PEM."""
    port: int = 1443
    """TCP port."""

    def __post_init__(self) -> None:
        if not self.addresses:
            raise ValueError("addresses are one at least")
        for address in self.addresses:
            ip_address(address)


@dataclass(frozen=True, slots=True)
class Database:
    """How MariaDB is reached, under the name of the daemon's own user."""

    socket: str
    """Path of the server's unix socket."""
    timeout: float = 2.0
    """Seconds that a request may spend in the database."""


@dataclass(frozen=True, slots=True)
class Config:
    """The whole file."""

    listen: Listen
    database: Database
    proxy_xmlrpc: str
    """URL of the SIP proxy's control interface, which keeps the registrations."""
    other_proxies_xmlrpc: tuple[str, ...] = ()
    """URLs of further SIP proxies' control interfaces, which are told of changes."""
    b2bua_xmlrpc: str = "http://127.0.0.1:8090/RPC2"
    """URL of the B2BUA's control interface, which keeps registrations at peers."""
    lb_xmlrpc: str = "http://127.0.0.1:5060/RPC2"
    """URL of the load-balancer's control interface, which keeps the bans."""
    state: Path = Path("/var/lib/ngcp-api")
    """Directory of the authority that signs client certificates."""
    failed_auth_attempts: int = 3
    """Failed attempts after which the load-balancer bans a user."""

    speed_dial_slots: tuple[str, ...] = SLOTS
    """What speed dials can be filled."""

    def __post_init__(self) -> None:
        others = [("other_proxies_xmlrpc", url) for url in self.other_proxies_xmlrpc]
        own = [(key, getattr(self, key)) for key in ("proxy_xmlrpc", "b2bua_xmlrpc", "lb_xmlrpc")]
        for key, text in (*own, *others):
            url = urlsplit(text)
            if url.scheme != "http" or not url.hostname:
                raise ValueError(f"{key}: http://ADDRESS:PORT/RPC2 expected, found {text!r}")


def load(path: Path) -> Config:
    """Read the file; raises ConfigError."""
    return load_yaml(path, Config)
