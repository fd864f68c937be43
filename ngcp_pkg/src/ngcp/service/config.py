"""A configuration file in, the daemon's frozen dataclass out.

The dataclass is the whole grammar: its fields are the allowed keys, their types the allowed values, a
field without default is mandatory, and a `ValueError` raised by `__post_init__` is a refused value.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

C = TypeVar("C")

_BOOLEANS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class ConfigError(Exception):
    """A configuration file says something its daemon cannot accept."""

    def __init__(self, file: Path, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}")
        self.file = file
        self.key = key
        self.problem = problem


def load_yaml(path: Path, cls: type[C]) -> C:
    """Read a YAML mapping into `cls`; keys of nested sections are named with dots in errors."""
    try:
        content = yaml.safe_load(_read(path))
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(path, line, error.problem or "not YAML") from error
    except yaml.YAMLError as error:
        raise ConfigError(path, "", f"not YAML: {error}") from error
    return _Reader(path, _from_yaml).section(cls, content, "")


def load_environment(path: Path, cls: type[C]) -> C:
    """Read `KEY=value` lines (`#` comments, optional quotes) into `cls`; KEY is the field in upper case."""
    content: dict[str, str] = {}
    for number, line in enumerate(_read(path).splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(path, f"line {number}", f"KEY=value expected, found {text!r}")
        content[key.strip()] = _unquoted(value.strip())
    return _Reader(path, _from_text, str.upper).section(cls, content, "")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(path, "", error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, "", f"not UTF-8: {error.reason} at byte {error.start}") from error


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value


class _Scalar(typing.Protocol):
    def __call__(self, kind: type, value: object, /) -> object:
        """Return `value` as a `kind`, or raise ValueError."""


def _from_yaml(kind: type, value: object) -> object:
    if kind is float and type(value) is int:
        return float(value)
    if kind is Path and isinstance(value, str):
        return Path(value)
    if type(value) is not kind:
        raise ValueError(f"{kind.__name__} expected, found {value!r}")
    return value


def _from_text(kind: type, value: object) -> object:
    text = str(value)
    if kind is bool:
        if text.lower() not in _BOOLEANS:
            raise ValueError(f"one of {', '.join(_BOOLEANS)} expected, found {text!r}")
        return _BOOLEANS[text.lower()]
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{kind.__name__} expected, found {text!r}") from None


@dataclasses.dataclass(frozen=True)
class _Reader:
    """Walks one file's content along the fields of a dataclass."""

    path: Path
    scalar: _Scalar
    spell: typing.Callable[[str], str] = str

    def section(self, cls: type[C], content: object, prefix: str) -> C:
        """Build `cls` from a mapping; `prefix` is the dotted key of the section itself."""
        if not isinstance(content, Mapping):
            raise ConfigError(self.path, prefix, f"a mapping expected, found {content!r}")
        fields = {self.spell(field.name): field for field in dataclasses.fields(typing.cast(Any, cls))}
        kinds = typing.get_type_hints(cls)
        for key in content:
            if key not in fields:
                raise ConfigError(self.path, f"{prefix}{key}", f"unknown key; allowed: {', '.join(fields)}")
        values: dict[str, object] = {}
        for key, field in fields.items():
            if key in content:
                values[field.name] = self._value(kinds[field.name], content[key], f"{prefix}{key}")
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise ConfigError(self.path, f"{prefix}{key}", "mandatory key is missing")
        try:
            return cls(**values)
        except ValueError as error:
            raise ConfigError(self.path, prefix.rstrip("."), str(error)) from error

    def _value(self, kind: object, value: object, key: str) -> object:
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in (types.UnionType, typing.Union):
            if value is None or value == "":
                return None
            (kind,) = (argument for argument in arguments if argument is not types.NoneType)
            return self._value(kind, value, key)
        if origin is tuple:
            items = value.split() if isinstance(value, str) else value
            if not isinstance(items, list):
                raise ConfigError(self.path, key, f"a list expected, found {value!r}")
            return tuple(self._value(arguments[0], item, f"{key}[{i}]") for i, item in enumerate(items))
        if dataclasses.is_dataclass(kind):
            return self.section(typing.cast(type, kind), value, f"{key}.")
        try:
            return self.scalar(typing.cast(type, kind), value)
        except ValueError as error:
            raise ConfigError(self.path, key, str(error)) from error
