"""What counts as one sender: an IPv4 address, or the /64 of an IPv6 address.

Whoever has one address of a /64 has all of them (RFC 4291 §2.5.1), and could send each message from another.
A source is written as an address: that of the sender, or the first one of its /64.
"""

import ipaddress
import socket
from functools import lru_cache


def source_of(host: str) -> str:
    """Return the source of an IP address, as the kernel writes it."""
    return _first_of(host) if ":" in host else host


@lru_cache(4096)
def _first_of(host: str) -> str:
    packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
    return socket.inet_ntop(socket.AF_INET6, packed[:8] + bytes(8))


def read_source(text: str) -> str:
    """Return the source of an address that a person wrote, or raise `ValueError`."""
    return source_of(str(ipaddress.ip_address(text.strip())))


def network_of(source: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """Return all addresses of a source."""
    return ipaddress.ip_network(f"{source}/{64 if ':' in source else 32}")
