"""How numbers and times are said: names of Debian's prompt files, in the order of a language.

The files of a language lie in a directory of their own, mostly under the same names in each; what differs is
the order of words, and some words that only one language has. Rules and names are those of Asterisk's `say.c`
and `app_voicemail.c` where the prompts were made for them. A language that is not here is said as English.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Final, NamedTuple

#: Names of prompt files, one after the other.
Words = tuple[str, ...]

#: Largest number that is said as a number; a larger one is said by its digits.
LARGEST: Final = 999_999
#: Days that are told by their names.
WEEK: Final = 7


class Kind(Enum):
    """Which messages."""

    NEW = "new"
    OLD = "old"


# Days and what is counted, which most languages say alike


def _weekday(day: date) -> Words:
    return (f"digits/day-{day.isoweekday() % 7}",)


def _month(day: date) -> str:
    return f"digits/mon-{day.month - 1}"


def _adjective_first(count: int, words: Words, kind: Kind) -> Words:
    """Say "two new messages"."""
    adjective = "vm-INBOX" if kind is Kind.NEW else "vm-Old"
    return (*words, adjective, "vm-message" if count == 1 else "vm-messages")


class Speech(NamedTuple):
    """One language."""

    below_hundred: Callable[[int], Words]
    """Numbers from 1 to 99."""
    hundreds: Callable[[int, Words], Words]
    """So many hundreds, what is behind them, if anything."""
    thousands: Callable[[Words], Words]
    """Thousands, by the words of how many."""
    clock: Callable[[int, int], Words]
    """Hour and minute, and the words before them."""
    day: Callable[[date], Words]
    """A date."""
    one: str = "digits/1"
    """One of what is masculine, as messages and minutes are."""
    counted: Callable[[int, Words, Kind], Words] = _adjective_first
    """So many new or old messages."""
    weekday: Callable[[date], Words] = _weekday
    """A day of this week."""


def number(value: int, language: str) -> Words:
    """Say a number, not a negative one."""
    if value == 0:
        return ("digits/0",)
    if value > LARGEST:
        return digits(str(value))
    speech = SPEECHES.get(language, ENGLISH)
    thousands, rest = divmod(value, 1000)
    hundreds, ones = divmod(rest, 100)
    words: Words = ()
    if thousands:
        words += speech.thousands(number(thousands, language))
    behind = speech.below_hundred(ones) if ones else ()
    return words + (speech.hundreds(hundreds, behind) if hundreds else behind)


def amount(value: int, language: str) -> Words:
    """Say how many there are of what is masculine."""
    return (SPEECHES.get(language, ENGLISH).one,) if value == 1 else number(value, language)


def messages(count: int, kind: Kind, language: str) -> Words:
    """Say how many new or old messages there are."""
    return SPEECHES.get(language, ENGLISH).counted(count, amount(count, language), kind)


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
        words = speech.weekday(day)
    else:
        words = speech.day(day)
    return words + speech.clock(when.hour, when.minute)


_SIGNS: Final[Mapping[str, str]] = {
    **{digit: f"digits/{digit}" for digit in "0123456789"},
    "*": "digits/star",
    "#": "digits/pound",
    "+": "letters/plus",
}


# Numbers


def _tens_first(value: int) -> Words:
    """Say "twenty one"."""
    if value <= 20:
        return (f"digits/{value}",)
    tens, ones = value // 10 * 10, value % 10
    return (f"digits/{tens}", f"digits/{ones}") if ones else (f"digits/{tens}",)


def _ones_first(value: int) -> Words:
    """Say "einundzwanzig"."""
    if value <= 20:
        return (f"digits/{value}",)
    tens, ones = value // 10 * 10, value % 10
    return (f"digits/{ones}-and", f"digits/{tens}") if ones else (f"digits/{tens}",)


def _spanish(value: int) -> Words:
    """Say "veintiuno" as one word, "treinta y uno" as three."""
    tens, ones = value // 10 * 10, value % 10
    if value <= 30 or not ones:
        return (f"digits/{value}",)
    return (f"digits/{tens}", "digits/and", f"digits/{ones}")


def _french(value: int) -> Words:
    """Say "vingt et un", "soixante et onze", "quatre-vingt-onze"."""
    if value <= 20 or value in (70, 90):
        return (f"digits/{value}",)
    tens = value // 10 * 10 if value < 60 else 60 if value < 80 else 80
    rest = value - tens
    link = ("digits/et",) if rest in (1, 11) and tens != 80 else ()
    return (f"digits/{tens}", *link, f"digits/{rest}") if rest else (f"digits/{tens}",)


def _italian(value: int) -> Words:
    """Say "ventuno" and "ventotto", which lose a vowel, as one word."""
    if value <= 20 or value % 10 in (0, 1, 8):
        return (f"digits/{value}",)
    return (f"digits/{value // 10 * 10}", f"digits/{value % 10}")


def _hundreds(count: int, behind: Words) -> Words:
    """Say "two hundred"."""
    return (f"digits/{count}", "digits/hundred", *behind)


def _uncounted_hundred(count: int, behind: Words) -> Words:
    """Say one hundred as "hundred"."""
    return ("digits/hundred", *behind) if count == 1 else _hundreds(count, behind)


def _spanish_hundreds(count: int, behind: Words) -> Words:
    """Say "cien", "ciento uno", "doscientos"."""
    if count == 1:
        return ("digits/100-and", *behind) if behind else ("digits/hundred",)
    return (f"digits/{count}00", *behind)


def _thousands(count: Words) -> Words:
    return (*count, "digits/thousand")


def _uncounted_thousand(count: Words) -> Words:
    """Say one thousand as "thousand"."""
    return ("digits/thousand",) if count == _ONE else (*count, "digits/thousand")


def _italian_thousands(count: Words) -> Words:
    """Say "mille", "duemila"."""
    return ("digits/thousand",) if count == _ONE else (*count, "digits/thousands")


_ONE: Final = ("digits/1",)

# Times of day


def _half_day(hour: int, minute: int) -> Words:
    """Say a time in hours to twelve."""
    ending = "digits/p-m" if hour >= 12 else "digits/a-m"
    words = ("digits/at", *_tens_first(hour % 12 or 12))
    if minute == 0:
        return (*words, "digits/oclock", ending)
    if minute < 10:
        return (*words, "digits/oh", f"digits/{minute}", ending)
    return (*words, *_tens_first(minute), ending)


def _whole_day(language: str) -> Callable[[int, int], Words]:
    """Say a time in hours to twenty-four."""

    def say(hour: int, minute: int) -> Words:
        words = ("digits/at", *number(hour, language))
        return (*words, "digits/oclock", *(number(minute, language) if minute else ()))

    return say


def _spanish_time(hour: int, minute: int) -> Words:
    """Say "a la una y cinco", "a las tres en punto": hours are feminine."""
    there = hour % 12 or 12
    words: Words = ("digits/at", "digits/1F") if there == 1 else ("digits/at_s", f"digits/{there}")
    words += ("digits/and", *_spanish(minute)) if minute else ("digits/oclock",)
    return (*words, "digits/p-m" if hour >= 12 else "digits/a-m")


def _italian_time(hour: int, minute: int) -> Words:
    """Say the hour and the minute; midnight and one have words of their own."""
    hours = {0: ("digits/ore-mezzanotte",), 1: ("digits/ore-una",)}
    words = ("digits/at", *hours.get(hour, ("digits/hours", *number(hour, "it"))))
    return (*words, "digits/e", *number(minute, "it")) if minute else words


# Dates


def _english_day(day: date) -> Words:
    """Say "Saturday, March twenty-first, two thousand twenty-six"."""
    tens = day.day // 10 * 10
    if day.day > 20 and day.day % 10:
        ordinal: Words = (f"digits/{tens}", f"digits/h-{day.day % 10}")
    else:
        ordinal = (f"digits/h-{day.day}",)
    return (*_weekday(day), _month(day), *ordinal, *number(day.year, "en"))


def _day_before_month(language: str, first: str = "digits/1") -> Callable[[date], Words]:
    """Say "Saturday 21 March 2026"; the first of a month may have another word."""

    def say(day: date) -> Words:
        there = (first,) if day.day == 1 else number(day.day, language)
        return (*_weekday(day), *there, _month(day), *number(day.year, language))

    return say


def _spanish_weekday(day: date) -> Words:
    """Say "el sábado"."""
    return ("digits/es-el", *_weekday(day))


def _spanish_day(day: date) -> Words:
    """Say "el sábado 21 de marzo de 2026"."""
    year = number(day.year, "es")
    words = (*_spanish_weekday(day), *number(day.day, "es"), "digits/es-de", _month(day))
    return (*words, "digits/es-de", *year)


# Messages


def _spanish_messages(count: int, words: Words, kind: Kind) -> Words:
    """Say "un mensaje nuevo", "dos mensajes nuevos"."""
    adjective = "vm-INBOX" if kind is Kind.NEW else "vm-Old"
    return (*words, "vm-message", f"{adjective}s") if count == 1 else (*words, "vm-messages", adjective)


def _italian_messages(count: int, words: Words, kind: Kind) -> Words:
    """Say "un nuovo messaggio", "due nuovi messaggi"."""
    if count == 1:
        return (*words, "vm-nuovo" if kind is Kind.NEW else "vm-vecchio", "vm-message")
    return (*words, "vm-nuovi" if kind is Kind.NEW else "vm-vecchi", "vm-messages")


ENGLISH: Final = Speech(_tens_first, _hundreds, _thousands, _half_day, _english_day)
SPEECHES: Final[Mapping[str, Speech]] = {
    "en": ENGLISH,
    "de": Speech(
        _ones_first, _uncounted_hundred, _uncounted_thousand, _whole_day("de"), _day_before_month("de")
    ),
    "nl": Speech(
        _ones_first, _uncounted_hundred, _uncounted_thousand, _whole_day("nl"), _day_before_month("nl")
    ),
    "es": Speech(
        _spanish,
        _spanish_hundreds,
        _uncounted_thousand,
        _spanish_time,
        _spanish_day,
        "digits/1M",
        _spanish_messages,
        _spanish_weekday,
    ),
    "it": Speech(
        _italian,
        _uncounted_hundred,
        _italian_thousands,
        _italian_time,
        _day_before_month("it", "digits/h-1"),
        "digits/un",
        _italian_messages,
    ),
    "fr": Speech(
        _french,
        _uncounted_hundred,
        _uncounted_thousand,
        _whole_day("fr"),
        _day_before_month("fr", "digits/h-1"),
    ),
}
