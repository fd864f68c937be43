"""Rounds through all bindings: each is visited once an interval, some hundred at a time."""

from collections.abc import Callable
from typing import Final

from ngcp.sip.core.bindings import Binding, Update
from ngcp.sip.core.registrar import SHARDS
from ngcp.sip.syntax import Response
from ngcp.sip.transport import Flow

from .locations import Locations
from .pings import Pings

#: Bindings of a visit, about: as many pings leave at once, which any socket's buffer holds.
CROWD: Final = 100
#: Visits of a round at least, however few bindings there are.
VISITS: Final = 8


class Rounds:
    """Forgets what is over, and pings what wants it."""

    def __init__(
        self,
        locations: Locations,
        pings: Pings,
        interval: float,
        send: Callable[[bytes, Flow], None],
        now: float,
    ) -> None:
        """`interval` is a round's length in seconds, `now` monotonic; `send` takes a message and its way."""
        self._locations = locations
        self._pings = pings
        self._interval = interval
        self._send = send
        self._place = 0
        self._is_dirty = False
        self.due = now
        """When `visit` wants to be called."""

    def visit(self, now: float, unix: float) -> bool:
        """Visit some shards if it is time; whether a round ended and the table holds what is over.

        Who comes late visits no more of them for it: there is no burst, the round takes longer.
        """
        if now < self.due:
            return False
        crowd = len(self._locations.registrar) // CROWD
        end = min(SHARDS, self._place + max(1, SHARDS // max(VISITS, crowd)))
        wait = self._interval * (end - self._place) / SHARDS
        self.due = max(self.due, now - wait) + wait
        self._visit(range(self._place, end), unix)
        self._place = end % SHARDS
        if self._place:
            return False
        self._pings.start_round()
        was_dirty, self._is_dirty = self._is_dirty, False
        return was_dirty

    def _visit(self, shards: range, unix: float) -> None:
        registrar = self._locations.registrar
        if registrar.expire(unix, shards):
            self._is_dirty = True
        for binding in [binding for number in shards for binding in registrar.in_shard(number)]:
            if self._pings.is_lost(binding):
                self._forget(binding)
            elif (ping := self._pings.ping(binding, unix)) is not None:
                self._send(*ping)

    def hear(self, response: Response, unix: float) -> None:
        """Take the answer to a ping."""
        binding = self._pings.hear(response, unix)
        if binding is not None:
            self._forget(binding)

    def _forget(self, binding: Binding) -> None:
        """End a registration whose phone is gone, unless it is just coming back by another way."""
        if not self._locations.is_changing(binding.aor):
            self._locations.store(Update(binding.aor, removed=[binding]), lambda error: None)
