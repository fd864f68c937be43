"""Scripts around a file: `X.prebuild` before its template is rendered, `X.postbuild` after it was replaced.

`ngcpcfg.prebuild` and `ngcpcfg.postbuild` do so for every file made in their directory. They are run by sh,
with the path of the file in `output_file`.
"""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from ngcpcfg.paths import Paths
from ngcpcfg.problems import Problem, RefusedError


def run(paths: Paths, targets: Iterable[str], kind: str) -> None:
    """Run the scripts of `kind`, prebuild or postbuild; RefusedError tells all that failed."""
    problems = []
    for target in targets:
        template = paths.templates / target.removeprefix("/")
        for script in (template.with_name(f"{template.name}.{kind}"), template.parent / f"ngcpcfg.{kind}"):
            if script.is_file() and (status := _run(script, paths.on_disk(target))) != 0:
                problems.append(Problem(f"ended with status {status} for {target}", script))
    if problems:
        raise RefusedError(problems)


def _run(script: Path, file: Path) -> int:
    environment = {**os.environ, "output_file": str(file)}
    return subprocess.run(["sh", str(script)], cwd="/", env=environment, check=False).returncode
