"""Which templates there are, and what each makes of the configuration's values.

Templates are Jinja2 with the delimiters `[% statement %]`, `[%= expression %]` and `[%# comment %]`: Ansible
deploys them with its own `{{ }}`, so neither pass eats the other's. A key that does not exist is an error,
never an empty string.
"""

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2.utils import missing

from ngcpcfg.context import Section
from ngcpcfg.problems import Problem, RefusedError
from ngcpcfg.schema import suggest
from ngcpcfg.values import compose

_POOLS: Final = ("etc", "var")
_OVERRIDE: Final = ".customtt.j2"
_SUFFIX: Final = ".j2"
_WRITE_BITS: Final = 0o222
_METHODS: Final = frozenset({"items", "keys", "values"})


@dataclass(frozen=True, slots=True)
class Template:
    """One template and the file it makes."""

    target: str
    """The path on the node of the file it makes."""

    source: Path
    """What is rendered: the operator's `X.customtt.j2` if there is one, else `X.j2`."""

    mode: int
    """The permissions of the file it makes: those of `X.j2` without the right to write."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a template has made."""

    template: Template
    content: bytes


class RenderError(RefusedError):
    """Some templates cannot be rendered."""

    def __init__(self, failures: dict[Template, list[Problem]]) -> None:
        self.failures = failures
        super().__init__(problem for problems in failures.values() for problem in problems)


def find(pool: Path) -> list[Template]:
    """List the templates below `pool`, sorted by target."""
    bases: dict[str, Path] = {}
    overrides: dict[str, Path] = {}
    for top in _POOLS:
        for path in (pool / top).rglob(f"*{_SUFFIX}"):
            name = f"/{path.relative_to(pool)}"
            if name.endswith(_OVERRIDE):
                overrides[name.removesuffix(_OVERRIDE)] = path
            else:
                bases[name.removesuffix(_SUFFIX)] = path
    found = bases | overrides
    return [_template(target, found[target], bases.get(target)) for target in sorted(found)]


def _template(target: str, source: Path, base: Path | None) -> Template:
    return Template(target, source, (base or source).stat().st_mode & 0o777 & ~_WRITE_BITS)


def render(templates: Iterable[Template], pool: Path, context: dict[str, Any]) -> list[Rendering]:
    """Render all in memory; RenderError tells every template that failed, with file and line."""
    environment = _Environment(pool)
    renderings: list[Rendering] = []
    failures: dict[Template, list[Problem]] = {}
    for template in templates:
        try:
            renderings.append(_render(environment, template, pool, context))
        except RefusedError as error:
            failures[template] = list(error.problems)
    if failures:
        raise RenderError(failures)
    return renderings


def _render(
    environment: "_Environment", template: Template, pool: Path, context: dict[str, Any]
) -> Rendering:
    name = template.source.relative_to(pool).as_posix()
    try:
        text = environment.get_template(name).render(context)
    except UnicodeDecodeError as error:
        raise RefusedError(Problem("is not UTF-8", template.source)) from error
    except Exception as error:  # a template is a program: whatever it raises is its author's to see
        raise RefusedError(_blame(error, template.source, pool)) from error
    if Path(template.target).suffix in {".yml", ".yaml"}:
        _check_yaml(text, template)
    return Rendering(template, text.encode())


def _blame(error: Exception, source: Path, pool: Path) -> Problem:
    """Find the template line an exception came from."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return Problem(error.message or "syntax error", Path(error.filename or source), error.lineno)
    known = isinstance(error, jinja2.TemplateError | RefusedError)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(pool):
            return Problem(text, Path(frame.filename), frame.lineno)
    return Problem(text, source)


def _check_yaml(text: str, template: Template) -> None:
    try:
        compose(text, Path(template.target))
    except RefusedError as error:
        found = error.problems[0]
        problem = f"would make line {found.line} of {template.target} {found.text}"
        raise RefusedError(Problem(problem, template.source)) from error


class _UndefinedKey(jinja2.StrictUndefined):
    """A key that is not there: says its whole name and which one may have been meant."""

    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: object = missing,
        name: str | None = None,
        exc: type[jinja2.TemplateRuntimeError] = jinja2.UndefinedError,
    ) -> None:
        if hint is None and isinstance(obj, Section):
            hint = f"{obj.path(name)} is not defined{suggest(str(name), obj)}"
        super().__init__(hint, obj, name, exc)


class _Environment(jinja2.Environment):
    """Jinja2 as node templates are written in it."""

    def __init__(self, pool: Path) -> None:
        super().__init__(
            block_start_string="[%",
            block_end_string="%]",
            variable_start_string="[%=",
            variable_end_string="%]",
            comment_start_string="[%#",
            comment_end_string="%]",
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            undefined=_UndefinedKey,
            loader=jinja2.FileSystemLoader(pool),
        )

    def getattr(self, obj: object, attribute: str) -> object:
        """Take a key before a method of the same name: `x.items` is a key if there is one."""
        if isinstance(obj, Section) and (attribute in obj or attribute not in _METHODS):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: object, argument: Any) -> object:  # noqa: ANN401 -- Jinja2's type
        """Take only a key, never an attribute."""
        if isinstance(obj, Section):
            return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
        return super().getitem(obj, argument)
