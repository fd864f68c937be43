"""`ngcpcfg patch`: an operator's change to a template as a patch, which survives new versions of it.

`X.patchtt.j2`, a unified diff, is applied to `X.j2`; what comes out is `X.customtt.j2`. One that does not fit
any more stops the build: the operator decides, not chance. The same goes for `.tt2`, and for files that are
meant for one node (`X.patchtt.j2.HOST`).
"""

import difflib
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ngcpcfg import messages, report
from ngcpcfg.paths import Paths
from ngcpcfg.problems import Problem, RefusedError
from ngcpcfg.writer import File, write

_NAME: Final = re.compile(
    r"(?P<stem>.+)\.(?P<kind>patchtt|customtt)(?P<language>\.j2|\.tt2)(?P<node>\.[\w-]+)?"
)


def made(paths: Paths, names: Sequence[str] = ()) -> list[File]:
    """Make the customtt of each patch, or of those meant; those that differ from the disk."""
    problems: list[Problem] = []
    files: list[File] = []
    for patch in _meant(paths.templates, "patchtt", names):
        try:
            files.append(_patched(patch))
        except RefusedError as error:
            problems += error.problems
    if problems:
        raise RefusedError(problems)
    return [file for file in files if not file.is_on_disk()]


def derived(paths: Paths, names: Sequence[str] = ()) -> list[File]:
    """Make a patch out of each customtt, or of those meant; those that differ from the disk."""
    files = []
    for custom in _meant(paths.templates, "customtt", names):
        base = _sibling(custom, None)
        if base.is_file():
            old, new = (side.read_text().splitlines(keepends=True) for side in (base, custom))
            text = "".join(difflib.unified_diff(old, new, base.name, custom.name))
            files.append(File(_sibling(custom, "patchtt"), text.encode(), 0o644))
    return [file for file in files if file.content and not file.is_on_disk()]


def run(paths: Paths, names: Sequence[str], *, from_custom: bool) -> int:
    """Run the command; one line for each file made."""
    files = derived(paths, names) if from_custom else made(paths, names)
    for file in files:
        write(file)
        messages.info(f"Generating {file.path}: OK")
    messages.info(report.changed(report.count(len(files), "file")))
    return 0


def base_of(custom: Path) -> Path:
    """Give the template that an operator's stands in for."""
    return _sibling(custom, None)


def _sibling(path: Path, kind: str | None) -> Path:
    """Give the file of another kind beside one of the operator's; the base is one for all nodes."""
    parts = _NAME.fullmatch(path.name)
    if parts is None:
        raise ValueError(path)
    if kind is None:
        return path.with_name(parts["stem"] + parts["language"])
    return path.with_name(f"{parts['stem']}.{kind}{parts['language']}{parts['node'] or ''}")


def _meant(pool: Path, kind: str, names: Sequence[str]) -> list[Path]:
    """Return those that a name is part of, all if there is no name; RefusedError if a name means none."""
    every = sorted(path for path in pool.rglob(f"*.{kind}.*") if _is(path, kind))
    wanted = [name.split(f".{kind}")[0] for name in names]
    for name, stem in zip(names, wanted, strict=True):
        if not any(stem in str(path) for path in every):
            raise RefusedError(f"no file *.{kind}.* matches {name}")
    return [path for path in every if not names or any(stem in str(path) for stem in wanted)]


def _is(path: Path, kind: str) -> bool:
    parts = _NAME.fullmatch(path.name)
    return parts is not None and parts["kind"] == kind


def _patched(patch: Path) -> File:
    base = _sibling(patch, None)
    if not base.is_file():
        raise RefusedError(Problem(f"there is no {base.name} that it could change", patch))
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory, "patched")
        options = ["--batch", "--silent", "--fuzz=0", "--reject-file=-", f"--output={target}"]
        done = subprocess.run(
            ["patch", *options, str(base), str(patch)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            said = " ".join((done.stdout + done.stderr).split())[:300]
            raise RefusedError(Problem(f"does not fit {base.name}: {said or 'patch failed'}", patch))
        return File(_sibling(patch, "customtt"), target.read_bytes(), base.stat().st_mode & 0o7777)
