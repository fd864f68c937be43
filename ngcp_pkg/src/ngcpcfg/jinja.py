"""Templates in Jinja2, with the delimiters `[% statement %]`, `[%= expression %]` and `[%# comment %]`.

Ansible deploys them with its own `{{ }}`, so neither pass eats the other's. A key that does not exist is an
error, never an empty string.
"""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jinja2
from jinja2.utils import missing

from ngcpcfg import reads
from ngcpcfg.context import Node, Section
from ngcpcfg.pool import Pool, Template
from ngcpcfg.problems import Problem, RefusedError
from ngcpcfg.reads import Place
from ngcpcfg.schema import suggest

_METHODS: Final = frozenset({"items", "keys", "values"})


@dataclass(frozen=True, slots=True)
class Made:
    """What a template has made, and of what."""

    text: str
    reads: dict[Place, str] = field(default_factory=dict)
    includes: frozenset[str] = frozenset()
    """The names of other templates that it has taken in."""


class Renderer:
    """Renders the templates of one pool with one context."""

    def __init__(self, pool: Pool, context: Mapping[str, Any]) -> None:
        self._pool = pool
        self._context = context
        self._environment = _Environment(pool)

    def render(self, template: Template) -> Made:
        """Render one; RefusedError names file and line."""
        name = template.source.relative_to(self._pool.root).as_posix()
        self._environment.taken.clear()
        try:
            with reads.recorded() as found:
                text = self._environment.get_template(name).render(self._context)
        except UnicodeDecodeError as error:
            raise RefusedError(Problem("is not UTF-8", template.source)) from error
        except Exception as error:  # a template is a program: whatever it raises is its author's to see
            raise RefusedError(_blame(error, template.source, self._pool)) from error
        return Made(text, found, frozenset(self._environment.taken - {name}))


def _blame(error: Exception, source: Path, pool: Pool) -> Problem:
    """Find the template line an exception came from."""
    if isinstance(error, jinja2.TemplateSyntaxError):
        return Problem(error.message or "syntax error", Path(error.filename or source), error.lineno)
    known = isinstance(error, jinja2.TemplateError | RefusedError)
    text = str(error) if known else f"{type(error).__name__}: {error}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(pool.root):
            return Problem(text, Path(frame.filename), frame.lineno)
    return Problem(text, source)


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


class _Context(jinja2.runtime.Context):
    """The names of one template; notes which of them there are not, or are no group of keys."""

    def resolve_or_missing(self, key: str) -> Any:  # noqa: ANN401 -- Jinja2's type
        """Look a name up."""
        value = super().resolve_or_missing(key)
        if value is missing:
            reads.note_absent((key,))
        elif key in self.parent and not isinstance(value, Section | Node) and not callable(value):
            reads.note((key,), value)
        return value


class _Environment(jinja2.Environment):
    """Jinja2 as node templates are written in it."""

    context_class = _Context

    def __init__(self, pool: Pool) -> None:
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
            loader=_Loader(pool),
        )
        self.taken: set[str] = set()

    def get_template(self, name: Any, *more: Any, **options: Any) -> jinja2.Template:  # noqa: ANN401 -- Jinja2's
        """Load a template and note that it was."""
        if isinstance(name, str):
            self.taken.add(name)
        return super().get_template(name, *more, **options)

    def getattr(self, obj: object, attribute: str) -> object:
        """Take a key before a method of the same name: `x.items` is a key if there is one."""
        if isinstance(obj, Section) and (obj.has(attribute) or attribute not in _METHODS):
            return obj.look_up(attribute) if obj.has(attribute) else self._absent(obj, attribute)
        if isinstance(obj, Node) and attribute not in Node.NOTED:
            reads.note_unknown(("ngcp", attribute))
        return super().getattr(obj, attribute)

    def getitem(self, obj: object, argument: Any) -> object:  # noqa: ANN401 -- Jinja2's type
        """Take only a key, never an attribute."""
        if isinstance(obj, Section):
            return obj.look_up(argument) if obj.has(argument) else self._absent(obj, argument)
        return super().getitem(obj, argument)

    def _absent(self, section: Section, name: str) -> jinja2.Undefined:
        reads.note_absent((*section.place, name))
        return self.undefined(obj=section, name=name)


class _Loader(jinja2.BaseLoader):
    """Takes templates from a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def get_source(self, _: jinja2.Environment, template: str) -> tuple[str, str, None]:
        """Read a template; its name is its path below the pool."""
        path = self._pool.root / template
        try:
            return self._pool.read(path).decode(), str(path), None
        except OSError:
            raise jinja2.TemplateNotFound(
                template, f"'{template}' not found in '{self._pool.root}'"
            ) from None
