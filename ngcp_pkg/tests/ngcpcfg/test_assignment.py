"""The grammar of `ngcpcfg set`, as tables."""

import pytest

from ngcpcfg.assignment import assign, parse
from ngcpcfg.problems import RefusedError
from ngcpcfg.values import Switch, Value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5060", 5060),
        ("-1", -1),
        ("1.5", 1.5),
        ("0431", "0431"),
        ("+43 1", "+43 1"),
        ("word", "word"),
        ("two words", "two words"),
        ("a=b", "a=b"),
        ("'5060'", "5060"),
        ('"quoted"', "quoted"),
        ("''", ""),
        ("yes", Switch("yes")),
        ("true", "true"),
        ("10:30", "10:30"),
        ("[]", []),
        ("['a', \"b\", 3]", ["a", "b", 3]),
        ("[['a'], {b: 1}]", [["a"], {"b": 1}]),
        ("{}", {}),
        ("{a => 'x => y', b => 2}", {"a": "x => y", "b": 2}),
        ("{a: 'b'}", {"a": "b"}),
        ("{'a' => ['b']}", {"a": ["b"]}),
    ],
)
def test_a_value(text: str, value: Value) -> None:
    parsed = parse(f"key={text}")[1]

    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("key", "can't parse 'key'"),
        ("key=", "can't parse 'key='"),
        ("=value", "can't parse '=value'"),
        ("my key=1", "can't parse 'my key=1'"),
        ("key=['a'", None),
        ("key=['a' 'b']", "can't parse '['a' 'b']'"),
        ("key=[bla]", "Elements in array '[bla]' should be quoted"),
        ("key=[1, bla]", "Elements in array '[1, bla]' should be quoted"),
        ("key={a => bla}", "Elements in hash '{a => bla}' should be quoted"),
    ],
)
def test_what_is_no_assignment(argument: str, complaint: str | None) -> None:
    if complaint is None:  # not a list, so it is text
        assert parse(argument)[1] == argument.removeprefix("key=")
        return
    with pytest.raises(RefusedError) as refused:
        parse(argument)

    assert str(refused.value) == complaint


@pytest.mark.parametrize(
    ("before", "argument", "after"),
    [
        ({}, "a=1", {"a": 1}),
        ({"a": 1}, "a=2", {"a": 2}),
        ({"a": 1}, "a=['x']", {"a": ["x"]}),
        ({"a": None}, "a.b=1", {"a": {"b": 1}}),
        ({}, "a.b.c=1", {"a": {"b": {"c": 1}}}),
        ({}, "a.0.b=1", {"a": [{"b": 1}]}),
        ({}, "a.APPEND='x'", {"a": ["x"]}),
        ({"a": ["x"]}, "a.APPEND='y'", {"a": ["x", "y"]}),
        ({"a": ["x"]}, "a.APPEND.b=1", {"a": ["x", {"b": 1}]}),
        ({"a": ["x"]}, "a.1='y'", {"a": ["x", "y"]}),
        ({"a": ["x", "y"]}, "a.0=1", {"a": [1, "y"]}),
        ({"a": ["x"]}, "a=['y', 'z']", {"a": ["y", "z"]}),
        ({"a": {"b": 1}}, "a={c => 2}", {"a": {"c": 2}}),
        ({"a": {"0": 1}}, "a.0=2", {"a": {"0": 2}}),
    ],
)
def test_what_an_assignment_does(before: dict[str, Value], argument: str, after: dict[str, Value]) -> None:
    assign(before, *parse(argument))

    assert before == after


@pytest.mark.parametrize(
    ("before", "argument", "complaint"),
    [
        ({"a": ["x"]}, "a=1", "Key resolved to a ARRAY reference; refusing to overwrite."),
        ({"a": {"b": 1}}, "a=1", "Key resolved to a HASH reference; refusing to overwrite."),
        ({"a": {"b": 1}}, "a=['x']", "Key resolved to a HASH reference; refusing to overwrite."),
        ({"a": ["x"]}, "a.b=1", "Key resolved to a ARRAY reference; refusing to overwrite."),
        ({"a": 1}, "a.b=1", "Key resolved to a SCALAR at 'b'; cannot continue."),
        ({"a": "x"}, "a.b.c=1", "Key resolved to a SCALAR at 'b'; cannot continue."),
        ({"a": ["x"]}, "a.5=1", "the list has 1 elements; there can be no element 5 yet"),
    ],
)
def test_what_an_assignment_must_not_do(before: dict[str, Value], argument: str, complaint: str) -> None:
    with pytest.raises(RefusedError) as refused:
        assign(before, *parse(argument))

    assert str(refused.value) == complaint
