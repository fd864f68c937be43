"""The menu of a mailbox: keys in, turns out; it neither speaks nor stores.

What a key does in a place stands in the tables `KEYS`, what an answer leads to in `ANSWERS`; digits are
collected where a number is asked for. An order that waits for its answer lets keys wait, too: who types ahead
is understood. A call can end at any moment: `leave` then says what becomes of the messages.
"""

from collections import deque
from typing import Final

from . import menu_advanced, menu_login, menu_messages, menu_options
from .menu_moves import PATIENCE, ask, finish, misunderstand, return_to_menu
from .menu_prompts import LATER, question
from .menu_state import (
    NOTHING,
    UNANSWERED,
    Answers,
    Call,
    Deliver,
    Forward,
    Keys,
    LogIn,
    OpenFolder,
    Place,
    Record,
    Settlement,
    State,
    Turn,
)

KEYS: Final[Keys] = {
    **menu_login.KEYS,
    **menu_messages.KEYS,
    **menu_advanced.KEYS,
    **menu_options.KEYS,
}
ANSWERS: Final[Answers] = {
    **menu_login.ANSWERS,
    **menu_messages.ANSWERS,
    **menu_advanced.ANSWERS,
    **menu_options.ANSWERS,
}
#: Where numbers are keyed in.
ENTRIES: Final = frozenset(
    {Place.MAILBOX, Place.PIN, Place.NUMBER, Place.RECIPIENT, Place.NEW_PIN, Place.NEW_PIN_AGAIN}
)
#: Where keys that mean nothing are passed over.
_DEAF: Final = frozenset({Place.RECORDING, Place.TALKING, Place.OVER})
#: Where nobody has been let in yet.
_OUTSIDE: Final = frozenset({Place.MAILBOX, Place.PIN})
#: Digits of a number.
LONGEST_ENTRY: Final = 32
#: Seconds without a key, once all is said, after which something happens.
WAIT: Final = 6.0


class Menu:
    """For one call."""

    def __init__(self, language: str, *, is_known: bool) -> None:
        """Ask for the PIN; where it is not known whose mailbox it is, for that first."""
        self._state = State(language, is_known)
        self._ahead: deque[str] = deque()

    @property
    def is_over(self) -> bool:
        """Whether it only says farewell."""
        return self._state.place is Place.OVER

    @property
    def place(self) -> Place:
        """Where the caller is."""
        return self._state.place

    def begin(self) -> Turn:
        """Say the first thing."""
        state = self._state
        return ask(state, Place.PIN if state.is_known else Place.MAILBOX)

    def press(self, key: str) -> Turn:
        """Take a key."""
        if self._is_waiting:
            self._ahead.append(key)
            return NOTHING
        return self._note(self._press(key))

    def hear_out(self) -> Turn:
        """Go on where all was said: what follows a message is the menu."""
        if self._state.place is Place.MESSAGE and self._state.pending is None:
            return self._note(return_to_menu(self._state))
        return NOTHING

    def wait(self) -> Turn:
        """Go on where nothing was pressed for `WAIT` seconds after all was said."""
        state = self._state
        if state.pending is not None or state.place in _DEAF or state.place is Place.MESSAGE:
            return NOTHING
        if state.place in ENTRIES and state.entry:
            return self._note(self._press("#"))
        state.silences += 1
        if state.silences < PATIENCE:
            return self._note(Turn(question(state)))
        if state.place in _OUTSIDE or state.place is Place.MENU:
            return self._note(finish(state))
        return self._note(return_to_menu(state))

    def answer(self, value: object) -> Turn:
        """Take the answer to the order that was given last."""
        pending, self._state.pending = self._state.pending, None
        if pending is None:
            return NOTHING
        return self._catch_up(self._note(ANSWERS[type(pending)](self._state, value)))

    def fail(self) -> Turn:
        """Learn that the order that was given last cannot be carried out now."""
        state = self._state
        pending, state.pending = state.pending, None
        if pending is None:
            return NOTHING
        if isinstance(pending, OpenFolder):  # nothing of it was done
            state.saved |= pending.settlement.moved
            state.deleted |= pending.settlement.removed
        if isinstance(pending, LogIn):
            return self._note(finish(state, LATER))
        return self._catch_up(self._note(return_to_menu(state, LATER)))

    @property
    def unsent(self) -> Deliver | Forward | None:
        """What is to be done with what was recorded if the caller hangs up now."""
        state, purpose = self._state, self._state.recording
        if state.place not in (Place.RECORDING, Place.REVIEW) or purpose is None or purpose.greeting:
            return None
        if purpose.forwarded is not None:
            return Forward(purpose.forwarded, purpose.recipient, with_comment=True)
        return Deliver(purpose.recipient)

    def leave(self) -> Settlement:
        """Return what becomes of the messages of who hung up; once."""
        pending, self._state.pending = self._state.pending, None
        self._state.place = Place.OVER
        self._ahead.clear()
        settlement = self._state.settle()
        if isinstance(pending, OpenFolder) and settlement.is_empty:
            return pending.settlement
        return settlement

    def _press(self, key: str) -> Turn:
        state = self._state
        state.silences = 0
        move = KEYS.get((state.place, key))
        if move is not None:
            return move(state)
        if state.place in _DEAF:
            return NOTHING
        if state.place in ENTRIES and key.isdecimal():
            state.entry = (state.entry + key)[:LONGEST_ENTRY]
            return Turn()
        return misunderstand(state)

    def _note(self, turn: Turn) -> Turn:
        """Remember an order that will be answered."""
        if turn.order is not None and not isinstance(turn.order, UNANSWERED):
            self._state.pending = turn.order
        return turn

    def _catch_up(self, turn: Turn) -> Turn:
        """Press the keys that waited; what is recorded, or said to others, begins without them."""
        while self._ahead and self._state.pending is None and not self.is_over:
            following = self._note(self._press(self._ahead.popleft()))
            turn = following if following.hushes else turn
        if not self._is_waiting:
            self._ahead.clear()
        return turn

    @property
    def _is_waiting(self) -> bool:
        """Whether keys have to wait for an answer."""
        return not isinstance(self._state.pending, Record | Call | None)
