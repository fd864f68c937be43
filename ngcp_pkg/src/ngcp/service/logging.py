"""Log lines for the journal: `<priority>logger: text` on standard error, bounded in size and rate.

A peer can make us log, so it must not be able to fill the disk or forge lines: control characters are
escaped, long lines cut, and lines of one kind (same logger, level and format string) pass in a burst of
`BURST` and then once a second; the next line that passes says how many did not.
"""

import logging
import sys
import time
from collections.abc import Callable
from typing import Final

BURST: Final = 10.0
LONGEST_LINE: Final = 1000
#: Format strings come from the source, so their number is small; this bounds careless ones.
MAXIMUM_KINDS: Final = 1000

_PRIORITIES: Final = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (logging.DEBUG, 7),
)
_CONTROL: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


class JournalFormatter(logging.Formatter):
    """Writes one record as lines that sd-daemon(3) understands."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the escaped text, a traceback included, each line led by its priority."""
        lines = [f"{record.name}: {record.getMessage()}"]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        priority = next((number for level, number in _PRIORITIES if record.levelno >= level), 7)
        return "\n".join(f"<{priority}>{line.translate(_CONTROL)[:LONGEST_LINE]}" for line in lines)


class FloodFilter(logging.Filter):
    """Lets a burst of records of one kind pass, then one a second."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, int, str], _Bucket] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record passes; it then carries the count of those held back before it."""
        kind = (record.name, record.levelno, str(record.msg))
        now = self._clock()
        if kind not in self._kinds and len(self._kinds) >= MAXIMUM_KINDS:
            self._kinds.clear()
        bucket = self._kinds.setdefault(kind, _Bucket(now))
        if not bucket.take(now):
            return False
        if bucket.suppressed:
            record.msg = f"{record.getMessage()} ({bucket.suppressed} more like this were not logged)"
            record.args = ()
            bucket.suppressed = 0
        return True


class _Bucket:
    """A token bucket that gains one token a second."""

    __slots__ = ("_at", "_tokens", "suppressed")

    def __init__(self, now: float) -> None:
        self._at = now
        self._tokens = BURST
        self.suppressed = 0

    def take(self, now: float) -> bool:
        self._tokens = min(BURST, self._tokens + now - self._at)
        self._at = now
        if self._tokens < 1.0:
            self.suppressed += 1
            return False
        self._tokens -= 1.0
        return True


def configure(level: int = logging.INFO) -> None:
    """Send every record of this process to standard error, in the journal's format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter())
    handler.addFilter(FloodFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
