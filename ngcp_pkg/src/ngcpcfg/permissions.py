"""Permissions that outlive git, which knows of none but the one to execute.

`.ngcpcfg_perms` is a script of `chmod` lines for whatever has others than git would give it. It is written
with every commit, and followed whenever git has written files: by ngcpcfg itself and, for who works with git
by hand, by hooks. A template's permissions are those of the file it makes.
"""

import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ngcpcfg.writer import File, write

FILE: Final = ".ngcpcfg_perms"
_OF_GIT: Final = (0o644, 0o755)
_PLAIN: Final = 0o7777

_RESTORE: Final = f"""\
[ -n "$SKIP_RESTORE_PERMS" ] || [ ! -f {FILE} ] || sh ./{FILE}
"""
_ENDED_A_MERGE: Final = '[ "$(git rev-list --parents -n 1 HEAD | wc -w)" -gt 2 ]'
HOOKS: Final = {
    "post-checkout": f"#!/bin/sh\n{_RESTORE}",
    "post-merge": f"#!/bin/sh\n{_RESTORE}",
    "post-commit": f"#!/bin/sh\n{_ENDED_A_MERGE} || exit 0\n{_RESTORE}",
}


def install_hooks(tree: Path) -> None:
    """Let git call for the permissions when somebody works with it by hand."""
    for name, text in HOOKS.items():
        hook = File(tree / ".git/hooks" / name, text.encode(), 0o755)
        if not hook.is_on_disk():
            write(hook)


def save(tree: Path, names: Iterable[str]) -> None:
    """Write down what these files of a working tree have that git would not give them."""
    if os.environ.get("SKIP_UPDATE_PERMS"):
        return
    lines = []
    for name in sorted(names):
        path = tree / name
        if path.is_file() and not path.is_symlink() and name != FILE:
            mode = path.stat().st_mode & _PLAIN
            if mode not in _OF_GIT:
                lines.append(f"chmod {mode:04o} -- {shlex.quote(name)} || true\n")
    file = File(tree / FILE, "".join(lines).encode(), 0o700)
    if (lines or file.path.exists()) and not file.is_on_disk():
        write(file)


def restore(tree: Path) -> None:
    """Give files the permissions that were written down; those that are gone are passed over."""
    file = tree / FILE
    if os.environ.get("SKIP_RESTORE_PERMS") or not file.is_file():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        match shlex.split(line):
            case ["chmod", mode, "--", name, "||", "true"] if (tree / name).is_file():
                (tree / name).chmod(int(mode, 8))


def take_over(source: Path, tree: Path, names: Iterable[str]) -> None:
    """Give files the permissions that they have in another working tree, unless others were written down."""
    for name in names:
        if (source / name).is_file() and (tree / name).is_file():
            (tree / name).chmod((source / name).stat().st_mode & _PLAIN)
    restore(tree)
