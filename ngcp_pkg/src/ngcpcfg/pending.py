"""Which rendered files still have to be followed by their services, remembered on disk until they were.

A file is noted before it is replaced, so that neither a kill nor a power cut makes a service go on with an
old file unnoticed. The time of the replacement is noted after it: a service that was started later has read
the new file.
"""

import json
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ngcpcfg.writer import File, write

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
#: Not known to be complete: no service is new enough.
UNKNOWN: Final = math.inf


class Pending:
    """The notes of one node."""

    def __init__(self, state: Path) -> None:
        self._file = state / "pending.json"

    def load(self) -> dict[str, float]:
        """Give each noted file with the time of its replacement, on this boot's monotonic clock."""
        boot = _boot()
        return {target: self._time(note, boot) for target, note in self._notes().items()}

    def announce(self, targets: Iterable[str]) -> None:
        """Note that these files are about to be replaced."""
        self._store(self._notes() | dict.fromkeys(targets))

    def settle(self, targets: Iterable[str]) -> None:
        """Note that these files have just been replaced."""
        boot, now = _boot(), time.monotonic()
        self._store(self._notes() | {target: [boot, now] for target in targets})

    def clear(self) -> None:
        """Forget all: the services have followed."""
        self._file.unlink(missing_ok=True)

    def _notes(self) -> dict[str, list[object] | None]:
        try:
            notes: dict[str, list[object] | None] = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        return notes

    def _store(self, notes: dict[str, list[object] | None]) -> None:
        write(File(self._file, json.dumps(notes, indent=1).encode(), 0o600))

    @staticmethod
    def _time(note: list[object] | None, boot: str) -> float:
        match note:
            case [str(then), float(at)]:
                return at if then == boot else 0.0  # before a reboot is before everything that runs now
            case _:
                return UNKNOWN


def _boot() -> str:
    return _BOOT_ID.read_text().strip()
