"""Files that are whole at every moment: written beside, flushed to the disk, then renamed into place.

A new file belongs to whom the old one belonged to.
"""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ngcpcfg.problems import Problem, RefusedError

_STAGED = ".ngcpcfg-new"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is to be."""

    path: Path
    content: bytes
    mode: int

    def is_on_disk(self) -> bool:
        """Tell whether the disk holds just this already."""
        try:
            return self.path.stat().st_mode & 0o7777 == self.mode and self.path.read_bytes() == self.content
        except (FileNotFoundError, NotADirectoryError):
            return False


def write(files: Iterable[File]) -> None:
    """Write all or, if the disk refuses even one of them, none; RefusedError then tells which."""
    staged: list[tuple[Path, Path]] = []
    for file in files:
        beside = file.path.with_name(file.path.name + _STAGED)
        try:
            if file.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            file.path.parent.mkdir(parents=True, exist_ok=True)
            staged.append((beside, file.path))
            _write_through(beside, file)
        except OSError as error:
            for left, _ in staged:
                left.unlink(missing_ok=True)
            raise RefusedError(Problem(f"cannot be written: {error.strerror}", file.path)) from error
    for beside, path in staged:
        beside.replace(path)
    for directory in {path.parent for _, path in staged}:
        _sync(directory)


def _write_through(path: Path, file: File) -> None:
    path.unlink(missing_ok=True)  # left by a run that was killed
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(file.content)
        if file.path.exists():
            owner = file.path.stat()
            os.fchown(stream.fileno(), owner.st_uid, owner.st_gid)
        os.fchmod(stream.fileno(), file.mode)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
