"""One value in the text of a YAML file is changed, and nothing else."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngcpcfg.assignment import assign
from ngcpcfg.assignment import parse as parse_assignment
from ngcpcfg.edit import edit
from ngcpcfg.problems import RefusedError
from ngcpcfg.values import Value, dump, parse

NAME = Path("file.yml")


@pytest.mark.parametrize(
    ("before", "argument", "after"),
    [
        ("a: 1 # why\nb: 2\n", "a=3", "a: 3 # why\nb: 2\n"),
        ("a: 'x'\n", "a=3", "a: 3\n"),
        ("a:\nb: 2\n", "a=3", "a: 3\nb: 2\n"),
        ("a: ~\n", "a=yes", "a: yes\n"),
        ("a: 1\n", "a='3'", "a: '3'\n"),
        ("a: 1\n", "a='true'", "a: 'true'\n"),
        ("a: 1\n", "a=['x', 'y']", "a: [x, y]\n"),
        ("a: [x] # why\n", "a=['y', 3]", "a: [y, 3] # why\n"),
        ("a: [x]\n", "a.APPEND='y'", "a: [x, y]\n"),
        ("a: {b: 1}\n", "a.c=2", "a: {b: 1, c: 2}\n"),
        ("a:\n  - x # why\n\n# more\nb: 1\n", "a.APPEND='y'", "a:\n  - x # why\n  - y\n\n# more\nb: 1\n"),
        ("a:\n- x\nb: 1\n", "a.0='y'", "a:\n- y\nb: 1\n"),
        ("a:\n  b: 1\n\n# about d\nd: 4\n", "a.c=2", "a:\n  b: 1\n  c: 2\n\n# about d\nd: 4\n"),
        ("a:\n    b: 1\n", "a.c.d=['x']", "a:\n    b: 1\n    c:\n      d:\n      - x\n"),
        ("a: 1\n", "b.c=2", "a: 1\nb:\n  c: 2\n"),
        ("a: 1", "b=2", "a: 1\nb: 2\n"),
        ("a:\n", "a.b=2", "a: {b: 2}\n"),
        ("# only a comment\n", "a.b=2", "# only a comment\na:\n  b: 2\n"),
        ("", "a=2", "a: 2\n"),
        ("a: |\n  text\n", "b=1", "a: |\n  text\nb: 1\n"),
        ("a:\n  b: |\n    text\n", "a.c=1", "a:\n  b: |\n    text\n  c: 1\n"),
        ("b: 1\n# why\na: 1\n", "a=1", "b: 1\n# why\na: 1\n"),
    ],
)
def test_only_the_value_changes(before: str, argument: str, after: str) -> None:
    assert edit(before, *parse_assignment(argument)) == after


@pytest.mark.parametrize(
    ("before", "argument"),
    [
        ("b: 2\na: |\n  text\n", "a=1"),
        ("a:\n- x\n- y\n", "a=['z']"),
        ("a:\n  b: 1\n", "a={c => 1}"),
        ("a: {}\n", "a.b=1"),
        ("a: &x 1\nb: *x\n", "b=2"),
    ],
)
def test_a_text_that_cannot_be_edited_is_written_anew(before: str, argument: str) -> None:
    values = parse(before, NAME).values
    assign(values, *parse_assignment(argument))

    assert parse(edit(before, *parse_assignment(argument)), NAME).values == values


def test_a_file_is_written_as_the_platform_writes_it() -> None:
    """Keys sorted, lists not indented, null as ~, text that looks like something else in quotes."""
    text = "b: ['0431', '12', 'true', 'null', yes, 'x: y', 1.5, true]\na: {d: ~, c: ''}\ne: \"two\\nlines\"\n"

    assert dump(parse(text, NAME).values) == (
        "---\na:\n  c: ''\n  d: ~\nb:\n- '0431'\n- '12'\n- 'true'\n- 'null'\n- yes\n- 'x: y'\n- 1.5\n- true\n"
        'e: "two\\nlines"\n'
    )


printable = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), printable)
words = st.text("abcxyz_0", min_size=1, max_size=4)
trees = st.dictionaries(
    words,
    st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=3)),
        max_leaves=12,
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=50)
@given(trees)
def test_what_is_written_is_read_as_it_was(values: dict[str, Value]) -> None:
    assert parse(dump(values), NAME).values == values


@settings(deadline=None, max_examples=50)
@given(trees, st.lists(words, min_size=1, max_size=3), scalars)
def test_an_edit_means_what_the_assignment_means(
    values: dict[str, Value], path: list[str], value: Value
) -> None:
    text = dump(values)
    intended = parse(text, NAME).values
    try:
        assign(intended, tuple(path), value)
    except RefusedError:
        with pytest.raises(RefusedError):
            edit(text, tuple(path), value)
        return

    assert parse(edit(text, tuple(path), value), NAME).values == intended
