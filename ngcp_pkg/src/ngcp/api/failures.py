"""Failed logins: who guesses is kept waiting. Keys and `now` come in; what is remembered is bounded."""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, TypeAlias

#: Failures of one login from one address, and of one address altogether, after which it has to wait.
OF_LOGIN: Final = 10
OF_ADDRESS: Final = 100
#: Seconds to wait since the last failure; thereafter all of them are forgotten.
BAN: Final = 300.0
#: Keys that are remembered, the newest; some 3 MB.
CAPACITY: Final = 10_000
#: Who has IPv6 has that many bits of addresses.
_PREFIX: Final = 64

Key: TypeAlias = tuple[str, str | None]


class Failures:
    """Counts failures by login and address together, so that nobody can lock somebody else out."""

    def __init__(self) -> None:
        self._failures: OrderedDict[Key, tuple[int, float]] = OrderedDict()

    def wait(self, login: str, address: str, now: float) -> float:
        """Return the seconds for which no login is taken; 0: it is."""
        return max(
            self._wait(key, limit, now)
            for key, limit in zip(_keys(login, address), (OF_LOGIN, OF_ADDRESS), strict=True)
        )

    def add(self, login: str, address: str, now: float) -> None:
        """Remember a failure."""
        for key in _keys(login, address):
            count, last = self._failures.pop(key, (0, now))
            self._failures[key] = (count + 1 if now < last + BAN else 1, now)
        while len(self._failures) > CAPACITY:
            self._failures.popitem(last=False)

    def forgive(self, login: str, address: str) -> None:
        """Forget the failures of a login, from there: its owner has come."""
        self._failures.pop(_keys(login, address)[0], None)

    def _wait(self, key: Key, limit: int, now: float) -> float:
        count, last = self._failures.get(key, (0, now))
        return max(0.0, last + BAN - now) if count >= limit else 0.0


def _keys(login: str, address: str) -> tuple[Key, Key]:
    source = _network(address)
    return (source, login), (source, None)


def _network(address: str) -> str:
    """Return what an address is counted as: IPv6 by the network that one site has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed.packed, _PREFIX), strict=False))
