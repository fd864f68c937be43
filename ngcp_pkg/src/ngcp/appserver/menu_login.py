"""The menu's door: whose mailbox it is, and the PIN.

Who calls from his own telephone is asked for the PIN only, and * leads to another mailbox.
"""

from typing import Final

from .menu_moves import TRIES, ask, finish, return_to_menu
from .menu_prompts import introduction
from .menu_state import Answers, Keys, LogIn, Opened, Place, Refused, State, Turn


def enter_mailbox(state: State) -> Turn:
    """Take the number of a mailbox; none at all is a farewell."""
    if not state.entry:
        return finish(state)
    state.mailbox = state.entry
    return ask(state, Place.PIN)


def enter_pin(state: State) -> Turn:
    """Take the PIN."""
    return Turn((), LogIn(state.mailbox, state.entry))


def choose_mailbox(state: State) -> Turn:
    """Ask for a mailbox."""
    return ask(state, Place.MAILBOX)


def hear_verdict(state: State, answer: Opened | Refused | None) -> Turn:
    """Let somebody in, or not."""
    if isinstance(answer, Opened):
        state.opened, state.tries = answer, 0
        return return_to_menu(state, *introduction(state))
    state.tries += 1
    if answer is None or answer.is_final or state.tries >= TRIES:
        return finish(state, "vm-incorrect")
    if state.is_known and not state.mailbox:
        return ask(state, Place.PIN, "vm-incorrect")
    state.place, state.entry, state.mailbox = Place.MAILBOX, "", ""
    return Turn(("vm-incorrect-mailbox",))


KEYS: Final[Keys] = {
    (Place.MAILBOX, "#"): enter_mailbox,
    (Place.MAILBOX, "*"): finish,
    (Place.PIN, "#"): enter_pin,
    (Place.PIN, "*"): choose_mailbox,
}
ANSWERS: Final[Answers] = {LogIn: hear_verdict}
