"""What the node says is there to be said: prompts that Debian's package does not have would be silence."""

from pathlib import Path

import pytest

from appserver.desk import Desk, inbox
from appserver.test_menu import BEHIND_0, BEHIND_3, BEHIND_8, BOB, CALLING, CAROL, MAIN, UNKNOWN
from ngcp.appserver import deposit, menu_prompts, sayings
from ngcp.b2bua import service_code
from ngcp.provisioning.voicemail import Manner
from ngcp.voice.prompts import USUAL

#: Names of the files of Debian's asterisk-core-sounds-en-wav 1.6.1, without their endings.
NAMES = frozenset(
    (Path(__file__).parents[1] / "corpus/prompts/asterisk-core-sounds-en.txt").read_text().split()
)


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
