"""The configuration of the back-to-back user agent, `/etc/ngcp-sems/sems.yml`."""

from dataclasses import dataclass, field
from pathlib import Path

from ngcp.service.config import load_yaml
from ngcp.service.endpoint import Endpoint
from ngcp.service.metrics import Metrics
from ngcp.voice.household import Database
from ngcp.voice.media_ports import MediaRange
from ngcp.voice.service import check_drain

from .profile import Profile


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an operator can decide about the back-to-back user agent."""

    listen: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 5080))
    """Where SIP is received, over UDP and from inside only."""
    control: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 5040))
    """UDP port for commands of `ngcp-sems-ctl`."""
    xmlrpc: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 8090))
    """Where control commands are received over XMLRPC."""
    proxy: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 5062))
    """The proxy, which is asked for whatever has a name instead of an address."""
    load_balancer: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 5060))
    """The load-balancer, inside: REGISTER leaves by it."""
    public: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 5060))
    """The load-balancer, outside: the Contact of registrations at peers."""
    profile: Profile = field(default_factory=Profile)
    """What passes from one leg of a call to the other."""
    media: MediaRange = field(default_factory=lambda: MediaRange("127.0.0.1", 20002, 29999))
    """Ports of announcements and conferences."""
    database: Database = field(default_factory=Database)
    """MariaDB: sounds are read there, and service codes carried out."""
    proxy_xmlrpc: Endpoint = field(default_factory=lambda: Endpoint("127.0.0.1", 8000))
    """The proxy's control commands: it is told what service codes have changed."""
    sounds: str = "/usr/share/asterisk/sounds"
    """Directory of prompts for callers without a sound set of their own; below it one for each language."""
    drain: float = 5.0
    """Seconds in which calls may end by themselves when the daemon stops; it ends those that do not."""
    server_header: str = "Sipwise NGCP B2BUA"
    """Value of the Server header in responses that it makes itself."""
    metrics: Metrics = field(default_factory=Metrics)
    """Where Prometheus finds counters."""

    def __post_init__(self) -> None:
        check_drain(self.drain)


def load(path: Path) -> Configuration:
    """Read the file, or raise `ConfigError` naming file and key."""
    return load_yaml(path, Configuration)
