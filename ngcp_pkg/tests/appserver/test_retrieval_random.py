"""Calls in which anything is pressed at any time: nothing stays behind, and no message is lost."""

import random

import pytest

from appserver.box import OTHER
from appserver.test_retrieval import Visit
from ngcp.provisioning.voicemail import Folder

KEYS = "0123456789*#0123456789*#ABCD"
#: Prompts are a tenth of a second, so this many keys reach every corner.
PRESSED = 120


@pytest.mark.parametrize("seed", range(25))
def test_anything_is_pressed_at_any_time(seed: int) -> None:
    chance = random.Random(seed)
    visit = Visit(f"<{OTHER}>", "4369911", "").log_in()
    for _ in range(PRESSED):
        visit.phone.press(chance.choice(KEYS))
        if chance.random() < 0.2:
            visit.house.wait(chance.choice((0.02, 0.3, 2.0, 7.0)))
        if chance.random() < 0.05:
            visit.box.is_away = not visit.box.is_away
        if visit.phone.was_hung_up:
            break
    visit.box.is_away = False
    if not visit.phone.was_hung_up:
        visit.hang_up()
    visit.house.wait(90.0)
    assert visit.house.is_idle
    removed = {number for late in visit.box.late for number in late.removed}
    assert {*visit.box.messages} | visit.box.removed | removed >= {1, 2, 3}
    assert all(visit.box.folder(number) in tuple(Folder) for number in visit.box.messages)


@pytest.mark.parametrize("seed", range(5))
def test_who_presses_nothing_more_is_hung_up_on(seed: int) -> None:
    chance = random.Random(1000 + seed)
    visit = Visit(f"<{OTHER}>", "4369911", "").log_in()
    for _ in range(30):
        visit.phone.press(chance.choice(KEYS))
        if visit.phone.was_hung_up:
            break
    visit.house.wait(300.0)
    assert visit.phone.was_hung_up
