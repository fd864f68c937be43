"""Files of exported CDRs: what is in them, and how they come out whole or not at all.

A file is laid down below `.staged` and is durable there before the database learns of it; it is brought out
by one rename, once the database has it. So whatever ends the exporter, the marks tell which of the staged
files count: those are brought out by whoever looks next, all others are removed, and their numbers are free.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

from ngcp.provisioning.cdr_export import SYSTEM, Marks
from ngcp.service.durable import sync_directory

STAGED: Final = ".staged"
QUOTE: Final = "'"
#: What would end a line, or a file's name.
_CONTROLS: Final = dict.fromkeys(range(32), " ")


class NotWritten(Exception):
    """The disk is full, or a file could not be written for another reason."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How files are called, and in which folders they are."""

    prefix: str = "ngcp"
    version: str = "007"
    suffix: str = "cdr"
    monthly_folder: bool = True
    daily_folder: bool = True

    def place(self, series: str, sequence: int, now: datetime) -> PurePosixPath:
        """Return the path of a series' file with that number."""
        folder = PurePosixPath(series)
        if self.monthly_folder:
            folder /= f"{now:%Y%m}"
        if self.daily_folder:
            folder /= f"{now:%d}" if self.monthly_folder else f"{now:%Y%m%d}"
        return folder / f"{self.prefix}_{self.version}_{now:%Y%m%d%H%M%S}_{sequence:010}.{self.suffix}"


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file with a number in a series."""

    owner: int
    """The series, as marks name it."""
    sequence: int
    place: PurePosixPath
    content: bytes


def series(owner: int, name: str) -> str:
    """Return the folder of a series; a reseller's has his name, as far as it can be one."""
    if owner == SYSTEM:
        return "system"
    folder = name.translate(_CONTROLS).replace("/", "_").strip()
    return f"resellers/{folder if folder.strip('.') else f'{folder}_{owner}'}"


def render(version: str, lines: Sequence[str]) -> bytes:
    """Return a file's content: version and number of lines, the lines, and the MD5 sum of all that."""
    text = "".join(f"{line}\n" for line in (f"{version},{len(lines):04}", *lines)).encode()
    return text + hashlib.md5(text, usedforsecurity=False).hexdigest().encode() + b"\n"


def line_of(values: Sequence[object]) -> str:
    """Return a line: each value in quotes, a quote in it twice."""
    return ",".join(f"{QUOTE}{_text(value).replace(QUOTE, QUOTE * 2)}{QUOTE}" for value in values)


def _text(value: object) -> str:
    return "" if value is None else str(value).translate(_CONTROLS)


class Disk:
    """The file system: each method is a step, after which the machine may stop."""

    def make(self, directory: Path) -> None:
        """Make a directory whose parent is there."""
        directory.mkdir()

    def write(self, path: Path, content: bytes) -> None:
        """Write a new file, durably but for its name."""
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def sync(self, directory: Path) -> None:
        """Make durable which files are in a directory."""
        sync_directory(directory)

    def move(self, source: Path, target: Path) -> None:
        """Give a file another name."""
        source.rename(target)

    def remove(self, path: Path) -> None:
        """Remove a file, or an empty directory."""
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()


class Shelf:
    """Where files are laid down, and brought out."""

    def __init__(self, directory: Path, disk: Disk) -> None:
        self._directory = directory
        self._staged = directory / STAGED
        self._disk = disk

    def lay_down(self, files: Sequence[ExportFile]) -> None:
        """Keep files where nobody sees them yet, durably, and make their folders. Raises NotWritten."""
        for file in files:
            path = self._staged / str(file.owner) / str(file.sequence) / file.place
            try:
                self._prepare(path.parent)
                self._disk.write(path, file.content)
                self._disk.sync(path.parent)
                self._prepare((self._directory / file.place).parent)
            except OSError as error:
                raise NotWritten(f"{self._directory / file.place}: {error.strerror}") from error

    def bring_out(self, marks: Marks) -> Iterator[Path]:
        """Bring out what the marks know, remove the rest; yield what came out. Raises OSError."""
        for sequence, owner, path in sorted(self._laid_down()):
            if sequence <= marks.get(owner, 0):
                target = self._directory / path.relative_to(self._staged / str(owner) / str(sequence))
                if target.exists():
                    raise FileExistsError(f"{target} is there already, and {path} is to become it")
                self._disk.move(path, target)
                self._disk.sync(target.parent)
                yield target
            else:
                self._disk.remove(path)
                self._disk.sync(path.parent)  # its number is given again
        self._tidy()

    def _laid_down(self) -> Iterator[tuple[int, int, Path]]:
        for path in self._staged.rglob("*"):
            if path.is_file():
                owner, sequence = path.relative_to(self._staged).parts[:2]
                yield int(sequence), int(owner), path

    def _prepare(self, directory: Path) -> None:
        """Make a directory and those above it, durably."""
        missing = [one for one in (directory, *directory.parents) if not one.exists()]
        for one in reversed(missing):
            self._disk.make(one)
            self._disk.sync(one.parent)

    def _tidy(self) -> None:
        """Remove the folders of what was laid down."""
        for folder in sorted((one for one in self._staged.rglob("*") if one.is_dir()), reverse=True):
            self._disk.remove(folder)
