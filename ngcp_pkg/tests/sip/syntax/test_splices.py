"""What nobody edited leaves as it came: bytes in, edits, bytes out, whatever holds the lines in between.

Promised is: `bytes(parse(data))` is `data` without the line ends before its start line, with the version in
capitals (§7.1), and without what stands behind the announced body (§18.3). An edit changes the lines of its
own header and leaves all others, byte for byte and in their order.
"""

import re
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sip.errors import MissingHeader, SipError
from ngcp.sip.syntax import Message, Request, Response, parse
from ngcp.sip.syntax.names import COMPACT, LISTS

STARTS = (
    b"INVITE sip:b@h SIP/2.0",
    b"!odd-method'~ tel:+43;x=\xff SIP/2.0",
    b"SIP/2.0 200 OK",
    b"SIP/2.0 699 \xd1\x82\xff \x01",
    b"SIP/2.0 100 ",
)
NAMES = ("Via", "v", "VIA", "Route", "rOUTE", "Contact", "m", "Subject", "s", "X-Own", "x-own", "C%6Fntact")
#: What makes values hard to split, and bytes that are no text.
PIECES = (
    *(b"a", b"sip:a@h", b"<sip:b@h;lr>", b";tag=1", b'"x, \\"y\\""', b'"', b"<", b">", b",", b", ", b"\\"),
    *(b"\r\n ", b"\r\n\t ", b" ", b"\t", b":", b"\xff", b"\xed\xa0\x80", b"\xd1\x82", b"\x01", b"\\\0"),
)

lines = st.builds(
    lambda name, blank, pieces: name.encode() + blank + b"".join(pieces),
    st.sampled_from(NAMES),
    st.sampled_from([b":", b": ", b" : ", b"\t:", b":\r\n  "]),
    st.lists(st.sampled_from(PIECES), max_size=6),
)
bodies = st.binary(max_size=20)
values = st.sampled_from(["new", "<sip:n@h>", '"quoted, \u0442" <sip:n@h>', "\udcff"])


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """Bytes of a message as it may stand on the wire, with a Content-Length or without."""
    body = draw(bodies)
    head = [draw(st.sampled_from(STARTS)), *draw(st.lists(lines, max_size=8))]
    if draw(st.booleans()):
        head.insert(draw(st.integers(1, len(head))), b"l : %d" % len(body))
    return b"\r\n".join([*head, b"", body])


def lines_of(data: bytes) -> list[bytes]:
    """Return the header lines of a message, those that are folded whole."""
    return re.split(rb"\r\n(?![ \t])", data.partition(b"\r\n\r\n")[0])[1:]


def name_of(line: bytes) -> str:
    name = line.partition(b":")[0].strip().decode().lower()
    return COMPACT.get(name, name)


def others(data: bytes, name: str) -> list[bytes]:
    return [line for line in lines_of(data) if name_of(line) != name]


def read(data: bytes) -> Request | Response:
    """Read what a strategy made; a value that ends the headers early only moves where the body begins."""
    return parse(data if b"\r\n\r\n" in data else data + b"\r\n\r\n")


@given(messages())
def test_what_nobody_edited_is_written_as_it_came(data: bytes) -> None:
    message = read(data)

    assert bytes(message) == data
    assert bytes(message.copy()) == data


@given(messages(), st.binary(max_size=5), st.sampled_from([b"", b"\r\n", b"\r\n\r\n", b"\n"]))
def test_what_may_differ_is_before_and_behind_the_message(data: bytes, surplus: bytes, blank: bytes) -> None:
    written = bytes(read(blank + data + surplus))

    announced = any(name_of(line) == "content-length" for line in lines_of(data))
    assert written == (data if announced else data + surplus)


@pytest.mark.parametrize(
    ("start", "written"),
    [
        (b"INVITE sip:b@h sip/2.0", b"INVITE sip:b@h SIP/2.0"),
        (b"Sip/2.0 200 sip/2.0", b"SIP/2.0 200 sip/2.0"),
    ],
)
def test_the_version_is_written_in_capitals(start: bytes, written: bytes) -> None:
    """§7.1: case does not matter to a reader; a writer uses capitals."""
    assert bytes(read(start)) == written + b"\r\n\r\n"


@given(messages())
def test_reading_leaves_no_trace(data: bytes) -> None:
    message = read(data)
    for name in NAMES:
        message.get(name)
        message.all(name)
    for ask in (lambda: message.via, lambda: message.from_, lambda: message.cseq):
        with suppress(SipError):
            ask()

    assert bytes(message) == data


