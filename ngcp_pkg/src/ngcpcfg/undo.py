"""What files were before they were replaced, until their services have followed: the way back.

It is kept on disk, so that it outlives a run that was killed, and only on a node that has run with an earlier
configuration: before the first success there is nothing to go back to.
"""

import base64
import json
from collections.abc import Iterable

from ngcpcfg import transaction
from ngcpcfg.paths import Paths
from ngcpcfg.repository import Repository
from ngcpcfg.writer import File, write


class Undo:
    """The notes of one node."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._file = paths.state / "undo.json"
        self._success = paths.state / "applied"

    def keep(self, targets: Iterable[str]) -> None:
        """Note what these files are, unless an earlier state of them is noted already."""
        if self._success.exists():
            notes = {target: self._read(target) for target in targets} | self._notes()
            write(File(self._file, json.dumps(notes).encode(), 0o600))

    def forget(self) -> None:
        """Learn that all services run with the files as they are."""
        write(File(self._success, b"", 0o644))
        self._file.unlink(missing_ok=True)

    def targets(self) -> list[str]:
        """List the files that can be made what they were."""
        return list(self._notes())

    def restore(self) -> None:
        """Make the noted files what they were, all at once; the notes are gone then."""
        notes = self._notes()
        files = [
            File(self._paths.on_disk(target), base64.b64decode(note[1]), int(note[0]))
            for target, note in notes.items()
            if note is not None
        ]
        gone = [self._paths.on_disk(target) for target, note in notes.items() if note is None]
        transaction.replace(self._paths.state, files, [path for path in gone if path.exists()])
        self._file.unlink(missing_ok=True)

    def _read(self, target: str) -> tuple[int, str] | None:
        path = self._paths.on_disk(target)
        if not path.is_file():
            return None
        return path.stat().st_mode & 0o7777, base64.b64encode(path.read_bytes()).decode()

    def _notes(self) -> dict[str, tuple[int, str] | None]:
        try:
            notes: dict[str, tuple[int, str] | None] = json.loads(self._file.read_text())
        except FileNotFoundError:
            return {}
        return notes


class Rejected:
    """The configuration that was taken back last."""

    def __init__(self, paths: Paths) -> None:
        self._repository = Repository(paths.main)
        self._file = paths.state / "rejected"

    def note(self) -> None:
        """Note that the configuration as it is was taken back."""
        write(File(self._file, self._repository.snapshot().encode(), 0o644))

    def is_current(self) -> bool:
        """Tell whether the configuration still is the one that was taken back."""
        return self._file.exists() and self._file.read_text() == self._repository.snapshot()

    def forget(self) -> None:
        """Learn that it works now."""
        self._file.unlink(missing_ok=True)
