"""How a new version of the configuration meets the operator's edits: by a merge of branch `vendor`.

Ansible puts its version of every file into the working tree of `vendor`. It is committed there and merged
into `master`. The merge is tried in memory first: if both sides changed the same lines, nothing is changed.
"""

import re
import sys
from typing import Final

from ngcpcfg import messages, overrides, permissions, report
from ngcpcfg.check import BRANCH, check_repository
from ngcpcfg.paths import Paths
from ngcpcfg.problems import RefusedError
from ngcpcfg.repository import Repository

VENDOR: Final = "vendor"
_IGNORED: Final = "/shared-files/ssl/\n"
_HUNK: Final = re.compile(r"^<{7} .*?^>{7} [^\n]*\n", re.MULTILINE | re.DOTALL)


def initialise(paths: Paths) -> bool:
    """Make the repository and the working tree of `vendor`; False if both are there already."""
    repository = Repository(paths.main)
    is_new = not repository.is_initialised()
    if is_new:
        paths.main.mkdir(parents=True, exist_ok=True)
        repository.git("init", "--quiet", "--template=", f"--initial-branch={BRANCH}")
        (paths.main / ".git").chmod(0o700)
        # For whoever resolves a merge by hand: git refuses to commit for a root it knows no address of.
        repository.git("config", "user.name", "root")
        repository.git("config", "user.email", "root@localhost")
        ignore = paths.main / ".gitignore"
        if not ignore.exists():
            ignore.write_text(_IGNORED)
        repository.commit("Initialise the configuration")
    permissions.install_hooks(paths.main)
    return _add_vendor_tree(paths, repository) or is_new


def _add_vendor_tree(paths: Paths, repository: Repository) -> bool:
    if Repository(paths.vendor).is_initialised():
        return False
    if repository.attempt("rev-parse", "--verify", VENDOR).returncode != 0:
        repository.git("branch", VENDOR)
    repository.git("worktree", "prune")
    paths.vendor.parent.mkdir(parents=True, exist_ok=True)
    repository.git("worktree", "add", "--quiet", str(paths.vendor), VENDOR)
    paths.vendor.chmod(0o700)
    return True


def update(paths: Paths, message: str) -> int:
    """Commit what lies in the tree of `vendor` and merge it; RefusedError shows both sides of a conflict."""
    check_repository(paths)
    ours, theirs = Repository(paths.main), Repository(paths.vendor)
    if not theirs.is_initialised():
        raise RefusedError(f"{paths.vendor} is not there; run ngcpcfg initialise")
    theirs.commit(message)
    if ours.attempt("merge-base", "--is-ancestor", VENDOR, "HEAD").returncode == 0:
        messages.info(report.NOTHING)
        return 0
    _require_mergeable(ours)
    ours.commit(f"Changes made before: {message}")
    before = ours.head()
    ours.git("merge", "--quiet", "--no-edit", "--message", message, VENDOR)
    merged = ours.git("diff", "--name-only", before, "HEAD").splitlines()
    permissions.take_over(paths.vendor, paths.main, merged)
    for file in merged:
        messages.info(f"Merging {file}: OK")
    overrides.warn_of_stale(paths)
    messages.info(report.changed(report.count(len(merged), "file")))
    return 0


def _require_mergeable(ours: Repository) -> None:
    attempt = ours.attempt("merge-tree", "--write-tree", "--name-only", "--messages", _snapshot(ours), VENDOR)
    if attempt.returncode == 0:
        return
    listing, _, said = attempt.stdout.partition("\n\n")
    tree, *conflicts = listing.splitlines()
    for file in conflicts:
        messages.note(f"{ours.tree / file}: both sides have changed the same lines:")
        sys.stderr.writelines(_both_sides(ours.attempt("show", f"{tree}:{file}").stdout))
    sys.stderr.writelines(f"{line}\n" for line in said.splitlines() if line.startswith("CONFLICT"))
    raise RefusedError(
        "the new version contradicts the operator's changes; nothing was merged. To resolve it: "
        f"ngcpcfg commit, cd {ours.tree}, git merge {VENDOR}, edit the files above, ngcpcfg apply 'merged'"
    )


def _both_sides(text: str) -> list[str]:
    hunks = []
    for hunk in _HUNK.findall(text):
        lines = hunk.splitlines(keepends=True)
        hunks += [f"<<<<<<< {BRANCH} (the operator)\n", *lines[1:-1], f">>>>>>> {VENDOR} (the new version)\n"]
    return hunks


def _snapshot(repository: Repository) -> str:
    """Give a commit of the working tree as it is, on no branch, without touching branch, index or files."""
    return repository.git("commit-tree", repository.snapshot(), "-p", "HEAD", "-m", "as it is").strip()
