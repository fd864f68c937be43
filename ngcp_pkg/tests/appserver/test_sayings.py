"""Numbers and times as they are said, language by language."""

from datetime import date, datetime

import pytest

from appserver.desk import short
from ngcp.appserver.sayings import digits, moment, number

NUMBERS = (
    (0, "en", "0"),
    (1, "en", "1"),
    (13, "en", "13"),
    (20, "en", "20"),
    (21, "en", "20 1"),
    (99, "en", "90 9"),
    (100, "en", "1 hundred"),
    (115, "en", "1 hundred 15"),
    (2026, "en", "2 thousand 20 6"),
    (999_999, "en", "9 hundred 90 9 thousand 9 hundred 90 9"),
    (1_000_000, "en", "1 0 0 0 0 0 0"),
    (21, "de", "1-and 20"),
    (121, "de", "1 hundred 1-and 20"),
    (30, "de", "30"),
    (100, "es", "hundred"),
    (1200, "fr", "thousand 2 hundred"),
    (7, "tlh", "7"),
)


@pytest.mark.parametrize(("value", "language", "said"), NUMBERS)
def test_number(value: int, language: str, said: str) -> None:
    assert short(number(value, language)) == said


def test_every_number_has_words() -> None:
    for language in ("en", "de", "es", "fr", "it", "nl"):
        said = [number(value, language) for value in range(3000)]
        assert all(said)
        assert len(set(said)) == 3000, f"two numbers are said alike in {language}"


def test_digits() -> None:
    assert digits("+43*1 (0) 20#") == (
        *("letters/plus", "digits/4", "digits/3", "digits/star", "digits/1", "digits/0"),
        *("digits/2", "digits/0", "digits/pound"),
    )


TODAY = date(2026, 11, 28)
MOMENTS = (
    ("2026-11-28T09:05", "en", "at 9 oh 5 a-m"),
    ("2026-11-28T00:00", "en", "at 12 oclock a-m"),
    ("2026-11-28T12:30", "en", "at 12 30 p-m"),
    ("2026-11-28T17:45", "en", "at 5 40 5 p-m"),
    ("2026-11-27T09:05", "en", "yesterday at 9 oh 5 a-m"),
    ("2026-11-26T09:05", "en", "day-4 at 9 oh 5 a-m"),
    ("2026-11-22T09:05", "en", "day-0 at 9 oh 5 a-m"),
    ("2026-11-21T09:05", "en", "day-6 mon-10 20 h-1 2 thousand 20 6 at 9 oh 5 a-m"),
    ("2026-03-03T09:05", "en", "day-2 mon-2 h-3 2 thousand 20 6 at 9 oh 5 a-m"),
    ("2025-12-30T09:05", "en", "day-2 mon-11 h-30 2 thousand 20 5 at 9 oh 5 a-m"),
    ("2026-11-29T09:05", "en", "day-0 mon-10 20 h-9 2 thousand 20 6 at 9 oh 5 a-m"),
    ("2026-11-28T17:45", "de", "at 17 oclock 5-and 40"),
    ("2026-11-28T00:00", "de", "at 0 oclock"),
    ("2026-11-21T09:05", "de", "day-6 1-and 20 mon-10 2 thousand 6-and 20 at 9 oclock 5"),
)


@pytest.mark.parametrize(("when", "language", "said"), MOMENTS)
def test_moment(when: str, language: str, said: str) -> None:
    assert short(moment(datetime.fromisoformat(when), TODAY, language)) == said
