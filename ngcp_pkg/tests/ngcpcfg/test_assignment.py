"""The grammar of `ngcpcfg set`, as tables."""

import pytest

from ngcpcfg.assignment import assign, parse
from ngcpcfg.edit import edit
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
        ("{'ccc','123','ddd',567}", {"ccc": "123", "ddd": 567}),
        ("['ccc','123','ddd','567']", ["ccc", "123", "ddd", "567"]),
        ("['a', 'b',]", ["a", "b"]),
        ("{a => 1,}", {"a": 1}),
        ("[undef]", [None]),
        ("['on']", [Switch("on")]),
        (r"""['it\'s', "two\nlines", '\n']""", ["it's", "two\nlines", r"\n"]),
        ("{a => {b => {c => ['d']}}}", {"a": {"b": {"c": ["d"]}}}),
        ("ccc=123", "ccc=123"),
        ("[ 'a' ]", ["a"]),
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
        ("key={a, 'b'}", "can't parse '{a, 'b'}'"),
        ("key={'a'}", "can't parse '{'a'}'"),
        ("key=['a'],['b']", "can't parse '['a'],['b']'"),
        ("key=[,]", "can't parse '[,]'"),
        ("key=" + "[" * 30 + "]" * 30, f"can't parse '{'[' * 30 + ']' * 30}'"),
        ("my-key=1", "can't parse 'my-key=1'"),
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


@pytest.mark.parametrize(
    ("before", "argument", "after"),
    [
        ("---\n", "aaa.bbb=123", "---\naaa:\n  bbb: 123\n"),
        ("---\n", "aaa.bbb=true", "---\naaa:\n  bbb: 'true'\n"),
        ("---\n", "aaa.bbb='on'", "---\naaa:\n  bbb: on\n"),
        ("---\n", "aaa.bbb=off", "---\naaa:\n  bbb: off\n"),
        ("---\n", "aaa.bbb='123'", "---\naaa:\n  bbb: '123'\n"),
        ("---\n", "aaa.bbb='~'", "---\naaa:\n  bbb: '~'\n"),
        ("---\n", "aaa={b => undef}", "---\naaa:\n  b: ~\n"),
        ("---\n", "aaa.bbb=''", "---\naaa:\n  bbb: ''\n"),
        ("---\n", "aaa.bbb=[]", "---\naaa:\n  bbb: []\n"),
        ("---\n", "aaa.bbb={'ccc','123','ddd','567'}", "---\naaa:\n  bbb:\n    ccc: '123'\n    ddd: '567'\n"),
        ("---\n", "aaa.bbb=['ccc','123']", "---\naaa:\n  bbb:\n  - ccc\n  - '123'\n"),
        (
            "---\nfoo:\n  bar:\n  - a: 1\n    b: 2\n",
            "foo.bar.0.b='boo'",
            "---\nfoo:\n  bar:\n  - a: 1\n    b: boo\n",
        ),
        ("---\nfoo:\n  bar:\n  - a\n", "foo.bar.APPEND='b'", "---\nfoo:\n  bar:\n  - a\n  - b\n"),
        ("---\nfoo:\n  bar:\n  - a\n", "foo.bar=['c']", "---\nfoo:\n  bar:\n  - c\n"),
        ("---\nb: {y: 1, x: 2}\n", "b={z => 0, c => '1'}", "---\nb: {c: '1', z: 0}\n"),
    ],
)
def test_what_a_file_looks_like_afterwards(before: str, argument: str, after: str) -> None:
    """As YAML::XS writes it: keys sorted, lists not indented, text that looks like something else quoted."""
    assert edit(before, *parse(argument)) == after
