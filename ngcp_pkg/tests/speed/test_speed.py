"""The compiled module does what its specification in Python does: the same values, edits and errors."""

import dataclasses
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ngcp_speed as speed
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.mutation import mutate
from ngcp.sip.errors import SipError
from ngcp.sip.syntax import fields, uri
from ngcp.sip.syntax.fields import CSeq, NameAddr, Via
from ngcp.sip.syntax.head import Head
from ngcp.sip.syntax.names import KNOWN
from ngcp.sip.syntax.uri import Uri

CORPUS = sorted((Path(__file__).parents[1] / "corpus" / "sip").rglob("*.sip"))

NAMES = st.sampled_from([*KNOWN, "CONTACT", "mAx-FORwards", "X-Own", "p-asserted-identity", "P-Ü"])
#: Bits of header values, those with a meaning in lists and strings above all.
VALUES = st.lists(
    st.sampled_from(
        [
            "a",
            "<sip:a@h>",
            '"',
            "\\",
            '\\"',
            "<",
            ">",
            ",",
            ";",
            " ",
            "\t",
            '"x, y"',
            "\r\n ",
            " \r\n\t",
            "ü",
            "\udcff",
        ]
    ),
    max_size=12,
).map("".join)
EDITS = st.one_of(
    st.tuples(st.sampled_from(["get", "first", "all", "remove", "pop_first", "__contains__"]), NAMES),
    st.tuples(st.sampled_from(["prepend", "append", "set", "replace_first"]), NAMES, VALUES),
    st.tuples(st.just("drop_first"), NAMES, st.integers(0, 4)),
    st.tuples(st.just("view"), st.sampled_from(sorted({*KNOWN.values()})), st.just(str.upper)),
    st.tuples(st.just("cut_body"), st.integers(0, 9)),
)


def outcome(function: Callable[..., Any], *arguments: object) -> object:
    """Return what a call returns, or the kind of error that it raises."""
    try:
        return function(*arguments)
    except SipError as error:
        return type(error)


def state(head: Head) -> object:
    return head.lines, head.shape, head.body, outcome(head.write, "INVITE sip:ü@h SIP/2.0")


@given(
    lines=st.lists(st.tuples(NAMES, st.sampled_from([":", " : ", ""]), VALUES).map("".join), max_size=8),
    edits=st.lists(EDITS, max_size=8),
)
def test_every_edit_has_the_same_effect(lines: list[str], edits: list[tuple[Any, ...]]) -> None:
    pure, fast = Head(lines, b"v=0\r\n"), speed.Head(lines, b"v=0\r\n")
    for name, *arguments in edits:
        twins = pure.twin(), fast.twin()
        assert outcome(getattr(pure, name), *arguments) == outcome(getattr(fast, name), *arguments)
        assert state(twins[0]) == state(twins[1])
    assert state(pure) == state(fast)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_every_received_message_is_the_same(path: Path) -> None:
    original, luck = path.read_bytes(), random.Random(path.stem)
    for data in (original, *(mutate(original, luck) for _ in range(300))):
        pure, fast = Head(), speed.Head()
        start = outcome(pure.scan, data)
        assert outcome(fast.scan, data) == start
        if isinstance(start, str):
            assert state(pure) == state(fast)


def test_a_body_sets_its_length() -> None:
    pure, fast = (
        Head(["L: 3", "X: y", "content-length: 4"]),
        speed.Head(["L: 3", "X: y", "content-length: 4"]),
    )
    pure.body = fast.body = b"12345"
    assert state(pure) == state(fast)


@pytest.mark.parametrize(
    "arguments",
    [("set", "a"), ("set", "a", 1), ("append", b"a", "b"), ("get", 1), ("view", "a"), ("scan", "x")],
)
def test_what_is_no_text_is_an_error_not_a_crash(arguments: tuple[Any, ...]) -> None:
    name, *rest = arguments
    with pytest.raises(TypeError):
        getattr(speed.Head(["a: b"]), name)(*rest)


def fragments() -> Iterator[str]:
    """Yield every header value of the corpus, and parts of it that could be a URI."""
    for path in CORPUS:
        head = Head()
        if not isinstance(outcome(head.scan, path.read_bytes()), str):
            continue
        for name in set(head.shape):
            for value in head.all(name):
                yield value
                yield value.partition("<")[2].partition(">")[0]


PIECES = st.lists(
    st.sampled_from(
        [
            "sip:", "SIPS:", "tel:", "a", "user", "@", "h.example", "192.0.2.1", "[2001:db8::1]", "[", "]",
            ":5060", ":0", ":99999", ";lr", ";Transport=TCP", ";x=", ";=", ";", "?", "%41", '"', " ", "<",
            ">", ",", "SIP/2.0/",
            "UDP", " 1", "\t", "z9hG4bK", ".", "-", "ü", "\0", "\\", "=", "INVITE", "42",
        ]
    ),
    max_size=10,
).map("".join)  # fmt: skip

READERS: list[tuple[Callable[[str], Any], Callable[[str], Any]]] = [
    (speed.read_uri, Uri.parse),
    (speed.read_via, Via.parse),
    (speed.read_name_addr, NameAddr.parse),
    (speed.read_cseq, CSeq.parse),
]


@pytest.fixture(scope="module")
def grammar() -> Iterator[None]:
    """Let the parsers read everything by their whole grammar."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("read_via", "read_name_addr", "read_cseq"):
            patch.setattr(fields, name, lambda text: None)
        patch.setattr(uri, "read_uri", lambda text: None)
        yield


def agree(text: str) -> None:
    for read, parse in READERS:
        usual = read(text)
        if usual is not None:
            expected = parse(text)
            values = expected if isinstance(expected, tuple) else dataclasses.astuple(expected)
            assert [*usual] == [*values][: len(usual)], (text, usual, expected)


@pytest.mark.usefixtures("grammar")
@given(text=PIECES)
def test_the_plainest_form_is_read_as_the_grammar_says(text: str) -> None:
    agree(text)


@pytest.mark.usefixtures("grammar")
def test_values_of_the_corpus_are_read_as_the_grammar_says() -> None:
    luck = random.Random(25)
    for text in {*fragments()}:
        agree(text)
        for _ in range(20):
            place = luck.randrange(len(text) + 1)
            agree(text[:place] + luck.choice('"<>;,:@ %\\[]?=\0ü') + text[place + luck.randrange(2) :])


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (speed.read_uri, "sip:a@h:5070;lr;x=Y", ("sip", "a", "h", 5070, {"lr": None, "x": "Y"})),
        (speed.read_via, "SIP/2.0/UDP 192.0.2.1;branch=z", ("udp", "192.0.2.1", None, {"branch": "z"})),
        (speed.read_name_addr, '"A B" <sip:a@h>;tag=1', ("A B", "sip:a@h", {"tag": "1"})),
        (speed.read_cseq, "1 INVITE", (1, "INVITE")),
    ],
)
def test_what_phones_write_is_plain(
    read: Callable[[str], object], text: str, value: tuple[object, ...]
) -> None:
    assert read(text) in (value, (*value, None))
