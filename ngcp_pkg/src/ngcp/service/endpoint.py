"""An address in a daemon's configuration: where it listens, or where another one does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An internal address."""

    address: str
    """IP address."""
    port: int
    """Port number."""

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"port {self.port} is not between 1 and 65535")

    @property
    def pair(self) -> tuple[str, int]:
        """The address as sockets want it."""
        return self.address, self.port
