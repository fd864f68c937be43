"""Messages that wait for MariaDB: a file for each, which is whole or not there.

Nobody's messages lie in files while the database is there, but for those that are being recorded (`drafts`).
"""

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ngcp.provisioning.voicemail import Recording
from ngcp.service.durable import sync_directory

#: How the name of a file ends that is whole, and of one that is being written.
WHOLE: Final = ".message"
PART: Final = ".part"
#: Of one that the database does not take, for whoever finds out why.
REFUSED: Final = ".refused"

_log = logging.getLogger(__name__)


class BadFile(ValueError):
    """A file that holds no message."""


class Hold:
    """One directory of ours. What touches the disk may take a while: call it from a thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def load(self) -> dict[str, int]:
        """Return keys and sizes of what waits, the oldest first; what was being written at a crash goes."""
        try:
            files = [(path.stat(), path) for path in self._directory.iterdir() if path.is_file()]
        except FileNotFoundError:
            return {}
        for _, path in files:
            if path.suffix == PART:
                path.unlink(missing_ok=True)
        whole = sorted(
            (stat.st_mtime, path.stem, stat.st_size) for stat, path in files if path.suffix == WHOLE
        )
        return {key: size for _, key, size in whole}

    def put(self, recording: Recording) -> int:
        """Write a message and return how large its file is; raises OSError."""
        facts = asdict(recording)
        wav = facts.pop("wav")
        head = json.dumps(facts).encode() + b"\n"
        path = self._path(recording.key, PART)
        try:
            with path.open("wb") as file:
                file.write(head)
                file.write(wav)
                file.flush()
                os.fsync(file.fileno())
            path.rename(self._path(recording.key, WHOLE))
        except OSError:
            path.unlink(missing_ok=True)
            raise
        sync_directory(self._directory)
        return len(head) + len(wav)

    def get(self, key: str) -> Recording:
        """Read a message; raises OSError or `BadFile`."""
        head, _, wav = self._path(key, WHOLE).read_bytes().partition(b"\n")
        try:
            facts: Mapping[str, Any] = json.loads(head)
            return Recording(**facts, wav=wav)
        except (ValueError, TypeError) as error:
            raise BadFile(f"{self._path(key, WHOLE)} holds no message: {error}") from error

    def drop(self, key: str) -> None:
        """Remove a message that is stored by now."""
        self._path(key, WHOLE).unlink(missing_ok=True)

    def refuse(self, key: str) -> None:
        """Put a message aside."""
        try:
            self._path(key, WHOLE).rename(self._path(key, REFUSED))
        except OSError as error:
            _log.error("%s cannot be put aside: %s", self._path(key, WHOLE), error)

    def _path(self, key: str, ending: str) -> Path:
        return self._directory / f"{key}{ending}"
