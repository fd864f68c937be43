"""How numbers and times are said: names of Debian's prompt files, in the order of a language.

The files of a language lie in a directory of their own, under the same names in each; what differs is the
order of words. A language that is not here is said in the order of English.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final, NamedTuple

#: Names of prompt files, one after the other.
Words = tuple[str, ...]

#: Largest number that is said as a number; a larger one is said by its digits.
LARGEST: Final = 999_999
#: Days that are told by their names.
WEEK: Final = 7


class Speech(NamedTuple):
    """One language."""

    below_hundred: Callable[[int], Words]
    """Numbers from 1 to 99."""
    multiple: Callable[[int, str, Words], Words]
    """So many hundreds or thousands, and their own words."""
    clock: Callable[[int, int], Words]
    """Hour and minute."""
    day: Callable[[date], Words]
    """A date."""


def number(value: int, language: str) -> Words:
    """Say a number, not a negative one."""
    if value == 0:
        return ("digits/0",)
    if value > LARGEST:
        return digits(str(value))
    speech = SPEECHES.get(language, ENGLISH)
    thousands, rest = divmod(value, 1000)
    hundreds, rest = divmod(rest, 100)
    words: Words = ()
    if thousands:
        words += speech.multiple(thousands, "digits/thousand", number(thousands, language))
    if hundreds:
        words += speech.multiple(hundreds, "digits/hundred", speech.below_hundred(hundreds))
    return words + speech.below_hundred(rest) if rest else words


def digits(text: str) -> Words:
    """Say the digits of a number, one by one; signs that telephones have no word for are left out."""
    return tuple(_SIGNS[sign] for sign in text if sign in _SIGNS)


def moment(when: datetime, today: date, language: str) -> Words:
    """Say when something was: the day, unless it was today, and the time."""
    speech, day = SPEECHES.get(language, ENGLISH), when.date()
    ago = (today - day).days
    if ago == 0:
        words: Words = ()
    elif ago == 1:
        words = ("digits/yesterday",)
    elif 1 < ago < WEEK:
        words = (_weekday(day),)
    else:
        words = (_weekday(day), *speech.day(day))
    return (*words, "digits/at", *speech.clock(when.hour, when.minute))


_SIGNS: Final[Mapping[str, str]] = {
    **{digit: f"digits/{digit}" for digit in "0123456789"},
    "*": "digits/star",
    "#": "digits/pound",
    "+": "letters/plus",
}


def _weekday(day: date) -> str:
    return f"digits/day-{day.isoweekday() % 7}"


def _month(day: date) -> str:
    return f"digits/mon-{day.month - 1}"


def _counted(_: int, unit: str, count: Words) -> Words:
    return (*count, unit)


def _uncounted_one(count: int, unit: str, words: Words) -> Words:
    """Say a hundred as "hundred", two of them as "two hundred"."""
    return (unit,) if count == 1 else (*words, unit)


def _tens_first(value: int) -> Words:
    if value <= 20:
        return (f"digits/{value}",)
    tens, ones = value // 10 * 10, value % 10
    return (f"digits/{tens}", f"digits/{ones}") if ones else (f"digits/{tens}",)


def _ones_first(value: int) -> Words:
    if value <= 20:
        return (f"digits/{value}",)
    tens, ones = value // 10 * 10, value % 10
    return (f"digits/{ones}-and", f"digits/{tens}") if ones else (f"digits/{tens}",)


def _half_day(hour: int, minute: int) -> Words:
    """Say a time in hours to twelve."""
    ending = "digits/p-m" if hour >= 12 else "digits/a-m"
    words = _tens_first(hour % 12 or 12)
    if minute == 0:
        return (*words, "digits/oclock", ending)
    if minute < 10:
        return (*words, "digits/oh", f"digits/{minute}", ending)
    return (*words, *_tens_first(minute), ending)


def _whole_day(language: str) -> Callable[[int, int], Words]:
    """Say a time in hours to twenty-four."""

    def say(hour: int, minute: int) -> Words:
        words = number(hour, language)
        return (*words, "digits/oclock", *(number(minute, language) if minute else ()))

    return say


def _english_day(day: date) -> Words:
    """Say "March twenty-first, two thousand twenty-six"."""
    tens = day.day // 10 * 10
    if day.day > 20 and day.day % 10:
        ordinal: Words = (f"digits/{tens}", f"digits/h-{day.day % 10}")
    else:
        ordinal = (f"digits/h-{day.day}",)
    return (_month(day), *ordinal, *number(day.year, "en"))


def _day_before_month(language: str) -> Callable[[date], Words]:
    """Say "21 March 2026"."""
    return lambda day: (*number(day.day, language), _month(day), *number(day.year, language))


ENGLISH: Final = Speech(_tens_first, _counted, _half_day, _english_day)
SPEECHES: Final[Mapping[str, Speech]] = {
    "en": ENGLISH,
    "de": Speech(_ones_first, _counted, _whole_day("de"), _day_before_month("de")),
    "nl": Speech(_ones_first, _uncounted_one, _whole_day("nl"), _day_before_month("nl")),
    "es": Speech(_tens_first, _uncounted_one, _whole_day("es"), _day_before_month("es")),
    "it": Speech(_tens_first, _uncounted_one, _whole_day("it"), _day_before_month("it")),
    "fr": Speech(_tens_first, _uncounted_one, _whole_day("fr"), _day_before_month("fr")),
}
