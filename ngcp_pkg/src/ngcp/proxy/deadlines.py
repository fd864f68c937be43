"""When what must be ended: names and times, of which each name has one at most."""

import heapq
from typing import Final

#: Entries kept beyond those that are needed.
SPARE: Final = 1000
NEVER: Final = float("inf")


class Deadlines:
    """A queue of names; a new time replaces the old one."""

    def __init__(self) -> None:
        self._times: dict[str, float] = {}
        self._queue: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def next(self) -> float:
        """The earliest time there may be; `NEVER` if there is none."""
        return self._queue[0][0] if self._queue else NEVER

    def set(self, name: str, time: float) -> None:
        """Let `name` be due at `time`."""
        if self._times.get(name) == time:
            return
        self._times[name] = time
        heapq.heappush(self._queue, (time, name))
        if len(self._queue) > 2 * len(self._times) + SPARE:  # most are replaced or forgotten
            self._queue = [(time, name) for name, time in self._times.items()]
            heapq.heapify(self._queue)

    def forget(self, name: str) -> None:
        """Let `name` never be due."""
        self._times.pop(name, None)

    def pop(self, now: float) -> str | None:
        """Return, once, a name that is due; None if none is."""
        while self._queue and self._queue[0][0] <= now:
            time, name = heapq.heappop(self._queue)
            if self._times.get(name) == time:
                del self._times[name]
                return name
        return None
