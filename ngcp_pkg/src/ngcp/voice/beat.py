"""The clock of a studio: 20 ms after 20 ms, as long as somebody needs it."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from .stream import PACE
from .studio import Studio

#: Seconds that are made up for, beat upon beat, so that listeners are not behind from then on; more is lost.
BEHIND: Final = 0.1

_log = logging.getLogger(__name__)


class Beat:
    """Strikes for one studio."""

    def __init__(self, studio: Studio, now: Callable[[], float], transmit: Callable[[], None]) -> None:
        """Read the clock of the core by `now`; `transmit` is called when messages wait."""
        self._studio, self._now, self._transmit = studio, now, transmit
        self._next = 0.0
        self._handle: asyncio.TimerHandle | None = None
        studio.begun = self._begin

    def close(self) -> None:
        """Strike no more."""
        if self._handle is not None:
            self._handle.cancel()

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._next = loop.time() + PACE
        self._handle = loop.call_at(self._next, self._strike)

    def _strike(self) -> None:
        """Let the time of a frame pass; where the machine was busy, catch up, but not with everything."""
        loop = asyncio.get_running_loop()
        try:
            self._studio.beat(self._now())
            self._transmit()
        except Exception:  # the door of a worker: the others' audio goes on
            _log.exception("a beat failed")
        if self._studio.is_idle:
            self._handle = None
            return
        self._next = max(self._next + PACE, loop.time() - BEHIND)
        self._handle = loop.call_at(self._next, self._strike)
