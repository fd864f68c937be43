"""A flow: one transport between two socket addresses (RFC 5626 §3)."""

from functools import lru_cache
from typing import NamedTuple

#: Host and port; an IPv6 host is written without brackets.
Address = tuple[str, int]


class Flow(NamedTuple):
    """The way a message came, or the way it goes."""

    transport: str
    """`udp`, `tcp` or `tls`."""
    local: Address
    """Our own address."""
    remote: Address
    """The peer's address."""

    @property
    def is_reliable(self) -> bool:
        """Whether the transport retransmits by itself, so that the transaction need not (§17)."""
        return self.transport != "udp"


@lru_cache(4096)
def format_address(address: Address) -> str:
    """Write `host:port` as in a URI: an IPv6 host stands in brackets (RFC 5118 §4.1)."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_host(text: str) -> str:
    """Take the brackets off an IPv6 host."""
    return text[1:-1] if text.startswith("[") and text.endswith("]") else text
