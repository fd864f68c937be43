"""The logical interfaces: the sides of the node that media come from, and the ports that each has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ngcp.sdp import Connection

from .errors import OutOfPorts
from .ports import PortPair, PortPool

#: What commands call the usual interface, and the name of one that has none.
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Interface:
    """A name that commands know, and an address of either family, or of both."""

    name: str = ""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """By family, `IP4` or `IP6`."""

    def host(self, family: str) -> str:
        """Return the address of `family`, or of the other one if there is none."""
        return self.hosts.get(family) or next(iter(self.hosts.values()))


def group(addresses: Iterable[tuple[str, str]]) -> list[Interface]:
    """Make interfaces of names and addresses; raise `ValueError` if a name has two of one family."""
    hosts: dict[str, dict[str, str]] = {}
    for name, host in addresses:
        known = hosts.setdefault(name, {})
        family = Connection.of(host).family
        if family in known:
            raise ValueError(f"interface {name} has two addresses of one family, {known[family]} and {host}")
        known[family] = host
    return [Interface(name, known) for name, known in hosts.items()]


class Interfaces:
    """All of them; the first is the one for who does not say which. Ports belong to addresses."""

    def __init__(self, interfaces: Sequence[Interface], pools: Mapping[str, PortPool]) -> None:
        """Take at least one interface, and a pool for each of their addresses."""
        self._interfaces = {interface.name: interface for interface in interfaces}
        self._usual = interfaces[0]
        self._pools = pools

    def __len__(self) -> int:
        """Return how many pairs of ports are free."""
        return sum(map(len, self._pools.values()))

    def ports(self) -> dict[str, tuple[Interface, int, int]]:
        """Return each address with its interface and how many pairs are free and in use there."""
        return {
            host: (interface, len(self._pools[host]), self._pools[host].used)
            for interface in self._interfaces.values()
            for host in interface.hosts.values()
        }

    def named(self, name: str) -> Interface:
        """Return the interface called `name`, the usual one if there is none."""
        return self._interfaces.get(name, self._usual)

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Return those of `names` that no interface has; `default` is the usual one."""
        return [name for name in names if name not in self._interfaces and name != DEFAULT]

    def owner(self, host: str) -> Interface | None:
        """Return the interface that has the address `host`."""
        return next((one for one in self._interfaces.values() if host in one.hosts.values()), None)

    def take(self, hosts: Iterable[str]) -> list[PortPair]:
        """Bind and return a pair of ports on each of `hosts`, or raise `OutOfPorts` and keep none."""
        pairs: list[PortPair] = []
        try:
            for host in hosts:
                pairs += self._pools[host].take(1)
        except OutOfPorts:
            for pair in pairs:
                self.release(pair)
            raise
        return pairs

    def claim(self, pairs: Iterable[PortPair]) -> None:
        """Bind these pairs, or raise `OutOfPorts` and keep none."""
        claimed: list[PortPair] = []
        try:
            for pair in pairs:
                if pair.rtp[0] not in self._pools:
                    raise OutOfPorts
                self._pools[pair.rtp[0]].claim(pair)
                claimed.append(pair)
        except OutOfPorts:
            for pair in claimed:
                self.release(pair)
            raise

    def release(self, pair: PortPair) -> None:
        """Take a pair back."""
        self._pools[pair.rtp[0]].release(pair)
