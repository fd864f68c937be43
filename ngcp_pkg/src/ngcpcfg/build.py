"""Rendering: everything in memory first, then only those files that differ, all as one."""

import difflib
import fnmatch
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ngcpcfg import context, hooks, jobs, messages, overrides, patches, templates, transaction
from ngcpcfg.check import check
from ngcpcfg.configuration import Configuration
from ngcpcfg.paths import Paths
from ngcpcfg.pending import Pending
from ngcpcfg.pool import Pool, Template
from ngcpcfg.problems import RefusedError
from ngcpcfg.repository import Repository
from ngcpcfg.templates import Memory, RenderError, Rendering
from ngcpcfg.undo import Rejected, Undo
from ngcpcfg.writer import File, jot

DIRTY: Final = "dirty"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is built, and how."""

    patterns: Sequence[str] = ()
    """File-name patterns or parts of a template's path; none: all."""
    ignores_branch: bool = False
    jobs: int | None = None
    """How many processes may render at once; None: as many as there are processors."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build changes: everything is checked and rendered, nothing is written yet."""

    patched: list[File]
    """Templates made of the operator's patches."""
    renderings: list[Rendering]
    """Files that differ from the disk."""
    memory: Memory

    @property
    def targets(self) -> list[str]:
        """The files on the node."""
        return [rendering.template.target for rendering in self.renderings]


def build(paths: Paths, scope: Scope, *, is_applied: bool = False) -> list[str]:
    """Render what is meant and write what differs; returns those files.

    What an apply has taken back is not written again, unless it is to be applied: a node that boots keeps
    the files with which it ran.
    """
    rejected = Rejected(paths)
    if not is_applied and rejected.is_current():
        messages.warn(
            "this configuration was applied and taken back; files stay as they are. "
            "Change it, or try again: ngcpcfg apply"
        )
        return []
    plan = make_plan(paths, scope, hooks_run=True)
    _write(paths, plan)
    overrides.warn_of_stale(paths)
    if not scope.patterns:
        record(paths)
    return plan.targets


def preview(paths: Paths, scope: Scope) -> list[str]:
    """Show what would differ; returns those files."""
    plan = make_plan(paths, scope)
    for file in plan.patched:
        sys.stdout.writelines(_diff(file, str(file.path)))
    for rendering in plan.renderings:
        sys.stdout.writelines(_diff(_file(paths, rendering), rendering.template.target))
    overrides.warn_of_stale(paths)
    return plan.targets


def make_plan(paths: Paths, scope: Scope, *, hooks_run: bool = False) -> Plan:
    """Check and render everything in memory; RefusedError tells all that is wrong."""
    configuration = check(paths, ignores_branch=scope.ignores_branch)
    patched = patches.made(paths)
    pool = Pool(paths.templates, {file.path: file.content for file in patched})
    chosen = _choose(pool, scope.patterns)
    if hooks_run:
        hooks.run(paths, [template.target for template in chosen], "prebuild")
    renderings, memory = _render(paths, pool, chosen, configuration, jobs.count(scope.jobs))
    return Plan(patched, renderings, memory)


def find_stale(paths: Paths, configuration: Configuration) -> list[str]:
    """List the files that differ from what a checked configuration makes."""
    pool = Pool(paths.templates)
    renderings, _ = _render(paths, pool, pool.find(), configuration, jobs.count(None))
    return [rendering.template.target for rendering in renderings]


def _render(
    paths: Paths, pool: Pool, chosen: list[Template], configuration: Configuration, processes: int
) -> tuple[list[Rendering], Memory]:
    """Render what may have changed; what differs from the disk."""
    values = context.build(configuration)
    memory = Memory(paths.state / "renderings.json", pool, values)
    changed = [
        template for template in chosen if not memory.is_current(template, paths.on_disk(template.target))
    ]
    renderings = templates.render(changed, pool, values, processes)
    memory.learn(renderings)
    return [rendering for rendering in renderings if not _file(paths, rendering).is_on_disk()], memory


def record(paths: Paths) -> None:
    """Note which commit the files on disk were made of."""
    repository = Repository(paths.main)
    state = DIRTY if repository.changes() else repository.head()
    jot(File(paths.state / "build", f"{state}\n".encode(), 0o644))


def recorded(paths: Paths) -> str | None:
    """Give the commit last built, `dirty` if it was none, None if nothing was built yet."""
    try:
        return (paths.state / "build").read_text().strip()
    except FileNotFoundError:
        return None


def report_failures(error: RenderError) -> None:
    """Print each template that failed, and why."""
    for template, problems in error.failures.items():
        messages.fail(f"Generating {template.target} based on {template.source}: FAILED")
        for problem in problems:
            messages.note(f"  {problem}")
    messages.note("Build errors detected (see the output above)! Aborting.")


def _choose(pool: Pool, patterns: Sequence[str]) -> list[Template]:
    found = pool.find()
    if not patterns:
        return found
    chosen = [template for template in found if any(_is_meant(template, word, pool) for word in patterns)]
    if not chosen:
        raise RefusedError(f"no template matches {' '.join(patterns)}")
    return chosen


def _is_meant(template: Template, pattern: str, pool: Pool) -> bool:
    path = pool.name(template.source)
    return pattern in path or any(fnmatch.fnmatch(name, pattern) for name in (path, template.target))


def _file(paths: Paths, rendering: Rendering) -> File:
    return File(paths.on_disk(rendering.template.target), rendering.content, rendering.template.mode)


def _write(paths: Paths, plan: Plan) -> None:
    plan.memory.store()
    if not plan.patched and not plan.renderings:
        return
    pending = Pending(paths.state)
    pending.announce(plan.targets)
    Undo(paths).keep(plan.targets)
    transaction.replace(
        paths.state, [*plan.patched, *(_file(paths, rendering) for rendering in plan.renderings)]
    )
    pending.settle(plan.targets)
    for made in (*(file.path for file in plan.patched), *plan.targets):
        messages.info(f"Generating {made}: OK")
    hooks.run(paths, plan.targets, "postbuild")


def _diff(file: File, name: str) -> list[str]:
    old = file.path.read_text(errors="replace").splitlines(keepends=True) if file.path.is_file() else []
    new = file.content.decode(errors="replace").splitlines(keepends=True)
    return list(difflib.unified_diff(old, new, name, f"{name} (new)"))
