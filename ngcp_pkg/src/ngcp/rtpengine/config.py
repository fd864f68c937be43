"""The configuration of the media relay, `/etc/default/ngcp-rtpengine-daemon`."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from ngcp.service.config import load_environment

from .flows import Address


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an operator can decide about the relay; each field is a KEY in upper case."""

    interface: str
    """The public IP address: media ports are bound on it, and session descriptions name it."""
    listen_ng: str = "127.0.0.1:12222"
    """Where commands of the ng protocol are received, `ADDRESS:PORT` (IPv6 in brackets), from inside only."""
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

    def __post_init__(self) -> None:
        _check_address("INTERFACE", self.interface)
        _check_address("LISTEN_NG", self.control[0])
        if not 0 < self.control[1] < 65536:
            raise ValueError(f"LISTEN_NG: port {self.control[1]} is not between 1 and 65535")
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

    @property
    def control(self) -> Address:
        """Host and port of `listen_ng`."""
        host, colon, port = self.listen_ng.rpartition(":")
        if not colon or not port.isdecimal():
            raise ValueError(f"LISTEN_NG {self.listen_ng!r} is no ADDRESS:PORT")
        return host.removeprefix("[").removesuffix("]"), int(port)

    @property
    def even_ports(self) -> range:
        """The ports for RTP: each is followed by an odd one within the range."""
        return range(self.port_min + self.port_min % 2, self.port_max, 2)


def _check_address(key: str, host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def load(path: Path) -> Configuration:
    """Read the file, or raise `ConfigError` naming file and key."""
    return load_environment(path, Configuration)
