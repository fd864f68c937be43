"""UDP sockets for the node's own audio: one port for each stream, on the internal address."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from ngcp.net.udp import UdpSocket
from ngcp.sip.transport.flow import Address

from .studio import NoPorts, Take

#: TOS byte of our packets: expedited forwarding; the media relay sets its own on the way out.
TOS: Final = 184


@dataclass(frozen=True, slots=True)
class MediaRange:
    """Where the streams of what the node itself says are."""

    address: str
    """IP address, inside only: the media relay is between us and whoever listens."""
    port_min: int
    """Lowest UDP port."""
    port_max: int
    """Highest UDP port; a caller takes one, an even one."""

    def __post_init__(self) -> None:
        if not 1024 <= self.port_min < self.port_max < 65536:
            raise ValueError(f"port_min {self.port_min} and port_max {self.port_max} are no range of ports")

    @property
    def even(self) -> range:
        """The ports for RTP."""
        return range(self.port_min + self.port_min % 2, self.port_max, 2)


class MediaPort:
    """One bound port (a `studio.Port`)."""

    def __init__(self, local: Address, take: Take, closed: Callable[[int], None]) -> None:
        """Bind `local`, or raise OSError."""
        self._socket = UdpSocket(local, take)
        self._closed = closed
        self.local = local

    def send(self, packet: bytes, remote: Address) -> None:
        """Send a packet."""
        self._socket.send(packet, remote)

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()
        self._closed(self.local[1])


class MediaPorts:
    """Even ports of a range (a `studio.Ports`); what has been free for longest is taken first."""

    def __init__(self, host: str, even_ports: Iterable[int]) -> None:
        self._host = host
        self._free = deque(even_ports)

    def __len__(self) -> int:
        """Return how many are free."""
        return len(self._free)

    def open(self, take: Take) -> MediaPort:
        """Bind one, passing over those that somebody else has."""
        for _ in range(len(self._free)):
            number = self._free.popleft()
            try:
                return MediaPort((self._host, number), take, self._free.append)
            except OSError:
                self._free.append(number)
        raise NoPorts("no port for media is free")
