"""What the node says is there to be said: prompts that Debian's package does not have would be silence."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from appserver.desk import Desk, inbox
from appserver.test_menu import BEHIND_0, BEHIND_3, BEHIND_8, BOB, CALLING, CAROL, MAIN, UNKNOWN
from ngcp.appserver import deposit, menu_prompts, sayings
from ngcp.b2bua import service_code
from ngcp.provisioning.voicemail import Manner
from ngcp.voice.prompts import USUAL

CORPUS = Path(__file__).parents[1] / "corpus/prompts"


def names_of(language: str) -> frozenset[str]:
    """Return the names of the files of Debian's asterisk-core-sounds-…-wav 1.6.1, without their endings."""
    return frozenset((CORPUS / f"asterisk-core-sounds-{language}.txt").read_text().split())


NAMES = names_of("en")


@pytest.mark.parametrize("may_call", [False, True])
def test_menu_of_a_mailbox(may_call: bool) -> None:
    said: set[str] = set()
    manner = Manner(goes_on=False, may_call=may_call, says_time=True, says_duration=True)
    for keys, _, _ in (*MAIN, *BEHIND_3, *BEHIND_8, *BEHIND_0, *(CALLING if may_call else ())):
        desk = Desk(inbox(BOB, CAROL, UNKNOWN), manner=manner)
        for key in f"1#1234#{keys}":
            said |= {*desk.press(key)}
    assert {name for name in said if not name.startswith("<")} - NAMES == set()
    assert len(said) > 80


def test_numbers_and_times_in_english() -> None:
    said = {name for value in range(100_000) for name in sayings.number(value, "en")}
    said |= {f"digits/day-{day}" for day in range(7)} | {f"digits/mon-{month}" for month in range(12)}
    said |= {f"digits/h-{day}" for day in (*range(1, 21), 30)}
    said |= {*sayings.digits("0123456789*#+"), "digits/yesterday", "digits/at", "digits/oclock", "digits/oh"}
    assert said - NAMES == set()


@pytest.mark.parametrize("language", ["es", "fr", "it"])
def test_numbers_times_and_messages_in_other_languages(language: str) -> None:
    """Nothing of it is said in English among words of another language."""
    said = {name for value in range(100_000) for name in sayings.number(value, language)}
    today = date(2026, 12, 31)
    for minutes in range(0, 400 * 1440, 71):
        when = datetime(2025, 11, 28) + timedelta(minutes=minutes)
        said |= {*sayings.moment(when, today, language)}
    for count in range(3):
        said |= {name for kind in sayings.Kind for name in sayings.messages(count, kind, language)}
    assert said - names_of(language) == set()


@pytest.mark.parametrize(
    "names",
    [
        *USUAL.values(),
        (deposit.BEEP, deposit.INTRODUCTION, deposit.NOBODY, *deposit.STATES.values(), "vm-theperson"),
        (*deposit.FULL, *deposit.APOLOGY, *deposit.THANKS),
        (*service_code.ERROR, *service_code.ENDINGS.values()),
        *service_code.NAMES.values(),
        (menu_prompts.LATER, "vm-incorrect-mailbox", "vm-nobodyavail"),
    ],
    ids=" ".join,
)
def test_other_prompts(names: tuple[str, ...]) -> None:
    assert {*names} - NAMES == set()
