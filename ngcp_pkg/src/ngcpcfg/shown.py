"""`ngcpcfg cat` and `ngcpcfg edit`: the configuration's files by their short names."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ngcpcfg import messages
from ngcpcfg.check import check
from ngcpcfg.configuration import files
from ngcpcfg.paths import Paths
from ngcpcfg.problems import RefusedError

#: What a short name stands for; `config` are all files that operators write values into.
NAMES: Final = {
    "config": ("config.*yml", "config.d/*.yml"),
    "maintenance": ("maintenance.yml",),
    "network": ("network.yml",),
    "sites": ("sites.yml",),
    "constants": ("constants.yml",),
}
#: The menu of `edit`: a number does as well as a name.
EDITABLE: Final = ("config", "network", "constants")


def cat(paths: Paths, names: Sequence[str]) -> int:
    """Print the files of these names, or of all."""
    for name in names:
        if name not in NAMES:
            raise RefusedError(f"unknown config type '{name}'")
    for name in names or NAMES:
        for pattern in NAMES[name]:
            for file in sorted(paths.main.glob(pattern)):
                sys.stdout.write(file.read_text(encoding="utf-8", errors="replace"))
    return 0


def edit(paths: Paths, choice: str | None) -> int:
    """Open a file in the operator's editor, then check the whole configuration."""
    file = paths.main / f"{_chosen(choice)}.yml"
    if file not in files(paths.main):
        raise RefusedError(f"{file} does not exist")
    _run_editor(file)
    check(paths)
    messages.info("configs were checked successfully")
    return 0


def _chosen(choice: str | None) -> str:
    if choice is None:
        for number, name in enumerate(EDITABLE, 1):
            print(f"{number}) {name}.yml")
        print("Which file? ", end="", flush=True)
        choice = sys.stdin.readline().strip()
    if choice.isdecimal() and 0 < int(choice) <= len(EDITABLE):
        return EDITABLE[int(choice) - 1]
    if choice.removesuffix(".yml") not in EDITABLE:
        raise RefusedError(f"'{choice}' is none of {', '.join(EDITABLE)}")
    return choice.removesuffix(".yml")


def _run_editor(file: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "editor"
    try:
        done = subprocess.run([*shlex.split(editor), str(file)], check=False)
    except FileNotFoundError:
        raise RefusedError(f"the editor '{editor}' is not there; name another one in EDITOR") from None
    if done.returncode != 0:
        raise RefusedError(f"the editor '{editor}' ended with status {done.returncode}")
