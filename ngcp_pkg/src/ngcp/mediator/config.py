"""The configuration of the mediator, `/etc/ngcp-mediator/mediator.yml`."""

from dataclasses import dataclass, field
from pathlib import Path

from ngcp.service.config import load_yaml
from ngcp.service.endpoint import Endpoint
from ngcp.service.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Database:
    """Where MariaDB is."""

    socket: str = "/run/mysqld/mysqld.sock"
    """Path of its unix socket; the account is the daemon's own user."""
    timeout: float = 10.0
    """Seconds until a transaction is given up."""


@dataclass(frozen=True, slots=True)
class Redis:
    """Where Redis is, and what is where in it."""

    address: str = "127.0.0.1"
    """IP address, or the path of a unix socket."""
    port: int = 6379
    """TCP port; 0 for a unix socket."""
    timeout: float = 1.0
    """Seconds until it counts as away: records are read from MariaDB alone."""
    dialogs: int = 5
    """Number of the database where the proxy keeps its calls."""
    acc: int = 21
    """Number of the database of call records."""

    @property
    def pair(self) -> tuple[str, int]:
        """The address as sockets want it."""
        return self.address, self.port


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an operator can decide about the mediator."""

    xmlrpc: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 8095))
    """Where commands of `ngcp-mediator-ctl` are received."""
    database: Database = field(default_factory=Database)
    """MariaDB."""
    redis: Redis = field(default_factory=Redis)
    """Redis."""
    interval: float = 1.0
    """Seconds between two rounds."""
    max_call_duration: float = 21600.0
    """Seconds that a call lasts of whose end nobody knows."""
    patience: float = 3600.0
    """Seconds that a call whose dialog was lost waits for its stop record, and a stop record for its call."""
    proxies: tuple[str, ...] = ("http://127.0.0.1:8000/RPC2",)
    """Control ports of the proxies: they are told whom a limit has locked."""
    metrics: Metrics = field(default_factory=Metrics)
    """Where Prometheus finds counters."""

    def __post_init__(self) -> None:
        for name in ("interval", "max_call_duration", "patience"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is more than 0 seconds, not {getattr(self, name):g}")


def load(path: Path) -> Configuration:
    """Read the file, or raise `ConfigError` naming file and key."""
    return load_yaml(path, Configuration)
