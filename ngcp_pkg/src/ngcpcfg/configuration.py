"""All YAML files as one: read, merged and checked, with the file and line each value came from."""

import copy
import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ngcpcfg import names, network, schema
from ngcpcfg.problems import InvalidError, Problem, RefusedError
from ngcpcfg.values import Document, KeyPath, Value, read

#: Merged in this order: of two values for a key the later wins, groups of keys are merged, lists replaced.
ORDER: Final = (
    "config.yml",
    "config.NODE.yml",
    "config.PAIR.yml",
    "config.HOST.yml",
    "config.local.yml",
    "maintenance.yml",
    "network.yml",
    "config.d/*.yml",
    "constants.yml",
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """The merged values and where each was written."""

    main: Path
    values: dict[str, Value] = field(default_factory=dict)
    origins: dict[KeyPath, tuple[Path, int]] = field(default_factory=dict)

    def add(self, document: Document) -> None:
        """Merge one more file over what is there."""
        self._merge(self.values, document.values, (), document)

    def _merge(self, into: dict[str, Value], new: dict[str, Value], path: KeyPath, source: Document) -> None:
        for key, value in new.items():
            here, old = (*path, key), into.get(key)
            if isinstance(old, dict) and isinstance(value, dict):
                self._merge(old, value, here, source)
                continue
            into[key] = copy.deepcopy(value)
            for below, line in source.lines.items():
                if below[: len(here)] == here:
                    self.origins[below] = (source.file, line)

    def get(self, key: str) -> Value:
        """Look a dotted key up, a number picking from a list; KeyError if there is none."""
        here: Value = self.values
        for part in key.split("."):
            if isinstance(here, dict):
                here = here[part]
            elif isinstance(here, list) and part.isdecimal() and int(part) < len(here):
                here = here[int(part)]
            else:
                raise KeyError(key)
        return here

    def problem(self, path: KeyPath, text: str) -> Problem:
        """Blame a key, at its own line or that of the nearest group above it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                file, line = self.origins[path[:length]]
                return Problem(text, file, line, ".".join(path))
        return Problem(text, self.main, None, ".".join(path))

    def problems(self) -> list[Problem]:
        """Check every key and value against what is allowed, and values that limit each other."""
        relations = schema.check_relations(self._value_or_none)
        return self.value_problems() + [self.problem(tuple(key.split(".")), text) for key, text in relations]

    def value_problems(self) -> list[Problem]:
        """Check every key and value by itself."""
        found = [self.problem(path, text) for path, text in self._check_leaves()]
        if "hosts" in self.values:
            found += [
                self.problem(("hosts", *path), text) for path, text in network.check(self.values["hosts"])
            ]
        return found

    def _check_leaves(self) -> Iterator[tuple[KeyPath, str]]:
        for path, value in _leaves(self.values, ()):
            if path[0] in {"hosts", "hosts_common"}:
                continue
            text = schema.check_value(path, value)
            if text is None and not self._is_open(path):
                text = schema.check_key(path)
            if text is not None:
                yield path, text

    def _is_open(self, path: KeyPath) -> bool:
        """Tell whether a key may be one this program has never heard of.

        Constants are the packages' own. A new section in config.d is the operator's, for his own templates.
        """
        file, _ = self.origins.get(path) or self.origins[path[:1]]
        return file.name == "constants.yml" or (
            file.parent.name == "config.d" and path[0] not in schema.SECTIONS
        )

    def _value_or_none(self, key: str) -> Value:
        try:
            return self.get(key)
        except KeyError:
            return None


def load(main: Path) -> Configuration:
    """Read and merge every file below `main`; RefusedError tells all lines that are not YAML."""
    configuration = Configuration(main)
    problems: list[Problem] = []
    for file in files(main):
        try:
            configuration.add(read(file))
        except RefusedError as error:
            problems += error.problems
    if problems:
        raise RefusedError(problems)
    return configuration


def load_checked(main: Path) -> Configuration:
    """Read, merge and check; RefusedError tells everything that is wrong."""
    configuration = load(main)
    if problems := configuration.problems():
        raise InvalidError(problems)
    return configuration


def files(main: Path) -> list[Path]:
    """List the files that exist, in the order in which they are merged."""
    own = {"NODE": names.nodename(), "PAIR": names.ALONE, "HOST": names.hostname()}
    patterns = [re.sub("NODE|PAIR|HOST", lambda kind: glob.escape(own[kind[0]]), name) for name in ORDER]
    return list(dict.fromkeys(file for pattern in patterns for file in sorted(main.glob(pattern))))


def _leaves(values: dict[str, Value], path: KeyPath) -> Iterator[tuple[KeyPath, Value]]:
    for key, value in values.items():
        here = (*path, key)
        if isinstance(value, dict) and value:
            yield from _leaves(value, here)
        else:
            yield here, value
