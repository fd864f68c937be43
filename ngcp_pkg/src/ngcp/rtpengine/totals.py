"""What has been since the start: calls and how they ended, packets of streams that are over."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from .flows import Counters


class Cause(StrEnum):
    """Why a call is over."""

    DELETED = "deleted"
    """Somebody said so."""
    NO_MEDIA = "no media"
    """Media were due, and none came."""
    SILENT = "on hold for too long"
    NO_ANSWER = "no answer"
    TOO_LONG = "longest duration"
    """It lasted as long as any call may."""


class Totals:
    """Counts; nothing is ever taken back."""

    def __init__(self, started: float) -> None:
        self.started = started
        self.commands: Counter[str] = Counter()
        """Commands by name; `error` for all that were refused."""
        self.calls = 0
        """Calls that began."""
        self.ended: Counter[Cause] = Counter()
        self.seconds = 0.0
        """How long the calls lasted that ended."""
        self.refused = 0
        """Offers for which there were no ports."""
        self.packets = self.bytes = self.errors = 0
        """What arrived for streams that are over."""
        self.one_way = self.no_way = 0
        """Streams that only one side, or neither, has sent anything on."""

    def end(self, cause: Cause, seconds: float) -> None:
        """Count a call that is over."""
        self.ended[cause] += 1
        self.seconds += seconds

    def add_media(self, sides: Sequence[Sequence[Counters]]) -> None:
        """Count what the streams of a media section received, RTP first, on either side."""
        for counters in (one for side in sides for one in side):
            self.add_packets(counters)
        silent = sum(side[0].packets == 0 for side in sides)
        self.one_way += silent == 1
        self.no_way += silent == 2

    def add_packets(self, counters: Counters) -> None:
        """Count what a port received that is given up."""
        self.packets += counters.packets
        self.bytes += counters.bytes
        self.errors += counters.errors
