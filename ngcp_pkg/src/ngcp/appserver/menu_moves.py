"""Moves from one place of the menus to another, which several of them have in common."""

from typing import Final

from .menu_prompts import BEEP, GOODBYE, REQUESTS, SORRY, presentation, question
from .menu_state import Finish, Place, Purpose, Record, Sound, State, Turn

#: How often a question is asked without an answer; then the call ends, or the main menu comes back.
PATIENCE: Final = 3
#: How often a caller may be wrong.
TRIES: Final = 3


def ask(state: State, place: Place, *before: Sound) -> Turn:
    """Go to a place, and say what can be done there, behind what is said `before`."""
    if place is not state.place:
        state.silences = 0
    state.place, state.entry = place, ""
    return Turn((*before, *question(state)))


def start_asking(state: State, place: Place, *before: Sound) -> Turn:
    """Do the same where tries are counted."""
    state.tries = 0
    return ask(state, place, *before)


def misunderstand(state: State) -> Turn:
    """Say that there is no such key here, and ask again."""
    return ask(state, state.place, SORRY)


def return_to_menu(state: State, *before: Sound) -> Turn:
    """Go back to the main menu."""
    return ask(state, Place.MENU, *before)


def play(state: State, *before: Sound) -> Turn:
    """Play the current message."""
    message = state.message
    if message is None:
        return return_to_menu(state, *before, "vm-youhave", "vm-no", "vm-messages")
    state.place, state.is_starting, state.silences = Place.MESSAGE, False, 0
    state.heard.add(message.id)
    return Turn((*before, *presentation(state, message)))


def record(state: State, purpose: Purpose) -> Turn:
    """Record something."""
    state.place, state.recording, state.has_take, state.silences = Place.RECORDING, purpose, False, 0
    if purpose.greeting is not None:
        request = REQUESTS[purpose.greeting]
    else:
        request = "vm-intro" if purpose.forwarded is None else "vm-record-prepend"
    return Turn((request, BEEP), Record())


def finish(state: State, *before: Sound) -> Turn:
    """Say farewell."""
    state.place, state.pending = Place.OVER, None
    return Turn((*before, GOODBYE), Finish(state.settle()))
