"""A disk that ends the exporter at any of its steps, as a crash, a power loss or a full disk does."""

from collections.abc import Callable
from pathlib import Path

from ngcp.tools.export_files import Disk


class Crash(BaseException):
    """The process is no more."""


class FaultyDisk(Disk):
    """Fails at step number `at` in the way of `fault`; a power loss undoes what was not made durable.

    What is durable is known here, so nothing waits for the real disk.
    """

    def __init__(self, at: int, fault: str) -> None:
        self.at, self.fault = at, fault
        self.steps = 0
        self.writes: list[int] = []
        """Numbers of those steps that write."""
        self._undo: dict[Path, list[Callable[[], None]]] = {}

    def make(self, directory: Path) -> None:
        self._step(lambda: super(FaultyDisk, self).make(directory))
        self._later(directory.parent, lambda: _vanish(directory))

    def write(self, path: Path, content: bytes) -> None:
        if self.steps + 1 == self.at and self.fault in ("half", "full"):
            path.write_bytes(content[: len(content) // 2])
        self.writes.append(self.steps + 1)
        self._step(lambda: _put(path, content))
        self._later(path.parent, lambda: _vanish(path))

    def sync(self, directory: Path) -> None:
        assert directory.is_dir()
        self._step(lambda: None)
        self._undo.pop(directory, None)

    def move(self, source: Path, target: Path) -> None:
        self._step(lambda: super(FaultyDisk, self).move(source, target))
        self._later(target.parent, lambda: _rename(target, source))

    def remove(self, path: Path) -> None:
        content = path.read_bytes() if path.is_file() else None
        self._step(lambda: super(FaultyDisk, self).remove(path))
        if content is not None:
            self._later(path.parent, lambda: _put(path, content))

    def _step(self, work: Callable[[], None]) -> None:
        self.steps += 1
        if self.steps != self.at:
            work()
            return
        if self.fault == "full":
            raise OSError(28, "No space left on device")
        if self.fault == "power":
            work()
            self._lose()
        raise Crash

    def _later(self, directory: Path, undo: Callable[[], None]) -> None:
        self._undo.setdefault(directory, []).append(undo)

    def _lose(self) -> None:
        """Undo what no sync has made durable, the youngest first."""
        for undos in reversed(self._undo.values()):
            for undo in reversed(undos):
                undo()


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _rename(source: Path, target: Path) -> None:
    source.rename(target)


def _vanish(path: Path) -> None:
    if path.is_dir():
        for below in sorted(path.rglob("*"), reverse=True):
            _vanish(below)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
