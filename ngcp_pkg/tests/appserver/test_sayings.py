"""Numbers and times as they are said, language by language."""

from datetime import date, datetime

import pytest

from appserver.desk import short
from ngcp.appserver.sayings import Kind, digits, messages, moment, number

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
    (121, "de", "hundred 1-and 20"),
    (30, "de", "30"),
    (1100, "de", "thousand hundred"),
    (21, "es", "21"),
    (30, "es", "30"),
    (31, "es", "30 and 1"),
    (90, "es", "90"),
    (100, "es", "hundred"),
    (101, "es", "100-and 1"),
    (200, "es", "200"),
    (555, "es", "500 50 and 5"),
    (1000, "es", "thousand"),
    (2026, "es", "2 thousand 26"),
    (17, "fr", "17"),
    (21, "fr", "20 et 1"),
    (22, "fr", "20 2"),
    (60, "fr", "60"),
    (61, "fr", "60 et 1"),
    (70, "fr", "70"),
    (71, "fr", "60 et 11"),
    (77, "fr", "60 17"),
    (80, "fr", "80"),
    (81, "fr", "80 1"),
    (90, "fr", "90"),
    (91, "fr", "80 11"),
    (100, "fr", "hundred"),
    (1200, "fr", "thousand 2 hundred"),
    (2026, "fr", "2 thousand 20 6"),
    (21, "it", "21"),
    (22, "it", "20 2"),
    (38, "it", "38"),
    (40, "it", "40"),
    (98, "it", "98"),
    (108, "it", "hundred 8"),
    (1000, "it", "thousand"),
    (2026, "it", "2 thousands 20 6"),
    (7, "tlh", "7"),
)


@pytest.mark.parametrize(("value", "language", "said"), NUMBERS)
def test_number(value: int, language: str, said: str) -> None:
    assert short(number(value, language)) == said


COUNTS = (
    (1, Kind.NEW, "en", "1 INBOX message"),
    (2, Kind.OLD, "en", "2 Old messages"),
    (1, Kind.NEW, "es", "1M message INBOXs"),
    (21, Kind.OLD, "es", "21 messages Old"),
    (1, Kind.OLD, "es", "1M message Olds"),
    (1, Kind.NEW, "it", "un nuovo message"),
    (2, Kind.NEW, "it", "2 nuovi messages"),
    (1, Kind.OLD, "it", "un vecchio message"),
    (3, Kind.OLD, "it", "3 vecchi messages"),
    (1, Kind.NEW, "fr", "1 INBOX message"),
)


@pytest.mark.parametrize(("count", "kind", "language", "said"), COUNTS)
def test_messages_in_their_gender_and_number(count: int, kind: Kind, language: str, said: str) -> None:
    assert short(messages(count, kind, language)) == said


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
    ("2026-11-28T13:05", "es", "at 1F and 5 p-m"),
    ("2026-11-28T03:00", "es", "at_s 3 oclock a-m"),
    ("2026-11-28T17:45", "es", "at_s 5 and 40 and 5 p-m"),
    ("2026-11-26T09:20", "es", "es-el day-4 at_s 9 and 20 a-m"),
    ("2026-11-01T09:20", "es", "es-el day-0 1 es-de mon-10 es-de 2 thousand 26 at_s 9 and 20 a-m"),
    ("2026-11-28T21:21", "fr", "at 20 et 1 oclock 20 et 1"),
    ("2026-11-01T08:00", "fr", "day-0 h-1 mon-10 2 thousand 20 6 at 8 oclock"),
    ("2026-11-02T08:00", "fr", "day-1 2 mon-10 2 thousand 20 6 at 8 oclock"),
    ("2026-11-28T00:00", "it", "at ore-mezzanotte"),
    ("2026-11-28T01:05", "it", "at ore-una e 5"),
    ("2026-11-28T17:48", "it", "at hours 17 e 48"),
    ("2026-11-27T21:00", "it", "yesterday at hours 21"),
    ("2026-11-01T12:00", "it", "day-0 h-1 mon-10 2 thousands 20 6 at hours 12"),
    ("2026-11-21T09:05", "de", "day-6 1-and 20 mon-10 2 thousand 6-and 20 at 9 oclock 5"),
)


@pytest.mark.parametrize(("when", "language", "said"), MOMENTS)
def test_moment(when: str, language: str, said: str) -> None:
    assert short(moment(datetime.fromisoformat(when), TODAY, language)) == said
