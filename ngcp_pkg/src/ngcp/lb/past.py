"""How many workers this node's load-balancer ever had: the phones of all of them must still be reached.

A registration or a call names the internal socket of the worker it came by, for hours. So we listen for as
many workers as there ever were; an operator who wants fewer deletes the file.
"""

import logging
import os
from pathlib import Path
from typing import Final

from ngcp.service.workers import MAXIMUM

FILE: Final = "workers"

_log = logging.getLogger(__name__)


def directory() -> Path | None:
    """Return the directory that systemd keeps for us; None where nobody does."""
    named = os.environ.get("STATE_DIRECTORY")
    return Path(named) if named else None


def most_workers(size: int, kept: Path | None) -> int:
    """Return the largest number of workers so far, `size` now, and note it in the directory `kept`."""
    if kept is None:
        return size
    file = kept / FILE
    try:
        before = _read(file)
        if before < size and size > 1:
            file.write_text(f"{size}\n")
    except OSError as error:
        _log.warning("%s: the number of workers is not remembered: %s", file, error.strerror)
        return size
    return max(before, size)


def _read(file: Path) -> int:
    """Return the number in the file; 1 without one, and for what is none."""
    if not file.exists():
        return 1
    text = file.read_bytes()[:8].strip()
    if not text.isdigit() or not 1 <= int(text) <= MAXIMUM:
        _log.warning("%s: a number from 1 to %d expected, found %r", file, MAXIMUM, text)
        return 1
    return int(text)