EDITS: dict[str, Callable[[Message, str, str], object]] = {
    "set": lambda message, name, value: message.set(name, value),
    "prepend": lambda message, name, value: message.prepend(name, value),
    "append": lambda message, name, value: message.append(name, value),
    "replace_first": lambda message, name, value: message.replace_first(name, value),
    "pop_first": lambda message, name, _: message.pop_first(name),
    "remove": lambda message, name, _: message.remove(name),
    "drop_first": lambda message, name, _: message.drop_first(name, 2),
}
edits = st.tuples(st.sampled_from(sorted(EDITS)), st.sampled_from(NAMES), values)


@given(messages(), edits)
def test_a_splice_leaves_all_other_headers_untouched(data: bytes, edit: tuple[str, str, str]) -> None:
    message, (kind, name, value) = read(data), edit
    twin = message.copy()
    with suppress(MissingHeader):
        EDITS[kind](message, name, value)

    key = name_of(name.encode() + b":")
    written = bytes(message)
    assert others(written, key) == others(data, key)
    assert written.partition(b"\r\n")[0] == data.partition(b"\r\n")[0]
    assert written.partition(b"\r\n\r\n")[2] == data.partition(b"\r\n\r\n")[2]
    assert bytes(twin) == data


@given(messages(), st.lists(edits, max_size=6), bodies)
def test_any_number_of_splices_gives_a_message_again(
    data: bytes, several: list[tuple[str, str, str]], body: bytes
) -> None:
    """Parse and write are inverse, whatever was edited before."""
    message = read(data)
    for kind, name, value in several:
        with suppress(MissingHeader):
            EDITS[kind](message, name, value)
    message.body = body

    written = bytes(message)
    again = read(written)
    assert bytes(again) == written
    assert again.body == body
    for name in NAMES:
        assert again.all(name) == message.all(name)


@given(messages(), bodies)
def test_a_body_brings_its_length_and_nothing_else(data: bytes, body: bytes) -> None:
    message = read(data)
    message.body = body

    written = bytes(message)
    assert others(written, "content-length") == others(data, "content-length")
    assert [line for line in lines_of(written) if name_of(line) == "content-length"] == [
        b"Content-Length: %d" % len(body)
    ]
    assert written.partition(b"\r\n\r\n")[2] == body


@given(messages(), st.sampled_from(NAMES), values)
def test_edits_mean_what_they_say(data: bytes, name: str, value: str) -> None:
    """By the values of the header, before and after."""
    before = read(data).all(name)

    def after(edit: str) -> list[str]:
        message = read(data)
        EDITS[edit](message, name, value)
        return message.all(name)

    assert after("set") == [value]
    assert after("prepend") == [value, *before]
    assert after("append") == [*before, value]
    assert after("remove") == []


listed = st.lists(
    st.lists(
        st.sampled_from(["<sip:a@h>", '"x, y" <sip:b@h>', "sip:c@h;p=1", "<sip:d@h,e>"]),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=3,
)


@given(listed, st.integers(0, 8))
def test_the_first_values_go_wherever_their_lines_end(several: list[list[str]], count: int) -> None:
    text = "".join(f"Route: {' ,  '.join(members)}\r\n" for members in several)
    flat = [member for members in several for member in members]
    popped, dropped, replaced = (read(f"BYE sip:b@h SIP/2.0\r\n{text}\r\n".encode()) for _ in range(3))

    assert [popped.pop_first("Route") for _ in flat] == flat
    assert "Route" not in popped
    if count <= len(flat):
        dropped.drop_first("Route", count)
        assert dropped.all("Route") == flat[count:]
    replaced.replace_first("Route", "<sip:z>")
    assert replaced.all("Route") == ["<sip:z>", *flat[1:]]
    assert lines_of(bytes(replaced))[1:] == lines_of(text.encode().join([b"x\r\n", b"\r\n"]))[1:]


def test_headers_that_are_no_lists_are_not_split() -> None:
    """A comma in a Subject separates nothing."""
    message = read(b"BYE sip:b@h SIP/2.0\r\nSubject: a, b\r\nSubject: c\r\n\r\n")

    assert "subject" not in LISTS
    assert message.pop_first("Subject") == "a, b"
    assert bytes(message) == b"BYE sip:b@h SIP/2.0\r\nSubject: c\r\n\r\n"
