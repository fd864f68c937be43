"""Files that are whole at every moment: written beside, flushed to the disk, then renamed into place.

A new file belongs to whom the old one belonged to. Several files are replaced as one: see `transaction`.
"""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ngcpcfg.problems import Problem, RefusedError

_STAGED: Final = ".ngcpcfg-new"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is to be."""

    path: Path
    content: bytes
    mode: int

    @property
    def beside(self) -> Path:
        """Where it is written before it takes its place."""
        return self.path.with_name(self.path.name + _STAGED)

    def is_on_disk(self) -> bool:
        """Tell whether the disk holds just this already."""
        try:
            return self.path.stat().st_mode & 0o7777 == self.mode and self.path.read_bytes() == self.content
        except (FileNotFoundError, NotADirectoryError):
            return False


def write(file: File) -> None:
    """Replace one file."""
    stage([file])
    file.beside.replace(file.path)
    sync([file.path])


def jot(file: File) -> None:
    """Replace one file that a power cut may take: nothing is waited for."""
    file.path.parent.mkdir(parents=True, exist_ok=True)
    file.beside.write_bytes(file.content)
    file.beside.chmod(file.mode)
    file.beside.replace(file.path)


def stage(files: Iterable[File]) -> None:
    """Write all beside their places or, if the disk refuses one of them, none; RefusedError tells which."""
    staged: list[Path] = []
    for file in files:
        try:
            if file.path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            file.path.parent.mkdir(parents=True, exist_ok=True)
            staged.append(file.beside)
            _write_through(file)
        except OSError as error:
            for left in staged:
                left.unlink(missing_ok=True)
            raise RefusedError(Problem(f"cannot be written: {error.strerror}", file.path)) from error


def sync(paths: Iterable[Path]) -> None:
    """Let the disk remember what was renamed or removed."""
    for directory in {path.parent for path in paths}:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_through(file: File) -> None:
    file.beside.unlink(missing_ok=True)  # left by a run that was killed
    with open(os.open(file.beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(file.content)
        if file.path.exists():
            owner = file.path.stat()
            os.fchown(stream.fileno(), owner.st_uid, owner.st_gid)
        os.fchmod(stream.fileno(), file.mode)
        stream.flush()
        os.fsync(stream.fileno())
