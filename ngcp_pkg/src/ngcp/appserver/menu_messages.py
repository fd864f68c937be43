"""The main menu: messages are played, deleted, saved; folders are opened.

While a message is played, # and * skip seconds of it, 0 stops it and lets it go on, 2 begins it again; all
other keys mean what they mean in the menu.
"""

from collections.abc import Mapping
from typing import Final

from . import menu_prompts as prompts
from .menu_moves import ask, finish, play, return_to_menu, start_asking
from .menu_state import Answers, Keys, Move, Opened, OpenFolder, Pause, Place, Playback, Skip, State, Turn

#: Seconds of a message that are skipped.
SKIPPED: Final = 3.0


def play_first(state: State) -> Turn:
    """Play the first message."""
    state.current = 0
    return play(state)


def play_previous(state: State) -> Turn:
    """Play the message before this one."""
    if state.message is None or state.current == 0:
        return return_to_menu(state, "vm-nomore")
    state.current -= 1
    return play(state)


def play_next(state: State) -> Turn:
    """Play the message behind this one."""
    if state.current >= len(state.box.messages) - 1:
        return return_to_menu(state, "vm-nomore")
    state.current += 1
    return play(state)


def delete(state: State) -> Turn:
    """Mark the message to be deleted, or no more."""
    message = state.message
    if message is None or state.is_starting:
        return return_to_menu(state)
    if message.id in state.deleted:
        state.deleted.remove(message.id)
        return return_to_menu(state, "vm-undeleted")
    state.deleted.add(message.id)
    return _go_on(state, "vm-deleted")


def forward(state: State) -> Turn:
    """Ask for whom else the message is."""
    if state.message is None or state.is_starting:
        return return_to_menu(state, "vm-nomore")
    state.recording = None
    return start_asking(state, Place.RECIPIENT)


def save(state: State) -> Turn:
    """Ask where to put the message."""
    if state.message is None or state.is_starting:
        return return_to_menu(state)
    return ask(state, Place.SAVE)


def save_to(key: str) -> Move:
    """Put the message into a folder, once this one is left."""

    def move(state: State) -> Turn:
        folder, message = prompts.FOLDERS[key], state.message
        assert message is not None, "it was asked for a message"
        state.saved[message.id] = folder
        state.deleted.discard(message.id)
        return _go_on(state, *prompts.saved(state, folder))

    return move


def open_folder(key: str) -> Move:
    """Open a folder."""
    return lambda state: Turn((), OpenFolder(prompts.FOLDERS[key], state.settle()))


def be_opened(state: State, answer: Opened) -> Turn:
    """Begin with the first message of a folder."""
    state.opened, state.current, state.is_starting = answer, 0, True
    return return_to_menu(state, *prompts.opened(answer.folder))


def help_(state: State) -> Turn:
    """Say what all keys are for."""
    state.place, state.silences = Place.MENU, 0
    return Turn(prompts.help_(state))


def restart(state: State) -> Turn:
    """Play the message from its beginning."""
    message = state.message
    assert message is not None, "it is being played"
    return Turn((Playback(message.id),))


def _go_on(state: State, *before: str) -> Turn:
    """Play the next message, if there is one and its owner wants to hear it."""
    if state.box.manner.goes_on and state.current < len(state.box.messages) - 1:
        state.current += 1
        return play(state, *before)
    return return_to_menu(state, *before)


_MENU: Final[Mapping[str, Move]] = {
    "1": play_first,
    "2": lambda state: ask(state, Place.FOLDER),
    "3": lambda state: ask(state, Place.ADVANCED),
    "4": play_previous,
    "5": play,
    "6": play_next,
    "7": delete,
    "8": forward,
    "9": save,
    "0": lambda state: ask(state, Place.OPTIONS),
    "*": help_,
    "#": finish,
}
_WHILE_PLAYING: Final[Mapping[str, Move]] = {
    "2": restart,
    "0": lambda state: Turn((), Pause(), hushes=False),
    "*": lambda state: Turn((), Skip(-SKIPPED), hushes=False),
    "#": lambda state: Turn((), Skip(SKIPPED), hushes=False),
}
KEYS: Final[Keys] = {
    **{(Place.MENU, key): move for key, move in _MENU.items()},
    **{(Place.MESSAGE, key): move for key, move in {**_MENU, **_WHILE_PLAYING}.items()},
    **{(Place.FOLDER, key): open_folder(key) for key in prompts.FOLDERS},
    **{(Place.SAVE, key): save_to(key) for key in prompts.FOLDERS},
    **{(place, key): return_to_menu for place in (Place.FOLDER, Place.SAVE) for key in "#*"},
}
ANSWERS: Final[Answers] = {OpenFolder: be_opened}
