"""Control commands in datagrams: what is asked, and what is answered."""

import asyncio

import pytest

from ngcp.service.commands import CommandTable, Json
from ngcp.service.datagrams import LONGEST_QUESTION, respond


def _table() -> CommandTable:
    table = CommandTable("tested")

    def add(first: int, second: int) -> int:
        return first + second

    def fail() -> Json:
        raise RuntimeError("a bug")

    table.add("add", add, "FIRST SECOND: their sum")
    table.add("fail", fail, "never works")
    return table


def ask(question: bytes) -> dict[str, Json]:
    return asyncio.run(respond(_table(), question))


def test_a_command_is_executed() -> None:
    assert ask(b"add 3 '4'\n") == {"result": 7}


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (b"nothing", 404),
        (b"add 1", 400),
        (b"add 1 x", 400),
        (b"add 'open", 400),
        (b" ", 400),
        (b"\xff", 400),
        (b"x" * (LONGEST_QUESTION + 1), 413),
        (b"fail", 500),
    ],
)
def test_what_cannot_be_done_is_said(question: bytes, code: int) -> None:
    assert ask(question)["code"] == code
