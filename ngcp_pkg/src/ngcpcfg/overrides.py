"""The operator's templates that stand in for ones of the platform which have changed since.

An operator's `X.customtt.j2` hides whatever a new version brings in `X.j2`. git knows which of the two was
committed later.
"""

from dataclasses import dataclass
from pathlib import Path

from ngcpcfg import messages, patches
from ngcpcfg.paths import Paths
from ngcpcfg.pool import Pool
from ngcpcfg.repository import Repository


@dataclass(frozen=True, slots=True)
class Override:
    """One that hides a change."""

    custom: Path
    base: Path
    commit: str
    """The commit that changed the platform's template."""

    def __str__(self) -> str:
        return (
            f"{self.custom} stands in for {self.base.name}, which has changed since (git show {self.commit})"
        )


def warn_of_stale(paths: Paths) -> None:
    """Warn of each one that hides a change."""
    for override in stale(paths):
        messages.warn(str(override))


def stale(paths: Paths) -> list[Override]:
    """List those that hide a change; one that is being edited does not."""
    pairs = list(_pairs(paths))
    if not pairs:
        return []
    repository = Repository(paths.main)
    edited = {paths.main / name for _, name in repository.changes()}
    commits = _last_commits(repository, [path for pair in pairs for path in pair])
    return [
        Override(custom, base, commits[base][1])
        for custom, base in pairs
        if custom not in edited
        and custom in commits
        and base in commits
        and commits[base][0] < commits[custom][0]
    ]


def _pairs(paths: Paths) -> list[tuple[Path, Path]]:
    """Pair the operator's templates with the platform's; those made of patches follow by themselves."""
    found = []
    for template in Pool(paths.templates).find():
        custom = template.source
        patch = custom.with_name(custom.name.replace(".customtt.", ".patchtt."))
        if template.is_custom and not patch.exists():
            own = patches.base_of(custom)
            for base in (own, own.with_suffix(".j2"), own.with_suffix(".tt2")):
                if base.exists():
                    found.append((custom, base))
                    break
    return found


def _last_commits(repository: Repository, files: list[Path]) -> dict[Path, tuple[int, str]]:
    """Say for each file by which commit it came to be what it is, and how many commits ago that was."""
    names = [str(file.relative_to(repository.tree)) for file in files]
    log = repository.git("log", "--first-parent", "-m", "--name-only", "--format=%x01%h", "--", *names)
    found: dict[Path, tuple[int, str]] = {}
    for age, commit in enumerate(log.split("\x01")[1:]):
        identity, *changed = commit.split()
        for name in changed:
            found.setdefault(repository.tree / name, (age, identity))
    return found
