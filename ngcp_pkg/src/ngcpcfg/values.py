"""YAML as the platform reads and writes it, with the line on which each key stands.

Unlike YAML 1.1: `yes`, `no`, `on` and `off` stay words, as in YAML 1.2, and a number with leading zeros or
colons is text, because here it is a phone number or a hardware address.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, TypeAlias

import yaml

from ngcpcfg.problems import Problem, RefusedError

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
KeyPath: TypeAlias = tuple[str, ...]
Lines: TypeAlias = dict[KeyPath, int]

_TAG: Final = "tag:yaml.org,2002:"
_MAX_DEPTH: Final = 40  # a file of this platform has six levels; an alias to itself has no end

_READ: Final = {
    "bool": (r"true|false", "tf"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]+)?", "-+0123456789"),
    "null": (r"~|null|Null|NULL|", ("~", "n", "N", "")),
}
#: Text that any other reader could take for a number, a truth or nothing is written in quotes.
_QUOTED: Final = {
    "bool": (r"(?i:true|false)", "tTfF"),
    "float": (r"[-+.]?[0-9][-+0-9.,:_xXa-fA-F]*", "-+.0123456789"),
    "null": (r"~|null|Null|NULL|", ("~", "n", "N", "")),
}


class Switch(str):
    """One of the words yes, no, on, off; true in a condition only if it says so."""

    __slots__ = ()
    WORDS: Final = frozenset({"yes", "no", "on", "off"})

    def __bool__(self) -> bool:
        return self in {"yes", "on"}


class Reader(yaml.SafeLoader):
    """Composes nodes whose plain scalars are resolved by the rules of this module only."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 -- emptied so that PyYAML's own rules do not apply


class _FastReader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # one of two classes
    """The same in C, where it is installed; it tells the line of a node, but not reliably where that ends."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


class _Writer(yaml.SafeDumper):
    """Writes what the platform writes: null as ~, lists not indented, doubtful text quoted."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 -- emptied so that PyYAML's own rules do not apply

    def ignore_aliases(self, data: object) -> bool:
        """Write a value twice rather than as an alias."""
        return True


def _represent_text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return writer.represent_scalar(f"{_TAG}str", str(text), style='"' if "\n" in text else None)


for _class, _rules in ((Reader, _READ), (_FastReader, _READ), (_Writer, _QUOTED)):
    for _name, (_pattern, _first) in _rules.items():
        _class.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), list(_first))
_Writer.add_representer(type(None), lambda writer, _: writer.represent_scalar(f"{_TAG}null", "~"))
_Writer.add_representer(int, lambda writer, number: writer.represent_scalar(f"{_TAG}float", str(number)))
_Writer.add_representer(str, _represent_text)
_Writer.add_representer(Switch, _represent_text)


@dataclass(frozen=True, slots=True)
class Document:
    """What one YAML file holds."""

    file: Path
    values: dict[str, Value]
    lines: Lines
    """The line, counted from one, of every key and list element."""


def read(file: Path) -> Document:
    """Read a file whose outermost level is keys and values; RefusedError names the line that is wrong."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        raise RefusedError(Problem("is not UTF-8", file, line)) from error
    except OSError as error:
        raise RefusedError(Problem(f"cannot be read: {error.strerror}", file)) from error
    return parse(text, file)


def parse(text: str, file: Path) -> Document:
    """Read YAML text as `read` does; `file` is only its name in errors."""
    lines: Lines = {}
    node = _compose_fast(text, file)
    if node is None:
        return Document(file, {}, lines)
    values = _construct(node, (), lines, file)
    if values is None:  # nothing but `---`
        return Document(file, {}, lines)
    if not isinstance(values, dict):
        raise RefusedError(Problem("must consist of keys and values", file, node.start_mark.line + 1))
    return Document(file, values, lines)


def compose(text: str, file: Path) -> yaml.Node | None:
    """Parse YAML into nodes that know their place in the text; None if there is nothing but comments."""
    try:
        return yaml.compose(text, Loader=Reader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "unreadable"
        raise RefusedError(
            Problem(f"invalid YAML: {reason}", file, mark.line + 1 if mark else None)
        ) from error
    except yaml.YAMLError as error:
        raise RefusedError(Problem(f"invalid YAML: {str(error).splitlines()[0]}", file)) from error


def check_syntax(text: str, file: Path) -> None:
    """Refuse text that is not YAML; RefusedError names the line that is wrong."""
    _compose_fast(text, file)


def _compose_fast(text: str, file: Path) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_FastReader)
    except yaml.YAMLError:
        return compose(text, file)  # says the same in better words
    return node


def dump(values: Value) -> str:
    """Write a whole file: keys sorted, as the platform's own tools leave it."""
    return yaml.dump(
        values, Dumper=_Writer, default_flow_style=False, allow_unicode=True, explicit_start=True
    )


def dump_block(values: Value, indent: int) -> str:
    """Write keys and values over several lines that all start at column `indent`."""
    text = yaml.dump(values, Dumper=_Writer, default_flow_style=False, allow_unicode=True, width=1000)
    return "".join(" " * indent + line for line in text.splitlines(keepends=True))


def dump_inline(value: Value) -> str:
    """Write a value so that it fits behind a key on its line."""
    text = yaml.dump([value], Dumper=_Writer, default_flow_style=True, allow_unicode=True, width=100_000)
    return text.rstrip("\n")[1:-1]


def _construct(node: yaml.Node, path: KeyPath, lines: Lines, file: Path) -> Value:
    lines.setdefault(path, node.start_mark.line + 1)
    if len(path) > _MAX_DEPTH:
        raise RefusedError(Problem("is nested too deeply", file, node.start_mark.line + 1))
    if isinstance(node, yaml.MappingNode):
        return _construct_mapping(node, path, lines, file)
    if isinstance(node, yaml.SequenceNode):
        return [_construct(child, (*path, str(i)), lines, file) for i, child in enumerate(node.value)]
    return _construct_scalar(node, path, file)


def _construct_mapping(node: yaml.MappingNode, path: KeyPath, lines: Lines, file: Path) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line + 1
        here = (*path, key)
        if not isinstance(key_node, yaml.ScalarNode):
            raise RefusedError(Problem("a key must be a word", file, line, ".".join(path)))
        if key in values:
            raise RefusedError(
                Problem(f"is here twice, first on line {lines[here]}", file, line, ".".join(here))
            )
        lines[here] = line
        values[key] = _construct(value_node, here, lines, file)
    return values


def _construct_scalar(node: yaml.Node, path: KeyPath, file: Path) -> Value:
    text: str = node.value
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "str":
            return Switch(text) if text in Switch.WORDS else text
    problem = f"the YAML tag {node.tag} is not used here"
    raise RefusedError(Problem(problem, file, node.start_mark.line + 1, ".".join(path)))
