"""Log lines for the journal: `<priority>logger: text` on standard error, bounded in size and rate.

A peer can make us log, so it must not be able to fill the disk or forge lines: control characters are
escaped, long lines and tracebacks cut, and lines of one kind (same logger, level and format string) pass in a
burst of `BURST` and then once a second; the next line that passes says how many did not. Nor can it make us
wait: what the journal does not take at once is lost, and counted.
"""

import logging
import os
import socket
import stat
import sys
import time
from collections.abc import Callable
from typing import Final

BURST: Final = 10.0
LONGEST_LINE: Final = 1000
#: Lines of a record, a traceback's last ones.
MOST_LINES: Final = 60
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
            lines += self.formatException(record.exc_info).splitlines()[-MOST_LINES:]
        priority = next((number for level, number in _PRIORITIES if record.levelno >= level), 7)
        return "\n".join(f"<{priority}>{line.translate(_CONTROL)[:LONGEST_LINE]}" for line in lines)


class JournalHandler(logging.Handler):
    """Writes to the journal's socket, which systemd makes our standard error, without ever waiting for it."""

    def __init__(self, journal: socket.socket) -> None:
        super().__init__()
        self._journal = journal
        self._lost = 0
        self._is_torn = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, or count it as lost."""
        lines = f"{self.format(record)}\n".encode(errors="backslashreplace")
        if self._lost:
            lines = f"<4>{__name__}: {self._lost} lines were lost: the journal was busy\n".encode() + lines
        if self._is_torn:  # the rest of a line that was begun is lost, too
            lines = b"\n" + lines
        try:
            sent = self._journal.send(lines, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except OSError:  # it is busy, or about to be started again
            self._lost += 1
        else:
            self._is_torn = sent < len(lines)
            self._lost = int(self._is_torn)


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
    handler = _handler()
    handler.setFormatter(JournalFormatter())
    handler.addFilter(FloodFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging._srcfile = None  # no line says where it is from, and a suppressed one costs a third less


def _handler() -> logging.Handler:
    """Return one that cannot block where systemd runs us; a terminal or a file is written as it comes."""
    try:
        if stat.S_ISSOCK(os.fstat(sys.stderr.fileno()).st_mode):
            return JournalHandler(socket.socket(fileno=os.dup(sys.stderr.fileno())))
    except (OSError, ValueError, AttributeError):  # there is no standard error, or one that is no descriptor
        pass
    return logging.StreamHandler(sys.stderr)
