"""`ngcpcfg.cfg`: settings of the tool itself, as the platform's own tool reads them from a shell script.

Each line is NAME=VALUE, in quotes if it has blanks. `$NAME`, `${NAME}` and `${NAME:-VALUE}` are what was
set before. What the environment sets already stays.
"""

import re
import shlex
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Final

from ngcpcfg.problems import Problem, RefusedError

DIRECTORY: Final = "/etc/ngcp-ngcpcfg"
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=(.*)")
_REFERENCE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})")


def load(environment: MutableMapping[str, str]) -> None:
    """Add to the environment what ngcpcfg.cfg and ngcpcfg.d say, or the file that NGCPCFG names."""
    for name, value in _settings(environment):
        environment.setdefault(name, value)


def _settings(environment: MutableMapping[str, str]) -> Iterator[tuple[str, str]]:
    if "NGCPCFG" in environment:
        files = [Path(environment["NGCPCFG"])]
        if not files[0].is_file():
            raise RefusedError(f"Could not read configuration file {files[0]}. Exiting.")
    else:
        files = [Path(DIRECTORY, "ngcpcfg.cfg"), *sorted(Path(DIRECTORY, "ngcpcfg.d").glob("*.cfg"))]
    known = dict(environment)
    for file in filter(Path.is_file, files):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if setting := _parse(line, known, file, number):
                known.setdefault(*setting)
                yield setting


def _parse(line: str, known: dict[str, str], file: Path, number: int) -> tuple[str, str] | None:
    problem = Problem("is not NAME=VALUE", file, number)
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        raise RefusedError(problem) from None
    if not words:
        return None
    if words[0] == "export":
        del words[0]
    match = _ASSIGNMENT.fullmatch(words[0]) if len(words) == 1 else None
    if match is None or "$(" in line or "`" in line:
        raise RefusedError(problem)
    name, value = match.groups()
    return name, _REFERENCE.sub(lambda m: known.get(m[1] or m[2], m[3] or ""), value)
