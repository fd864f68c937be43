"""Whom addresses speak for: peers, and sources that subscribers trust; found by address, of one platform."""

from collections.abc import Mapping
from functools import lru_cache

from ngcp.provisioning.patterns import find
from ngcp.provisioning.runtime import Platform, TrustedSource
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import NameAddr, Request, Uri


class Sources:
    """What is known of addresses, until the platform changes."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.peers = frozenset(peer.ip for group in platform.peer_groups for peer in group.peers)
        """Addresses of peers."""
        self._trusted: dict[str, list[TrustedSource]] = {}
        for source in platform.trusted:
            self._trusted.setdefault(source.ip, []).append(source)

    def trusted(self, request: Request, ip: str) -> TrustedSource | None:
        """Return the trusted source that a request comes from."""
        known = self._trusted.get(ip)
        if known is None:
            return None
        transport = (request.get("p-ngcp-src-proto") or "udp").upper()
        address = request.from_.address
        return next((source for source in known if _is_from(source, transport, address)), None)


def _is_from(source: TrustedSource, transport: str, address: str) -> bool:
    wanted = source.transport.upper()
    if wanted not in ("ANY", transport):
        return False
    return not source.from_pattern or find(source.from_pattern, address) is not None


def fields(request: Request) -> Mapping[str, str]:
    """Return what inbound rules look at: parts of From, To, Request-URI and P-Asserted-Identity."""
    told = {
        "from": request.from_.address,
        "to": request.to.address,
        "ruri": request.uri,
        "pai": address_in(request, "p-asserted-identity") or "",
    }
    found: dict[str, str] = {}
    for name, address in told.items():
        user, domain = _parts(address)
        found |= {f"{name}_uri": address, f"{name}_user": user, f"{name}_domain": domain}
    return found


def address_in(request: Request, header: str) -> str | None:
    """Return the address in the first value of a header; `header` is its canonical name."""
    if header not in request:
        return None
    try:
        return NameAddr.parse(request.first(header), header).address
    except SipError:
        return None


def user_of(address: str) -> str:
    """Return whom an address names, empty if it cannot be read."""
    return _parts(address)[0]


@lru_cache(4096)
def _parts(address: str) -> tuple[str, str]:
    try:
        uri = Uri.parse(address)
    except SipError:
        return "", ""
    return uri.name, uri.host
