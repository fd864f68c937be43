"""The pool of templates: which there are, which of several is meant, and what is in them.

For the file `/etc/X` that is the first of
`X.customtt.j2.HOST`, `.PAIR`, `.NODE`, `X.customtt.j2`, `X.j2.HOST`, `.PAIR`, `.NODE` and `X.j2`,
each of which may also be written for Template Toolkit (`.tt2`).
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ngcpcfg import names
from ngcpcfg.problems import Problem, RefusedError

_WRITE_BITS: Final = 0o222
DEFAULT_TOPS: Final = "/etc /var"


@dataclass(frozen=True, slots=True)
class Template:
    """One template and the file it makes."""

    target: str
    """The path on the node of the file it makes."""

    source: Path
    """What is rendered."""

    mode: int
    """The permissions of the file it makes: those of the platform's template without the right to write."""

    @property
    def is_custom(self) -> bool:
        """Tell whether it is the operator's."""
        return ".customtt." in self.source.name

    @property
    def is_toolkit(self) -> bool:
        """Tell whether it is written for Template Toolkit."""
        return re.search(r"\.tt2(\.[\w-]+)?$", self.source.name) is not None


@dataclass(frozen=True, slots=True)
class Pool:
    """The templates below a directory."""

    root: Path
    overlay: Mapping[Path, bytes] = field(default_factory=dict)
    """Templates that are about to be written, and take the place of those on the disk."""

    def read(self, path: Path) -> bytes:
        """Give what is in a template."""
        return self.overlay[path] if path in self.overlay else path.read_bytes()

    def name(self, path: Path) -> str:
        """Give the path below the pool, as operators see it: `/etc/hosts.j2`."""
        return f"/{path.relative_to(self.root)}"

    def find(self) -> list[Template]:
        """List the templates that make a file, sorted by it; RefusedError where two have the same rank."""
        order = _order()
        found: dict[str, dict[int, Path]] = {}
        problems = []
        for path in self._paths():
            for suffix, rank in order.items():
                if path.name.endswith(suffix) and not path.name.endswith(f".patchtt{suffix}"):
                    ranked = found.setdefault(self.name(path).removesuffix(suffix), {})
                    if rank in ranked:
                        problems.append(Problem(f"there is {ranked[rank].name} beside it; remove one", path))
                    ranked[rank] = path
                    break
        if problems:
            raise RefusedError(problems)
        return [self._template(target, found[target]) for target in sorted(found)]

    def _paths(self) -> Iterator[Path]:
        tops = os.environ.get("CONFIG_POOL", DEFAULT_TOPS).split()
        seen = set()
        for top in tops:
            for path in sorted((self.root / top.strip("/")).rglob("*")):
                if path.is_file():
                    seen.add(path)
                    yield path
        yield from (path for path in self.overlay if path not in seen)

    def _template(self, target: str, ranked: Mapping[int, Path]) -> Template:
        own, platforms = min(ranked), max(ranked)
        shape = ranked[platforms]
        mode = shape.stat().st_mode if shape.exists() else 0o644
        return Template(target, ranked[own], mode & 0o777 & ~_WRITE_BITS)


def _order() -> dict[str, int]:
    """Give each ending of a template's name its rank; the longer endings come first."""
    ranked: dict[str, int] = {}
    for i, kind in enumerate(_kinds()):
        for language in (".j2", ".tt2"):
            ranked[kind.format(language)] = i
    return dict(sorted(ranked.items(), key=lambda item: -len(item[0])))


def _kinds() -> Iterable[str]:
    for custom in (".customtt", ""):
        for variant in names.variants():
            yield f"{custom}{{}}.{variant}"
        yield f"{custom}{{}}"
