"""Connection data: `IN IP4 198.51.100.1` in lines c=, o= and a=rtcp (RFC 4566 §5.7)."""

import ipaddress
from functools import lru_cache
from typing import Final, NamedTuple, Self

from .errors import SdpError

FAMILIES: Final = ("IP4", "IP6")


class Connection(NamedTuple):
    """An address and its family; the host is a literal address or a domain name."""

    family: str
    host: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `IN IP4 host`, leaving out the TTL and count that multicast addresses carry."""
        fields = text.split()
        if len(fields) != 3 or fields[0] != "IN" or fields[1] not in FAMILIES:
            raise SdpError(f"unknown connection data {text[:100]!r}")
        return cls(fields[1], fields[2].partition("/")[0])

    @classmethod
    def of(cls, host: str) -> Self:
        """Describe a literal address."""
        return cls("IP6" if ":" in host else "IP4", host)

    def __str__(self) -> str:
        return f"IN {self.family} {self.host}"

    @property
    def is_unspecified(self) -> bool:
        """Whether this is the zero address, by which RFC 2543 put a stream on hold (RFC 3264 §8.4)."""
        return _is_unspecified(self.host)


@lru_cache(1024)
def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
