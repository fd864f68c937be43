"""The pool of port pairs: an even port for RTP and the next odd one for RTCP (RFC 3550 §11)."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from .errors import OutOfPorts
from .flows import Address, Binder


class PortPair(NamedTuple):
    """Two bound ports for one side of one media stream."""

    rtp: Address
    rtcp: Address


class PortPool:
    """Pairs of ports on one address; the pair that has been free for longest goes out first.

    So a late packet of an ended call does not reach the next one.
    """

    def __init__(self, host: str, even_ports: Iterable[int], binder: Binder) -> None:
        """Hand out pairs in the order of `even_ports`."""
        self._host = host
        self._free = deque(even_ports)
        self._binder = binder
        self.used = 0
        """How many pairs are out."""

    def __len__(self) -> int:
        """Return how many pairs are free."""
        return len(self._free)

    def take(self, count: int) -> list[PortPair]:
        """Bind and return `count` pairs; if there are not so many, raise `OutOfPorts` and keep none."""
        pairs: list[PortPair] = []
        try:
            while len(pairs) < count:
                pairs.append(self._take())
        except OutOfPorts:
            for pair in pairs:
                self.release(pair)
            raise
        return pairs

    def claim(self, pair: PortPair) -> None:
        """Bind one certain pair, or raise `OutOfPorts`."""
        if pair.rtp[1] not in self._free or not self._bind(pair):
            raise OutOfPorts
        self._free.remove(pair.rtp[1])
        self.used += 1

    def release(self, pair: PortPair) -> None:
        """Take a pair back."""
        for address in pair:
            self._binder.close(address)
        self._free.append(pair.rtp[1])
        self.used -= 1

    def _take(self) -> PortPair:
        """Pass over ports that somebody else has."""
        for _ in range(len(self._free)):
            port = self._free.popleft()
            pair = PortPair((self._host, port), (self._host, port + 1))
            if self._bind(pair):
                self.used += 1
                return pair
            self._free.append(port)
        raise OutOfPorts

    def _bind(self, pair: PortPair) -> bool:
        if not self._binder.bind(pair.rtp):
            return False
        if not self._binder.bind(pair.rtcp):
            self._binder.close(pair.rtp)
            return False
        return True
