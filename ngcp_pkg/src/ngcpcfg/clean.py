"""`ngcpcfg clean`: take away what was never committed, or never wanted."""

import sys
from collections.abc import Callable, Collection
from typing import Final

from ngcpcfg import messages, permissions, report
from ngcpcfg.check import BRANCH
from ngcpcfg.paths import Paths
from ngcpcfg.problems import RefusedError
from ngcpcfg.repository import Repository
from ngcpcfg.vendor import VENDOR


def _tracked_files(repository: Repository) -> list[str]:
    """Give changed files the content of the last commit."""
    names = [name for state, name in repository.changes() if state != "??"]
    if names:
        repository.git("reset", "--hard", "--quiet", "HEAD")
        permissions.restore(repository.tree)
    return names


def _untracked_files(repository: Repository) -> list[str]:
    """Remove files that were never committed; what git ignores, such as keys, stays."""
    names = [name for state, name in repository.changes() if state == "??"]
    if names:
        repository.git("clean", "-d", "--force", "--quiet")
    return names


def _branches(repository: Repository) -> list[str]:
    """Remove branches other than `master` and `vendor`."""
    listed = repository.git("for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    names = [name for name in listed if name not in (BRANCH, VENDOR, repository.branch())]
    for name in names:
        repository.git("branch", "--quiet", "-D", name)
    return [f"branch {name}" for name in names]


def _stashes(repository: Repository) -> list[str]:
    """Forget what was stashed."""
    names = repository.git("stash", "list", "--format=%gd").split()
    repository.git("stash", "clear")
    return names


def _reset_master(repository: Repository) -> list[str]:
    """Give up the operator's own commits: `master` becomes what was deployed."""
    own = repository.git("log", "--format=%h %s", f"{VENDOR}..{BRANCH}").splitlines()
    repository.git("checkout", "--quiet", "--force", BRANCH)
    repository.git("reset", "--hard", "--quiet", VENDOR)
    return own


#: What can be cleaned, by option; in this order with `--all`, which leaves out the last one.
PARTS: Final[dict[str, tuple[str, Callable[[Repository], list[str]]]]] = {
    "stashes": ("forget what was stashed", _stashes),
    "tracked-files": ("undo changes that were not committed", _tracked_files),
    "untracked-files": ("remove files that were never committed", _untracked_files),
    "branches": ("remove branches other than master and vendor", _branches),
    "reset-master": ("give up all own commits: master becomes the deployed version", _reset_master),
}
_ALL: Final = tuple(name for name in PARTS if name != "reset-master")


def clean(paths: Paths, wanted: Collection[str], *, everything: bool, is_forced: bool) -> int:
    """Clean the parts of these names, or all but the own commits; asks first unless forced."""
    repository = Repository(paths.main)
    repository.require_initialised()
    parts = [name for name in PARTS if name in wanted or (everything and name in _ALL)]
    if not parts:
        raise RefusedError(f"say what to clean: {', '.join(f'--{name}' for name in ('all', *PARTS))}")
    if not is_forced and not _is_confirmed(parts):
        messages.info(report.NOTHING)
        return 1
    done = [thing for name in parts for thing in PARTS[name][1](repository)]
    for thing in done:
        messages.info(f"Cleaning {thing}: OK")
    messages.info(report.changed(report.count(len(done), "thing")))
    return 0


def _is_confirmed(parts: list[str]) -> bool:
    if not sys.stdin.isatty():
        hint = "Hint: use option '--force'."
        messages.warn(f"Cannot request confirmation (no tty). {hint}")
        return False
    for name in parts:
        print(f"This is going to {PARTS[name][0]}.")
    print("Do you want to continue? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
