"""Whether the configuration can be used at all, before anything is made of it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ngcpcfg.configuration import Configuration, files, load_checked
from ngcpcfg.paths import Paths
from ngcpcfg.problems import Problem, RefusedError
from ngcpcfg.repository import Repository

BRANCH: Final = "master"
_MARKER: Final = re.compile(rb"^(?:<{7} |>{7} )", re.MULTILINE)


def check(paths: Paths, only: Sequence[str] = (), *, ignores_branch: bool = False) -> Configuration:
    """Check the repository and every value; RefusedError tells what is wrong, with file and line.

    With `only`, what is wrong in other files is passed over.
    """
    check_repository(paths, ignores_branch=ignores_branch)
    meant = {_existing(paths, name) for name in only}
    try:
        if problems := list(_merge_markers(paths)):
            raise RefusedError(problems)
        return load_checked(paths.main)
    except RefusedError as error:
        problems = [problem for problem in error.problems if not only or problem.file in meant]
        if not problems:
            return Configuration(paths.main)
        raise type(error)(problems) from error


def _existing(paths: Paths, name: str) -> Path:
    file = paths.main / name
    if not file.is_file():
        raise RefusedError(f"missing {name}. Exiting.")
    return file


def check_repository(paths: Paths, *, ignores_branch: bool = False) -> None:
    """Refuse a configuration that is not on its branch, or in the middle of a merge."""
    repository = Repository(paths.main)
    repository.require_initialised()
    if (branch := repository.branch()) != BRANCH and not ignores_branch:
        raise RefusedError(
            f"branch '{branch}' in '{paths.main}' active - "
            f"please switch to branch '{BRANCH}' before continuing."
        )
    if repository.is_merging():
        raise RefusedError(f"a merge in '{paths.main}' is not finished; resolve it and commit, or abort it")


def _merge_markers(paths: Paths) -> list[Problem]:
    found: list[Problem] = []
    for file in [*files(paths.main), *_pool(paths.templates)]:
        content = file.read_bytes()
        if marker := _MARKER.search(content):
            line = content.count(b"\n", 0, marker.start()) + 1
            found.append(Problem("holds both sides of a merge conflict", file, line))
    return found


def _pool(templates: Path) -> list[Path]:
    return sorted(path for path in templates.rglob("*") if path.is_file())
