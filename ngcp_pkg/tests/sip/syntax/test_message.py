"""Edits are splices: they touch their own header and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.sip.errors import MissingHeader
from ngcp.sip.syntax import Request

TOKENS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)
LINES = st.lists(st.tuples(TOKENS.map(lambda name: f"X-{name}"), TOKENS), max_size=8)


@pytest.fixture
def invite() -> Request:
    return Request(
        "INVITE",
        "sip:b@h",
        [
            "Via: a, b",
            "v: c",
            "From: <sip:a@h>;tag=1",
            "To: <sip:b@h>",
            "Call-ID: x",
            "CSeq: 1 INVITE",
            "X: 1",
        ],
        b"old",
    )


@given(before=LINES, after=LINES, value=TOKENS)
def test_a_splice_leaves_the_other_headers_untouched(
    before: list[tuple[str, str]], after: list[tuple[str, str]], value: str
) -> None:
    left = [f"{name}:{text}" for name, text in before]
    right = [f"{name} :  {text}" for name, text in after]
    message = Request("INVITE", "sip:b@h", [*left, "Route: <sip:p;lr>, <sip:q;lr>", *right])
    message.set("Max-Forwards", value)
    assert message.pop_first("Route") == "<sip:p;lr>"
    message.remove("Max-Forwards")
    assert list(message.lines) == [*left, "Route: <sip:q;lr>", *right]


def test_pop_first_takes_one_value_of_a_line_that_has_two(invite: Request) -> None:
    assert [invite.pop_first("Via") for _ in range(3)] == ["a", "b", "c"]
    with pytest.raises(MissingHeader, match="Via"):
        invite.pop_first("Via")


@pytest.mark.parametrize(("count", "left"), [(0, ["a", "b", "c"]), (1, ["b", "c"]), (2, ["c"]), (3, [])])
def test_drop_first_takes_values_wherever_their_lines_end(
    invite: Request, count: int, left: list[str]
) -> None:
    invite.drop_first("Via", count)
    assert invite.all("via") == left
    assert invite.lines[-5:] == [
        "From: <sip:a@h>;tag=1",
        "To: <sip:b@h>",
        "Call-ID: x",
        "CSeq: 1 INVITE",
        "X: 1",
    ]


def test_drop_first_cannot_take_what_is_not_there(invite: Request) -> None:
    with pytest.raises(MissingHeader, match="Via"):
        invite.drop_first("Via", 4)


def test_prepend_goes_before_its_own_kind_or_to_the_top(invite: Request) -> None:
    invite.prepend("Via", "new")
    invite.prepend("Record-Route", "<sip:p;lr>")
    assert invite.lines[:3] == ["Record-Route: <sip:p;lr>", "Via: new", "Via: a, b"]


def test_set_replaces_every_line_of_its_name_in_place(invite: Request) -> None:
    invite.set("Via", "only")
    assert invite.lines[0] == "Via: only"
    assert invite.all("via") == ["only"]


def test_view_follows_an_edit(invite: Request) -> None:
    assert invite.to.tag is None
    invite.set("To", "<sip:b@h>;tag=2")
    assert invite.to.tag == "2"


def test_copy_is_independent(invite: Request) -> None:
    twin = invite.copy()
    twin.uri, twin.body = "sip:c@h", b"new"
    twin.remove("Via")
    assert (invite.uri, invite.body, invite.all("via")) == ("sip:b@h", b"old", ["a", "b", "c"])


def test_body_sets_content_length(invite: Request) -> None:
    invite.body = b"v=0\r\n"
    assert invite.get("l") == "5"


def test_reply_copies_only_the_headers_of_8_2_6_2(invite: Request) -> None:
    reply = invite.reply(486, to_tag="t")
    assert bytes(reply).decode().splitlines() == [
        "SIP/2.0 486 Busy Here",
        "Via: a, b",
        "v: c",
        "From: <sip:a@h>;tag=1",
        "To: <sip:b@h>;tag=t",
        "Call-ID: x",
        "CSeq: 1 INVITE",
        "Content-Length: 0",
        "",
    ]
    assert reply.to.tag == "t"


def test_reply_keeps_a_tag_that_is_there(invite: Request) -> None:
    invite.set("To", "<sip:b@h>;tag=their")
    assert invite.reply(200, to_tag="ours").to.tag == "their"
