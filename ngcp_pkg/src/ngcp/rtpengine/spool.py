"""Files: recordings, which grow, bounded in length and by the room on the disk; and sounds to be played.

A disk that is full costs the recording, never the call: one line in the log, and it goes on.
"""

import errno
import logging
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from ngcp.audio.wav import RATE, WIDTH, header

#: Share of the disk that is left free.
RESERVE: Final = 0.02
#: Bytes of a sound at most.
MAX_SOUND: Final = 64 << 20
#: Bytes after which the header is brought up to date, so that a crash costs little.
_STEP: Final = 10 * RATE * WIDTH
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9@._-]")

_log = logging.getLogger(__name__)


class Spool:
    """Opens recordings."""

    def __init__(self, directory: Path, longest: float, unix: Callable[[], float]) -> None:
        """Let none be longer than `longest` seconds."""
        self._directory = directory
        self._longest = longest
        self._unix = unix

    def open(self, call_id: str, channels: int) -> "WavFile | None":
        """Begin a recording of a call; None if that is not possible, which was logged."""
        stem = f"{_UNSAFE.sub('_', call_id)[:100].lstrip('.') or 'call'}-{int(self._unix())}"
        try:
            if self._is_full():
                raise OSError(f"less than {RESERVE:.0%} of the disk is free")
            file = _create(self._directory, stem)
            return WavFile(file, channels, int(self._longest * RATE) * WIDTH * channels, self._is_full)
        except OSError as error:
            _log.error("call %.100r is not recorded: %s", call_id, error)
            return None

    def _is_full(self) -> bool:
        usage = shutil.disk_usage(self._directory)
        return usage.free < RESERVE * usage.total


class WavFile:
    """One recording (a `Sink`)."""

    def __init__(self, file: BinaryIO, channels: int, most: int, is_full: Callable[[], bool]) -> None:
        self._file = file
        self._channels = channels
        self._most = most
        self._is_full = is_full
        self._size = self._stated = 0
        file.write(header(0, channels))

    def write(self, samples: bytes) -> bool:
        """Append samples; False, with a line in the log, if no more are taken."""
        samples = samples[: self._most - self._size]
        try:
            if self._size - self._stated >= _STEP:
                if self._is_full():
                    raise OSError(f"less than {RESERVE:.0%} of the disk is free")
                self._state()
            self._file.write(samples)
            self._size += len(samples)
            if self._size >= self._most:
                raise OSError("it is as long as it may be")
        except OSError as error:
            _log.error("recording %s ends early: %s", self._file.name, error)
            self.close()
            return False
        return True

    def close(self) -> None:
        """Say in the header how long it is."""
        try:
            self._state()
            self._file.close()
        except OSError as error:
            _log.error("recording %s: %s", self._file.name, error)

    def _state(self) -> None:
        self._stated = self._size
        self._file.seek(0)
        self._file.write(header(self._size, self._channels))
        self._file.seek(0, os.SEEK_END)
        self._file.flush()


class SoundFiles:
    """The files that may be played: those below one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, name: str) -> bytes:
        """Return the content of a file; raises OSError also for one that lies elsewhere."""
        directory = self._directory.resolve()
        path = (directory / name.replace("\0", "")).resolve()
        if not path.is_relative_to(directory):
            raise PermissionError(errno.EACCES, "not below the directory of sounds")
        if path.stat().st_size > MAX_SOUND:
            raise OSError(errno.EFBIG, "too large")
        return path.read_bytes()


def _create(directory: Path, stem: str) -> BinaryIO:
    """Open a new file; another recording of the same second gets a number."""
    for number in range(1000):
        path = directory / f"{stem}{f'-{number}' if number else ''}.wav"
        try:
            return open(path, "x+b", opener=lambda name, flags: os.open(name, flags, 0o640))
        except FileExistsError:
            continue
    raise FileExistsError(f"{stem}.wav and all its likes are there")
