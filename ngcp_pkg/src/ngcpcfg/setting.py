"""`ngcpcfg get`, `set` and `del`: single values, read from all files and written to one."""

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

from ngcpcfg import messages, report
from ngcpcfg.assignment import parse
from ngcpcfg.configuration import Configuration, files, load
from ngcpcfg.edit import edit, remove
from ngcpcfg.paths import Paths
from ngcpcfg.problems import Problem, RefusedError
from ngcpcfg.values import Value, dump, read
from ngcpcfg.values import parse as parse_yaml
from ngcpcfg.writer import File, write


def get(paths: Paths, key: str) -> str:
    """Give the value of a key as text: a list on one line, a group of keys as YAML."""
    try:
        return _shown(load(paths.main).get(key))
    except KeyError:
        raise RefusedError(f"cannot process request for '{key}'!") from None


def _shown(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case dict():
            return dump(value).removeprefix("---").strip("\n ")
        case list():
            return " ".join(_shown(item) for item in value)
    return str(value)


def set_values(paths: Paths, name: str, assignments: Sequence[str], *, shows_diff: bool = False) -> int:
    """Change keys of one file; nothing is written if any of them is wrong."""
    file = _find(paths, name)
    old = _read(file)
    new = old
    for assignment in assignments:
        new = edit(new, *parse(assignment))
    return replace(paths, file, old, new, shows_diff=shows_diff)


def delete(paths: Paths, name: str, keys: Sequence[str], *, shows_diff: bool = False) -> int:
    """Remove keys of one file; nothing is written if one of them is needed, one that is gone is warned of."""
    file = _find(paths, name)
    old = _read(file)
    new = old
    for key in keys:
        try:
            new = remove(new, tuple(key.split(".")))
        except (KeyError, IndexError):
            messages.warn(str(Problem("is not there", file, None, key)))
    return replace(paths, file, old, new, shows_diff=shows_diff)


def replace(paths: Paths, file: Path, old: str, new: str, *, shows_diff: bool) -> int:
    """Give a file its new text, unless that makes wrong what was right."""
    if new == old:
        messages.info(report.NOTHING)
        return 0
    if problems := _new_problems(paths, file, new):
        raise RefusedError(problems)
    write(File(file, new.encode(), file.stat().st_mode & 0o7777))
    if shows_diff:
        sides = old.splitlines(keepends=True), new.splitlines(keepends=True)
        sys.stdout.writelines(difflib.unified_diff(sides[0], sides[1], str(file), f"{file} (new)"))
    messages.info(report.changed(str(file)))
    return 0


def _find(paths: Paths, name: str) -> Path:
    inside = paths.main / name
    file = inside if inside.exists() else Path(name).absolute()
    if not file.is_file():
        raise RefusedError(f"missing {name}. Exiting.")
    return file


def _read(file: Path) -> str:
    read(file)  # RefusedError if it cannot be read, or is no YAML to begin with
    return file.read_text(encoding="utf-8")


def _new_problems(paths: Paths, file: Path, text: str) -> list[Problem]:
    """Tell what the new text would make wrong that was not wrong before.

    Values that limit each other are left to `build`, so that they can be set one after the other.
    """
    before, after = Configuration(paths.main), Configuration(paths.main)
    for other in files(paths.main):
        document = read(other)
        before.add(document)
        after.add(parse_yaml(text, file) if other.resolve() == file.resolve() else document)
    known = {(problem.key, problem.text) for problem in before.value_problems()}
    return [problem for problem in after.value_problems() if (problem.key, problem.text) not in known]
