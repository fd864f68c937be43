"""The configuration of the media relay, `/etc/default/ngcp-rtpengine-daemon`."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from ngcp.service.config import load_environment
from ngcp.state.media import DATABASE

from .flows import Address
from .interfaces import DEFAULT, group
from .planes import CHOICES
from .table import TABLES


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an operator can decide about the relay; each field is a KEY in upper case."""

    interfaces: tuple[str, ...]
    """`NAME/ADDRESS` …: where media ports are bound, and what session descriptions name. A name may have an
    IPv4 and an IPv6 address; the first is for calls that do not say which. Without NAME, it is `default`."""
    listen_ng: str = "127.0.0.1:12222"
    """Where commands of the ng protocol are received, `ADDRESS:PORT` (IPv6 in brackets), from inside only."""
    listen_tcp_ng: str | None = None
    """Where they are received over TCP, too; nowhere without it."""
    listen_cli: str | None = None
    """Where operators' tools ask (XMLRPC over TCP), from inside only; nowhere without it."""
    metrics_port: int | None = None
    """TCP port of 127.0.0.1 where counters are for Prometheus, at /metrics; nowhere without it."""
    port_min: int = 30000
    """Lowest port for media."""
    port_max: int = 40000
    """Highest port for media; each stream of a call takes two pairs of an even and the next odd port."""
    tos: int = 184
    """TOS byte of every media packet that leaves; 184 is expedited forwarding (RFC 3246)."""
    timeout: float = 60.0
    """Seconds without media after which an answered call is given up."""
    silent_timeout: float = 3600.0
    """The same for a call that is on hold, or that nobody has answered."""
    final_timeout: float = 0.0
    """Seconds that a call may last at most; 0: as long as there are media."""
    delete_delay: float = 0.0
    """Seconds for which media go on after a call was ended, if the command that ends it does not say."""
    forward_to: str | None = None
    """Where `start forwarding` sends a copy of a participant's RTP, `ADDRESS:PORT`; without it, nowhere."""
    forwarding: str = "auto"
    """Who forwards media: `module` (the kernel module), `ebpf` (a program in the kernel), `userspace` (this
    process), or `auto`: the first of these that works. While the chosen one does not, user space does."""
    table: int = 0
    """The kernel module's table; the firewall's rule names it."""
    recording_dir: str | None = None
    """Directory of recordings; without it, no call is recorded."""
    recording_mixed: bool = True
    """Whether a recording has both sides in one channel; otherwise the caller is left, the callee right."""
    recording_longest: float = 14_400.0
    """Seconds that a recording may be long; then it ends, and the call goes on."""
    sound_dir: str | None = None
    """Directory of the files that `play media` and `moh` may name; without it, none."""
    music_on_hold: str | None = None
    """File below SOUND_DIR that is heard on hold where the sound set has no music; without it, silence."""
    database: str | None = None
    """Path of MariaDB's unix socket, where sound sets are; without it there is no other music on hold."""
    redis: str | None = None
    """Where running calls are kept for the next start, `ADDRESS:PORT` or the path of a unix socket; nowhere
    without it."""
    redis_db: int = DATABASE
    """Number of the database there, which nobody else may use."""
    redis_timeout: float = 1.0
    """Seconds after which Redis counts as away; no call waits for it."""

    def __post_init__(self) -> None:
        if not self.interfaces:
            raise ValueError("INTERFACES names none")
        for _, host in self.addresses:
            _check_address("INTERFACES", host)
        try:
            group(self.addresses)
        except ValueError as error:
            raise ValueError(f"INTERFACES: {error}") from error
        for key in ("listen_ng", "listen_tcp_ng", "listen_cli", "forward_to"):
            if (place := getattr(self, key)) is not None:
                _read_socket(key.upper(), place)
        if self.metrics_port is not None and not 0 < self.metrics_port < 65536:
            raise ValueError(f"METRICS_PORT: {self.metrics_port} is no port")
        if not 1024 <= self.port_min < self.port_max < 65536:
            raise ValueError(
                f"PORT_MIN {self.port_min} and PORT_MAX {self.port_max} are no range in 1024…65535"
            )
        if not self.even_ports:
            raise ValueError(f"PORT_MIN {self.port_min} and PORT_MAX {self.port_max} leave no pair of ports")
        if not 0 <= self.tos < 256:
            raise ValueError(f"TOS {self.tos} is no byte")
        if not 0 < self.timeout <= self.silent_timeout:
            raise ValueError("TIMEOUT is not between 0 and SILENT_TIMEOUT")
        if self.final_timeout < 0 or self.delete_delay < 0:
            raise ValueError("FINAL_TIMEOUT or DELETE_DELAY is negative")
        if not 0 < self.recording_longest <= 86_400:
            raise ValueError("RECORDING_LONGEST is not between 0 and a day of seconds")
        self._check_planes()
        self._check_store()

    def _check_planes(self) -> None:
        if self.forwarding not in CHOICES:
            raise ValueError(f"FORWARDING {self.forwarding!r} is none of {', '.join(CHOICES)}")
        if not 0 <= self.table < TABLES:
            raise ValueError(f"TABLE {self.table} is not between 0 and {TABLES - 1}")

    def _check_store(self) -> None:
        if self.redis is not None and not self.redis.startswith("/"):
            _read_socket("REDIS", self.redis)
        if self.redis_db < 0 or self.redis_timeout <= 0:
            raise ValueError("REDIS_DB or REDIS_TIMEOUT is negative")

    @property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """Names and addresses of `interfaces`."""
        split = [entry.rpartition("/") for entry in self.interfaces]
        return tuple((name or DEFAULT, host) for name, _, host in split)

    @property
    def control(self) -> Address:
        """Host and port of `listen_ng`."""
        return _read_socket("LISTEN_NG", self.listen_ng)

    @property
    def tcp_control(self) -> Address | None:
        """Host and port of `listen_tcp_ng`."""
        return _read_socket("LISTEN_TCP_NG", self.listen_tcp_ng) if self.listen_tcp_ng else None

    @property
    def operators(self) -> Address | None:
        """Host and port of `listen_cli`."""
        return _read_socket("LISTEN_CLI", self.listen_cli) if self.listen_cli else None

    @property
    def listener(self) -> Address | None:
        """Host and port of `forward_to`."""
        return _read_socket("FORWARD_TO", self.forward_to) if self.forward_to else None

    @property
    def store(self) -> Address | None:
        """Host and port of `redis`, or its path and 0."""
        if not self.redis:
            return None
        return (self.redis, 0) if self.redis.startswith("/") else _read_socket("REDIS", self.redis)

    @property
    def even_ports(self) -> range:
        """The ports for RTP: each is followed by an odd one within the range."""
        return range(self.port_min + self.port_min % 2, self.port_max, 2)


def _read_socket(key: str, text: str) -> Address:
    """Read `ADDRESS:PORT`, or raise `ValueError`."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError(f"{key} {text!r} is no ADDRESS:PORT")
    host = host.removeprefix("[").removesuffix("]")
    _check_address(key, host)
    if not 0 < int(port) < 65536:
        raise ValueError(f"{key}: port {port} is not between 1 and 65535")
    return host, int(port)


def _check_address(key: str, host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def load(path: Path) -> Configuration:
    """Read the file, or raise `ConfigError` naming file and key."""
    return load_environment(path, Configuration)
