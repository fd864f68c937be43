"""Far-end NAT: whether a phone is elsewhere than it says (what Kamailio's nat_uac_test asks).

What a phone writes in Via and Contact is compared with where its message came from. The answer is
remembered: a phone says the same from the same address all day.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from ngcp.net.udp import family_of
from ngcp.sip.errors import SipError
from ngcp.sip.syntax.fields import NameAddr, Via
from ngcp.sip.syntax.memory import LONGEST, SIZE, remembered
from ngcp.sip.syntax.uri import Uri
from ngcp.sip.transport.flow import Address, Flow, parse_host

Network = IPv4Network | IPv6Network

#: Addresses that mean nothing outside of their own network (RFC 1918, 6598, 3927, 4193, 4291).
PRIVATE: Final = tuple(
    map(
        ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
            *("fc00::/7", "fe80::/10"),
        ),
    )
)


class NatTest:
    """Asks of each phone whether a NAT is in between; sources of `exceptions` are never behind one."""

    def __init__(self, exceptions: Iterable[Network] = ()) -> None:
        self._exceptions = tuple(exceptions)
        self._is_natted = lru_cache(SIZE)(self._compare)
        self._leads_inside = lru_cache(SIZE)(_is_private)

    def is_natted(self, flow: Flow, via: Via, contact: str | None) -> bool:
        """Whether a request that came by `flow` came through a NAT, by its topmost Via and its Contact."""
        if contact is not None and len(contact) > LONGEST:
            return self._compare(flow, via.host, via.sent_by[1], contact)
        return self._is_natted(flow, via.host, via.sent_by[1], contact)

    def leads_inside(self, uri: str, remote: Address) -> bool:
        """Whether `uri`, of the phone at `remote`, names an address behind a NAT."""
        if len(uri) > LONGEST:
            return _is_private(uri, remote[0])
        return self._leads_inside(uri, remote[0])

    def _compare(self, flow: Flow, via_host: str, via_port: int, contact: str | None) -> bool:
        host, port = flow.remote
        if self._exceptions and _is_in(host, self._exceptions):
            return False
        named = parse_host(via_host)
        if named != host and family_of(named) is not None and ip_address(named) != ip_address(host):
            return True
        if flow.transport == "udp" and via_port != port:
            return True
        try:
            return contact is not None and _is_private(NameAddr.parse(contact).address, host)
        except SipError:
            return False


def _is_private(uri: str, host: str) -> bool:
    """Whether a URI names a private address that is not `host`."""
    try:
        named = parse_host(Uri.parse(uri).host)
    except SipError:
        return False
    return named != host and _names_private(named)


@remembered
def _names_private(host: str) -> bool:
    return family_of(host) is not None and _is_in(host, PRIVATE)


def _is_in(host: str, networks: tuple[Network, ...]) -> bool:
    address = ip_address(host)
    return any(address in network for network in networks)
