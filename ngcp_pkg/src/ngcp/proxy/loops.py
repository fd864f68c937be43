"""Calls that are forwarded in a circle, which may lead through other networks and come back as new calls.

A circle is what brings the same caller, callee and destination five times within five seconds (platform.md
§1.3).
"""

from collections import OrderedDict
from typing import Final

from .call import Call

#: Forwards alike that are none yet, and the seconds in which they count.
MOST: Final = 5
WINDOW: Final = 5.0
#: Forwards remembered.
SIZE: Final = 10_000


class Loops:
    """Counts forwards."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, list[float]] = OrderedDict()

    def closes(self, call: Call, now: float) -> bool:
        """Note that a call is forwarded to its `uri`; tell whether that makes a circle."""
        key = f"{call.request.from_.address};{call.request.to.address};{call.uri}"
        times = [time for time in self._seen.pop(key, ()) if time > now - WINDOW]
        self._seen[key] = [*times[-MOST:], now]
        if len(self._seen) > SIZE:
            self._seen.popitem(last=False)
        return len(times) >= MOST
