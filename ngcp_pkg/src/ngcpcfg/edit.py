"""Changing one value in a YAML file and nothing else: comments, order and every other line stay.

A file that keeps its lines can be merged with the next version of it; one that was written anew cannot.
"""

import copy
from pathlib import Path
from typing import Final

import yaml

from ngcpcfg.assignment import assign
from ngcpcfg.problems import RefusedError
from ngcpcfg.values import KeyPath, Value, compose, dump, dump_block, dump_inline, parse

_NAME: Final = Path("edited text")


def edit(text: str, path: KeyPath, value: Value) -> str:
    """Put a value at a path, as `assignment.assign` does, and give the new text of the file."""
    intended = parse(text, _NAME).values
    before = copy.deepcopy(intended)
    place = assign(intended, path, value)
    if intended == before:
        return text
    edited = _splice(text, place, value)
    if edited is not None and _means(edited, intended):
        return edited
    return dump(intended)  # the text is too unusual to be edited: it is written anew, with all its values


def remove(text: str, path: KeyPath) -> str:
    """Take what is at a path out, and give the new text of the file; KeyError if nothing is there."""
    intended = parse(text, _NAME).values
    _drop(intended, path)
    edited = _cut(text, path)
    return edited if edited is not None and _means(edited, intended) else dump(intended)


def _drop(values: dict[str, Value], path: KeyPath) -> None:
    *above, last = path
    here: Value = values
    for part in above:
        here = here[int(part)] if isinstance(here, list) and part.isdecimal() else _below(here, part)
    if isinstance(here, list) and last.isdecimal() and int(last) < len(here):
        del here[int(last)]
    elif isinstance(here, dict):
        del here[last]
    else:
        raise KeyError(last)


def _below(here: Value, part: str) -> Value:
    if not isinstance(here, dict):
        raise KeyError(part)
    return here[part]


def _cut(text: str, path: KeyPath) -> str | None:
    """Take the lines of a key of a block mapping out; None where it stands otherwise."""
    node = compose(text, _NAME)
    for part in path[:-1]:
        node = _child(node, part) if node is not None else None
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        return None
    key, value = next((key, value) for key, value in node.value if key.value == path[-1])
    start = text.rfind("\n", 0, key.start_mark.index) + 1
    return (
        text[:start] + text[_end_of_line(text, max(key.end_mark.index, _last_leaf(value).end_mark.index)) :]
    )


def _means(text: str, intended: dict[str, Value]) -> bool:
    try:
        return parse(text, _NAME).values == intended
    except RefusedError:
        return False


def _splice(text: str, path: KeyPath, value: Value) -> str | None:
    """Follow the path as far as the text goes, then replace what is there or insert what is missing."""
    node = compose(text, _NAME)
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return text + dump_block(_nested(path, value), 0)
    for i, part in enumerate(path):
        child = _child(node, part)
        if child is None:
            return _insert(text, node, path[i:], value)
        node = child
    return _replace(text, node, value)


def _child(node: yaml.Node, part: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((child for key, child in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and int(part) < len(node.value):
        child: yaml.Node = node.value[int(part)]
        return child
    return None


def _nested(path: KeyPath, value: Value) -> Value:
    for part in reversed(path):
        value = [value] if part == "0" else {part: value}
    return value


def _replace(text: str, node: yaml.Node, value: Value) -> str | None:
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return _replace_list(text, node, value) if isinstance(node, yaml.SequenceNode) else None
    if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:
        return None
    space = "" if end > start or text[:start].endswith((" ", "\n")) else " "
    return f"{text[:start]}{space}{dump_inline(value)}{text[end:]}"


def _replace_list(text: str, node: yaml.SequenceNode, value: Value) -> str | None:
    """Write a list that stands below its key, one element a line, in the same way."""
    start = node.start_mark.index - node.start_mark.column
    after = text[_end_of_line(text, _last_leaf(node).end_mark.index) :]
    if text[start : node.start_mark.index].strip():
        return None
    if not value:
        return f"{text[:start].rstrip()} {dump_inline(value)}\n{after}"
    return f"{text[:start]}{dump_block(value, node.start_mark.column)}{after}"


def _insert(text: str, node: yaml.Node, path: KeyPath, value: Value) -> str | None:
    if isinstance(node, yaml.ScalarNode):
        return _replace(text, node, _nested(path, value))
    if not isinstance(node, yaml.CollectionNode) or not node.value:
        return None
    is_list = isinstance(node, yaml.SequenceNode)
    below = [_nested(path[1:], value)] if is_list else _nested(path, value)
    if node.flow_style:
        end = node.end_mark.index - 1
        return f"{text[:end]}, {dump_inline(below)[1:-1]}{text[end:]}"
    at = _end_of_line(text, _last_leaf(node).end_mark.index)
    newline = "" if text[:at].endswith("\n") else "\n"
    return f"{text[:at]}{newline}{dump_block(below, node.start_mark.column)}{text[at:]}"


def _last_leaf(node: yaml.Node) -> yaml.Node:
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node


def _end_of_line(text: str, index: int) -> int:
    """Find where the line of `index` ends; a block of text ends at the start of a line by itself."""
    if index and text[index - 1] == "\n":
        return index
    end = text.find("\n", index)
    return len(text) if end < 0 else end + 1
