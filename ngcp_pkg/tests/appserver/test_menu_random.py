"""Whatever is pressed: the menu goes on, no message is lost, and it ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from appserver.desk import Desk, inbox
from ngcp.appserver.menu_state import Playback, Turn
from ngcp.provisioning.voicemail import Manner

CALLERS = ('"Bob" <4312002>', "4369911", "")
MOST_WAITS = 60

keys = st.lists(st.sampled_from("0123456789*#.._ABCD!+-"), max_size=120)
manners = st.builds(Manner, goes_on=st.booleans(), may_call=st.booleans(), says_time=st.booleans())


class Reckless(Desk):
    """One whose database comes and goes: `!` away or back, `+` and `-` slow or not."""

    def press(self, keys: str) -> list[str]:
        for key in keys:
            if key == "!":
                self.is_broken = not self.is_broken
            elif key in "+-":
                self.is_slow = key == "+"
                self.catch_up()
            else:
                super().press(key)
        return self.said

    def take(self, turn: Turn) -> None:
        for sound in turn.say:
            if isinstance(sound, Playback):
                assert sound.message in self.lying, "what is played is there"
        super().take(turn)


def removals(desk: Desk) -> set[int]:
    return {int(one.removeprefix("removed ")) for one in desk.done if one.startswith("removed ")}


@settings(max_examples=400, deadline=None)
@given(keys, manners, st.booleans())
def test_no_message_is_lost(pressed: list[str], manner: Manner, is_known: bool) -> None:
    """It is in one folder, unless it was deleted; each is deleted once at most."""
    folders = inbox(*CALLERS)
    desk = Reckless(folders, manner=manner, is_known=is_known)
    desk.press("1234#" if is_known else "4311#1234#")
    for key in pressed:
        desk.press(key)
    desk.hang_up()
    assert sorted([*desk.lying, *removals(desk)]) == [1, 2, 3]
    assert len([one for one in desk.done if one.startswith("removed ")]) == len(removals(desk))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from("01234568.9*#_ABCD+-"), max_size=120), manners)
def test_nothing_is_deleted_without_the_key_for_it(pressed: list[str], manner: Manner) -> None:
    desk = Reckless(inbox(*CALLERS), manner=manner).log_in()
    for key in pressed:
        desk.press(key)
    desk.hang_up()
    assert desk.lying == [1, 2, 3]


@settings(max_examples=300, deadline=None)
@given(keys, manners, st.booleans())
def test_call_of_who_presses_nothing_more_ends(pressed: list[str], manner: Manner, is_known: bool) -> None:
    """A recording ends by silence, a call by who was called; all else by patience."""
    desk = Reckless(inbox(*CALLERS), manner=manner, is_known=is_known)
    for key in pressed:
        desk.press(key)
    desk.is_broken = desk.is_slow = False
    for _ in range(MOST_WAITS):
        desk.catch_up()
        desk.press("._")
    assert desk.menu.is_over


@settings(max_examples=200, deadline=None)
@given(keys)
def test_nobody_comes_in_without_the_pin(pressed: list[str]) -> None:
    desk = Reckless(inbox(*CALLERS))
    desk.pin = "98765432109876543210"
    for key in pressed:
        desk.press(key)
        assert desk.menu.place.name in ("PIN", "MAILBOX", "OVER")
    assert desk.done == []
