"""The menus behind 0: greetings are recorded, the PIN is changed.

What was recorded, a greeting or a message, is reviewed before it is kept or sent.
"""

from functools import partial
from typing import Final

from ngcp.provisioning.voicemail import Greeting

from .menu_moves import TRIES, ask, record, return_to_menu, start_asking
from .menu_state import (
    Answers,
    ChangePin,
    Deliver,
    DropGreeting,
    Forward,
    KeepGreeting,
    Keys,
    Place,
    Purpose,
    Record,
    State,
    Stop,
    Take,
    Turn,
)

#: Seconds that something recorded lasts at least.
SHORTEST: Final = 1.0


def record_greeting(greeting: Greeting, state: State) -> Turn:
    """Record a greeting."""
    return record(state, Purpose(greeting))


def choose_temporary(state: State) -> Turn:
    """Record the temporary greeting; where there is one, ask first."""
    if Greeting.TEMPORARY in state.box.greetings:
        return ask(state, Place.TEMPORARY)
    return record_greeting(Greeting.TEMPORARY, state)


def drop_temporary(state: State) -> Turn:
    """Remove the temporary greeting."""
    return Turn((), DropGreeting(Greeting.TEMPORARY))


def hear_of_dropping(state: State, _: bool) -> Turn:
    """Say that the temporary greeting is gone."""
    state.opened = state.box._replace(greetings=state.box.greetings - {Greeting.TEMPORARY})
    return ask(state, Place.OPTIONS, "vm-tempremoved")


def stop(state: State) -> Turn:
    """Record no more."""
    return Turn((), Stop())


def be_recorded(state: State, seconds: float) -> Turn:
    """Ask what to do with what was recorded."""
    state.has_take = seconds >= SHORTEST
    return ask(state, Place.REVIEW, *(() if state.has_take else ("vm-tooshort",)))


def accept(state: State) -> Turn:
    """Keep what was recorded, or send it."""
    purpose = _purpose(state)
    if not state.has_take:
        return record(state, purpose)
    if purpose.greeting is not None:
        return Turn((), KeepGreeting(purpose.greeting))
    if purpose.forwarded is not None:
        return Turn((), Forward(purpose.forwarded, purpose.recipient, with_comment=True))
    return Turn((), Deliver(purpose.recipient))


def hear_take(state: State) -> Turn:
    """Play what was recorded."""
    return ask(state, Place.REVIEW, *((Take(),) if state.has_take else ()))


def record_again(state: State) -> Turn:
    """Record it again."""
    return record(state, _purpose(state))


def hear_of_greeting(state: State, _: bool) -> Turn:
    """Say that the greeting is kept."""
    greeting = _purpose(state).greeting
    assert greeting is not None, "a greeting was kept"
    state.opened = state.box._replace(greetings=state.box.greetings | {greeting})
    return ask(state, Place.OPTIONS, "vm-msgsaved")


def throw_away(state: State) -> Turn:
    """Forget what was recorded."""
    back = Place.MENU if _purpose(state).greeting is None else Place.OPTIONS
    state.has_take = False
    return ask(state, back)


def enter_new_pin(state: State) -> Turn:
    """Take the new PIN; none at all leaves the old one."""
    if not state.entry:
        return ask(state, Place.OPTIONS)
    state.pin = state.entry
    return ask(state, Place.NEW_PIN_AGAIN)


def repeat_new_pin(state: State) -> Turn:
    """Take the new PIN if it is the same as before."""
    pin, state.pin = state.pin, ""
    return Turn((), ChangePin(pin)) if state.entry == pin else _try_again(state, "vm-mismatch")


def hear_of_pin(state: State, is_done: bool) -> Turn:
    """Say whether the PIN is another one now."""
    return (
        ask(state, Place.OPTIONS, "vm-passchanged") if is_done else _try_again(state, "vm-invalid-password")
    )


def _try_again(state: State, why: str) -> Turn:
    state.tries += 1
    return ask(state, Place.OPTIONS if state.tries >= TRIES else Place.NEW_PIN, why)


def _purpose(state: State) -> Purpose:
    assert state.recording is not None, "something was recorded"
    return state.recording


def _to_options(state: State) -> Turn:
    return ask(state, Place.OPTIONS)


KEYS: Final[Keys] = {
    (Place.OPTIONS, "1"): partial(record_greeting, Greeting.UNAVAILABLE),
    (Place.OPTIONS, "2"): partial(record_greeting, Greeting.BUSY),
    (Place.OPTIONS, "3"): partial(record_greeting, Greeting.NAME),
    (Place.OPTIONS, "4"): choose_temporary,
    (Place.OPTIONS, "5"): lambda state: start_asking(state, Place.NEW_PIN),
    (Place.OPTIONS, "*"): return_to_menu,
    (Place.OPTIONS, "#"): return_to_menu,
    (Place.TEMPORARY, "1"): partial(record_greeting, Greeting.TEMPORARY),
    (Place.TEMPORARY, "2"): drop_temporary,
    (Place.TEMPORARY, "*"): _to_options,
    (Place.RECORDING, "#"): stop,
    (Place.RECORDING, "*"): stop,
    (Place.REVIEW, "1"): accept,
    (Place.REVIEW, "2"): hear_take,
    (Place.REVIEW, "3"): record_again,
    (Place.REVIEW, "*"): throw_away,
    (Place.NEW_PIN, "#"): enter_new_pin,
    (Place.NEW_PIN, "*"): _to_options,
    (Place.NEW_PIN_AGAIN, "#"): repeat_new_pin,
    (Place.NEW_PIN_AGAIN, "*"): _to_options,
}
ANSWERS: Final[Answers] = {
    ChangePin: hear_of_pin,
    DropGreeting: hear_of_dropping,
    KeepGreeting: hear_of_greeting,
    Record: be_recorded,
}
