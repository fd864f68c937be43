"""Rendering: everything in memory first, then only those files that differ, each as a whole."""

import difflib
import fnmatch
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ngcpcfg import context, templates
from ngcpcfg.check import check
from ngcpcfg.configuration import Configuration
from ngcpcfg.paths import Paths
from ngcpcfg.pending import Pending
from ngcpcfg.problems import RefusedError
from ngcpcfg.repository import Repository
from ngcpcfg.templates import RenderError, Rendering, Template
from ngcpcfg.writer import File, write

DIRTY: Final = "dirty"


def build(paths: Paths, patterns: Sequence[str] = (), *, dry_run: bool = False) -> list[str]:
    """Render what the patterns name, or all; returns the targets of the files that differed.

    Patterns are file-name patterns or parts of a template's path.
    """
    stale = find_stale(paths, check(paths), patterns)
    if dry_run:
        for rendering in stale:
            sys.stdout.writelines(_diff(paths, rendering))
    else:
        _write(paths, stale)
        if not patterns:
            record(paths)
    return [rendering.template.target for rendering in stale]


def find_stale(paths: Paths, configuration: Configuration, patterns: Sequence[str] = ()) -> list[Rendering]:
    """Render in memory and give what differs from the disk."""
    chosen = _choose(templates.find(paths.templates), patterns, paths.templates)
    renderings = templates.render(chosen, paths.templates, context.build(configuration)) if chosen else []
    return [rendering for rendering in renderings if not _file(paths, rendering).is_on_disk()]


def record(paths: Paths) -> None:
    """Note which commit the files on disk were made of."""
    repository = Repository(paths.main)
    state = DIRTY if repository.changes() else repository.head()
    write([File(paths.state / "build", f"{state}\n".encode(), 0o644)])


def recorded(paths: Paths) -> str | None:
    """Give the commit last built, `dirty` if it was none, None if nothing was built yet."""
    try:
        return (paths.state / "build").read_text().strip()
    except FileNotFoundError:
        return None


def report_failures(error: RenderError) -> None:
    """Print each template that failed, and why."""
    for template, problems in error.failures.items():
        print(f"Error: Generating {template.target} based on {template.source}: FAILED", file=sys.stderr)
        for problem in problems:
            print(f"  {problem}", file=sys.stderr)
    print("Build errors detected (see the output above)! Aborting.", file=sys.stderr)


def _choose(found: list[Template], patterns: Sequence[str], pool: Path) -> list[Template]:
    if not patterns:
        return found
    chosen = [
        template for template in found if any(_is_meant(template, pattern, pool) for pattern in patterns)
    ]
    if not chosen:
        raise RefusedError(f"no template matches {' '.join(patterns)}")
    return chosen


def _is_meant(template: Template, pattern: str, pool: Path) -> bool:
    path = f"/{template.source.relative_to(pool)}"
    return pattern in path or any(fnmatch.fnmatch(name, pattern) for name in (path, template.target))


def _file(paths: Paths, rendering: Rendering) -> File:
    return File(paths.on_disk(rendering.template.target), rendering.content, rendering.template.mode)


def _write(paths: Paths, stale: list[Rendering]) -> None:
    if not stale:
        return
    targets = [rendering.template.target for rendering in stale]
    pending = Pending(paths.state)
    pending.announce(targets)
    write(_file(paths, rendering) for rendering in stale)
    pending.settle(targets)
    for target in targets:
        print(f"Generating {target}: OK")


def _diff(paths: Paths, rendering: Rendering) -> list[str]:
    target = rendering.template.target
    path = paths.on_disk(target)
    old = path.read_text(errors="replace").splitlines(keepends=True) if path.is_file() else []
    new = rendering.content.decode().splitlines(keepends=True)
    return list(difflib.unified_diff(old, new, target, f"{target} (new)"))
