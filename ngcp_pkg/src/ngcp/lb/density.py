"""Who sends too much: messages are counted by source, and a source that exceeds its share is banned.

Messages and `now` come in; it says which of them to drop. Over UDP anybody can send in anybody's name, so
everything here is bounded, and who must never be banned has to be told: those are whitelisted.
"""

import ipaddress
import logging
from collections.abc import Iterable
from typing import Final

from ngcp.lb.expiring import ExpiringTable
from ngcp.lb.security import Security
from ngcp.lb.sources import network_of, read_source, source_of

#: Sources counted at a time, in some 4 MB; where there are more, counting begins anew before its unit is
#: over, so that a flood in many names makes us believe a little more of everybody.
SOURCES: Final = 32_768
#: What a request weighs; a response or a keep-alive, of which we cause many ourselves, weighs 1.
REQUEST: Final = 10
#: How many times more than a stranger a source may send from which a subscriber has logged in lately: all
#: phones of an office begin at once when the power is back, and they share one address.
TRUSTED: Final = 10
#: Seconds that "lately" means: no registration lasts longer without being refreshed.
LATELY: Final = 86_400.0

_log = logging.getLogger(__name__)


class Density:
    """Counts what comes from outside, and bans."""

    def __init__(self, security: Security, own: Iterable[str]) -> None:
        """Never ban those of the addresses `own`, whatever seems to come from there."""
        self.bans = ExpiringTable("ipban", security.dos_ban_time, key_of=read_source)
        self.trusted = ExpiringTable("trusted", LATELY)
        """Sources from which a subscriber has logged in."""
        self._banned = self.bans.entries
        self._security = security
        self._unit = security.dos_sampling_time_unit
        self._limit = security.dos_reqs_density_per_unit * REQUEST if security.dos_ban_enable else 0
        self._whitelist = frozenset(map(read_source, (*security.dos_whitelisted_ips, *own)))
        self._subnets = tuple(map(ipaddress.ip_network, security.dos_whitelisted_subnets))
        self._counts: dict[str, int] = {}
        self._ends = 0.0

    @property
    def counted(self) -> int:
        """Sources that are being counted now."""
        return len(self._counts)

    def refuses(self, data: bytes, host: str, now: float) -> bool:
        """Whether a message is to be dropped; asked of every message from outside, before it is read."""
        source = source_of(host) if ":" in host else host
        if source in self._banned and self.bans.get(source, now) is not None:
            return True
        if not self._limit:
            return False
        if now >= self._ends:
            self._begin(now)
        count = self._counts.get(source, 0)
        if not count and len(self._counts) >= SOURCES:
            self._begin(now)
        count += 1 if data.startswith(b"SIP/") or len(data) < REQUEST else REQUEST
        self._counts[source] = count
        return count > self._limit and self._exceeds(source, count, now)

    def is_banned(self, host: str, now: float) -> bool:
        """Whether nothing is accepted from an address."""
        return bool(self._banned) and self.bans.get(source_of(host), now) is not None

    def trust(self, host: str, now: float) -> None:
        """Learn that a subscriber has logged in from an address."""
        source = source_of(host)
        entry = self.trusted.entries.get(source)
        if entry is None or entry.ends < now + LATELY / 2:  # not with each of many logins
            self.trusted.set(source, 1, now)

    def _begin(self, now: float) -> None:
        self._counts.clear()
        self._ends = now + self._unit

    def _exceeds(self, source: str, count: int, now: float) -> bool:
        """Ban a source that had its share, unless it may have more."""
        if count <= self._limit * TRUSTED and self.trusted.get(source, now) is not None:
            return False
        if self._is_whitelisted(source):
            self._counts[source] = -(2**62)  # not asked again in this unit
            return False
        del self._counts[source]
        self.bans.set(source, 1, now)
        _log.warning(
            "banned %s for %d s: it sent more than %d requests in %d s",
            *(source, self.bans.lifetime, (count - 1) // REQUEST, self._unit),
        )
        return True

    def _is_whitelisted(self, source: str) -> bool:
        if source in self._whitelist:
            return True
        network = network_of(source)
        return any(network.version == subnet.version and network.overlaps(subnet) for subnet in self._subnets)
