"""What each template makes of the configuration's values.

Templates are Jinja2 (`jinja`) or Template Toolkit (`toolkit`). Those whose values and text are what they were
need not be rendered again: `Memory` knows what they make.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ngcpcfg import jobs, reads, toolkit
from ngcpcfg.pool import Pool, Template
from ngcpcfg.problems import Problem, RefusedError
from ngcpcfg.reads import Place
from ngcpcfg.values import check_syntax
from ngcpcfg.writer import File, jot


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a template has made, and of what."""

    template: Template
    content: bytes
    reads: Mapping[Place, str]
    includes: frozenset[str]


_Result: TypeAlias = "Rendering | list[Problem]"


class RenderError(RefusedError):
    """Some templates cannot be rendered."""

    def __init__(self, failures: dict[Template, list[Problem]]) -> None:
        self.failures = failures
        super().__init__(problem for problems in failures.values() for problem in problems)


def render(
    templates: Sequence[Template], pool: Pool, context: Mapping[str, Any], processes: int = 1
) -> list[Rendering]:
    """Render all in memory; RenderError tells every template that failed, with file and line."""
    foreign = [template for template in templates if template.is_toolkit]
    own = [template for template in templates if not template.is_toolkit]
    results = _render_toolkit(foreign, pool, context, processes) | _render_jinja(
        own, pool, context, processes
    )
    failures = {template: result for template, result in results.items() if isinstance(result, list)}
    if failures:
        raise RenderError(failures)
    return [made for template in templates if isinstance(made := results[template], Rendering)]


def _render_jinja(
    templates: Sequence[Template], pool: Pool, context: Mapping[str, Any], processes: int
) -> dict[Template, _Result]:
    if not templates:
        return {}
    from ngcpcfg.jinja import Renderer  # noqa: PLC0415 -- its import costs more than all else of a build in vain

    renderer = Renderer(pool, context)

    def make(template: Template) -> _Result:
        try:
            made = renderer.render(template)
        except RefusedError as error:
            return list(error.problems)
        return _checked(template, made.text, made.reads, made.includes)

    return dict(zip(templates, jobs.spread(make, templates, processes), strict=True))


def _render_toolkit(
    templates: Sequence[Template], pool: Pool, context: Mapping[str, Any], processes: int
) -> dict[Template, _Result]:
    """Render what may look at anything, and so is rendered every time."""
    if not templates:
        return {}

    def make(share: Sequence[Template]) -> list[_Result]:
        made = toolkit.render(share, pool, context)
        return [
            _checked(template, result, {("ngcp", "toolkit"): reads.UNKNOWN}, frozenset())
            if isinstance(result, str)
            else result
            for template, result in zip(share, made, strict=True)
        ]

    shares = jobs.shares(templates, processes)
    results = jobs.spread(make, shares, processes, worth=1)
    return {
        template: result
        for share, made in zip(shares, results, strict=True)
        for template, result in zip(share, made, strict=True)
    }


def _checked(
    template: Template, text: str, looked_at: Mapping[Place, str], includes: frozenset[str]
) -> _Result:
    try:
        _check_yaml(text, template)
    except RefusedError as error:
        return list(error.problems)
    return Rendering(template, text.encode(), looked_at, includes)


def _check_yaml(text: str, template: Template) -> None:
    if Path(template.target).suffix not in {".yml", ".yaml"}:
        return
    try:
        check_syntax(text, Path(template.target))
    except RefusedError as error:
        found = error.problems[0]
        problem = f"would make line {found.line} of {template.target} {found.text}"
        raise RefusedError(Problem(problem, template.source)) from error


class Memory:
    """What templates have made before; losing it costs nothing but time."""

    def __init__(self, file: Path, pool: Pool, context: Mapping[str, Any]) -> None:
        self._file = file
        self._pool = pool
        self._context = context
        self._notes = self._load()
        self._is_new = False

    def is_current(self, template: Template, path: Path) -> bool:
        """Tell whether a file is what its template would make, without rendering it."""
        note = self._notes.get(template.target)
        if note is None or note["source"] != self._pool.name(template.source):
            return False
        try:
            content = path.read_bytes()
            mode = path.stat().st_mode & 0o7777
            texts = {name: self._digest(name) for name in note["texts"]}
        except OSError:
            return False
        return (
            mode == template.mode
            and _digest(content) == note["content"]
            and texts == note["texts"]
            and all(self._is_same(tuple(place), noted) for place, noted in note["reads"])
        )

    def _is_same(self, place: Place, noted: str) -> bool:
        if place[:1] == ("ngcp",):
            return reads.digest(self._context["ngcp"].recall(*place[1:])) == noted
        return reads.is_same(place, noted, self._context)

    def learn(self, renderings: Sequence[Rendering]) -> None:
        """Take to mind what has been made."""
        self._is_new = self._is_new or bool(renderings)
        for rendering in renderings:
            source = rendering.template.source
            names = {source.relative_to(self._pool.root).as_posix(), *rendering.includes}
            self._notes[rendering.template.target] = {
                "source": self._pool.name(source),
                "texts": {name: self._digest(name) for name in sorted(names)},
                "reads": list(rendering.reads.items()),
                "content": _digest(rendering.content),
            }

    def store(self) -> None:
        """Remember it."""
        if self._is_new:
            noted = {"program": _program(), "templates": self._notes}
            jot(File(self._file, json.dumps(noted).encode(), 0o600))

    def _digest(self, name: str) -> str:
        return _digest(self._pool.read(self._pool.root / name))

    def _load(self) -> dict[str, Any]:
        try:
            noted = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return {}
        known: dict[str, Any] = noted["templates"] if noted.get("program") == _program() else {}
        return known


def _program() -> int:
    """Tell versions of this program apart."""
    return max(module.stat().st_mtime_ns for module in Path(__file__).parent.glob("*.py"))


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
