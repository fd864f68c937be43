"""What /etc/ngcp-api/api.yml says."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ngcp.service.config import load_yaml


@dataclass(frozen=True, slots=True)
class Listen:
    """Where HTTPS is served."""

    address: str
    """A local address, or "0.0.0.0" or "::" for all of them."""
    certificate: Path
    """Certificate chain, PEM."""
    private_key: Path
    """Private key, PEM."""
    port: int = 1443
    """TCP port."""


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
    lb_xmlrpc: str = "http://127.0.0.1:5060/RPC2"
    """URL of the load-balancer's control interface, which keeps the bans."""
    failed_auth_attempts: int = 3
    """Failed attempts after which the load-balancer bans a user."""

    def __post_init__(self) -> None:
        for key, text in (("proxy_xmlrpc", self.proxy_xmlrpc), ("lb_xmlrpc", self.lb_xmlrpc)):
            url = urlsplit(text)
            if url.scheme != "http" or not url.hostname:
                raise ValueError(f"{key}: http://ADDRESS:PORT/RPC2 expected, found {text!r}")


def load(path: Path) -> Config:
    """Read the file; raises ConfigError."""
    return load_yaml(path, Config)
