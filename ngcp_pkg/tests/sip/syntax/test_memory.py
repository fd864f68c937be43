"""Reading the same texts again and again."""

import pytest

from ngcp.sip.syntax.memory import LONGEST, remembered


class Reader:
    """Counts what it reads, and refuses `bad`."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> str:
        self.texts.append(text)
        if text == "bad":
            raise ValueError(text)
        return text.upper()


def test_a_text_is_read_once() -> None:
    reader = Reader()
    read = remembered(reader)

    assert [read("a"), read("a"), read("b")] == ["A", "A", "B"]
    assert reader.texts == ["a", "b"]


def test_a_long_text_is_not_kept() -> None:
    """A flood of long headers must not stay in memory."""
    reader = Reader()
    read = remembered(reader)
    text = "x" * (LONGEST + 1)

    assert read(text) == read(text) == text.upper()
    assert reader.texts == [text, text]


def test_what_cannot_be_read_fails_each_time() -> None:
    reader = Reader()
    read = remembered(reader)

    for _ in range(2):
        with pytest.raises(ValueError, match="bad"):
            read("bad")
    assert reader.texts == ["bad", "bad"]
