"""Many files replaced as one: after a kill or a power cut at any moment all are old, or all are new.

All are written beside their places first. Then a journal says so, and from that moment on they are new:
whoever finds the journal puts the rest in place. That is a child in a session of its own, which goes on if
its parent is killed, or after a power cut the next run (`recover`), at the latest the one at boot.
"""

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from ngcpcfg import messages
from ngcpcfg.problems import RefusedError
from ngcpcfg.writer import File, stage, sync, write

_JOURNAL: Final = "transaction.json"
_STAGING, _REPLACING = "staging", "replacing"


def replace(state: Path, files: Collection[File], removed: Collection[Path] = ()) -> None:
    """Replace files and remove others, as one; RefusedError if the disk refuses even one of them."""
    if not files and not removed:
        return
    journal = state / _JOURNAL
    note(journal, _STAGING, files, removed)
    try:
        stage(files)
    except RefusedError:
        journal.unlink()
        raise
    note(journal, _REPLACING, files, removed)
    child = os.fork()
    if child == 0:
        _finish_and_exit(journal)
    os.waitpid(child, 0)
    recover(state)  # nothing is left to do, unless somebody killed the child


def recover(state: Path) -> None:
    """Finish what a run that was killed has begun, or take back what it had only prepared."""
    journal = state / _JOURNAL
    try:
        noted = json.loads(journal.read_text())
    except FileNotFoundError:
        return
    if noted["phase"] == _REPLACING:
        messages.debug(f"putting {len(noted['files'])} files in place that an interrupted run has left")
        _finish(journal)
        return
    for path in map(Path, noted["files"]):
        File(path, b"", 0).beside.unlink(missing_ok=True)
    journal.unlink()


def is_under_way(state: Path) -> bool:
    """Tell whether files are being replaced, or were when a run was killed."""
    return (state / _JOURNAL).exists()


def note(journal: Path, phase: str, files: Collection[File], removed: Collection[Path]) -> None:
    """Write the journal: whoever finds it knows what to do."""
    noted = {
        "phase": phase,
        "files": [str(file.path) for file in files],
        "removed": [str(path) for path in removed],
    }
    write(File(journal, json.dumps(noted, indent=1).encode(), 0o600))


def _finish_and_exit(journal: Path) -> None:
    status = 1
    try:
        os.setsid()
        _finish(journal)
        status = 0
    finally:
        os._exit(status)


def _finish(journal: Path) -> None:
    noted = json.loads(journal.read_text())
    paths = [Path(name) for name in noted["files"]]
    for path in paths:
        beside = File(path, b"", 0).beside
        if beside.exists():
            beside.replace(path)
    for path in map(Path, noted["removed"]):
        path.unlink(missing_ok=True)
    sync([*paths, *(Path(name) for name in noted["removed"])])
    journal.unlink()
