"""The menus behind 3 and 8: reply, call, hear the envelope, send a message, forward one."""

from typing import Final

from .menu_moves import TRIES, ask, record, return_to_menu, start_asking
from .menu_prompts import SORRY, caller_number, envelope
from .menu_state import (
    Answers,
    Call,
    Deliver,
    FindRecipient,
    Forward,
    HangUpCall,
    Keys,
    Place,
    Purpose,
    State,
    Turn,
)

#: Digits of a number from which on it is an international one.
LONG: Final = 7


def reply(state: State) -> Turn:
    """Record a message for who left this one."""
    message = state.message
    if message is None or state.is_starting:
        return return_to_menu(state, SORRY)
    number = caller_number(message)
    if not number:
        return return_to_menu(state, "vm-nonumber")
    return Turn((), FindRecipient(number))


def offer_callback(state: State) -> Turn:
    """Tell who left the message, and ask whether to call him."""
    if state.message is None or state.is_starting or not state.box.manner.may_call:
        return return_to_menu(state, SORRY)
    return ask(state, Place.CALLBACK)


def hear_envelope(state: State) -> Turn:
    """Tell what is known of the message."""
    if state.message is None or state.is_starting:
        return return_to_menu(state, SORRY)
    return return_to_menu(state, *envelope(state, state.message))


def ask_number(state: State) -> Turn:
    """Ask for a number to call."""
    if not state.box.manner.may_call:
        return return_to_menu(state, SORRY)
    return start_asking(state, Place.NUMBER)


def send(state: State) -> Turn:
    """Ask for whom a message shall be."""
    state.recording = Purpose()
    return start_asking(state, Place.RECIPIENT)


def call_sender(state: State) -> Turn:
    """Call who left the message."""
    number = caller_number(state.message) if state.message else ""
    if not number:
        return ask(state, Place.NUMBER)
    is_international = number.isdecimal() and len(number) >= LONG and not number.startswith("0")
    return _call(state, f"+{number}" if is_international else number)


def call_number(state: State) -> Turn:
    """Call the number that was keyed in."""
    return _call(state, state.entry) if state.entry else return_to_menu(state)


def talk_no_more(state: State) -> Turn:
    """End the call to somebody else."""
    return Turn((), HangUpCall())


def hear_of_call(state: State, was_answered: bool) -> Turn:
    """Go back to the menu."""
    return return_to_menu(state, *(() if was_answered else ("vm-nobodyavail",)))


def find_recipient(state: State) -> Turn:
    """Look for whoever has the number that was keyed in."""
    return Turn((), FindRecipient(state.entry)) if state.entry else return_to_menu(state)


def be_told_recipient(state: State, uuid: str | None) -> Turn:
    """Go on with somebody's mailbox, if he has one."""
    if state.place is not Place.RECIPIENT:  # a reply
        return return_to_menu(state, "vm-nobox") if uuid is None else record(state, Purpose(recipient=uuid))
    if uuid is None:
        state.tries += 1
        if state.tries >= TRIES:
            return return_to_menu(state, "pbx-invalid")
        return ask(state, Place.RECIPIENT, "pbx-invalid")
    if state.recording is not None:
        return record(state, Purpose(recipient=uuid))
    message = state.message
    assert message is not None, "it was asked for a message"
    state.recording = Purpose(recipient=uuid, forwarded=message.id)
    return ask(state, Place.FORWARDING)


def say_before(state: State) -> Turn:
    """Record what comes before the message that is forwarded."""
    assert state.recording is not None, "it was asked for whom"
    return record(state, state.recording)


def forward_alone(state: State) -> Turn:
    """Forward the message as it is."""
    purpose = state.recording
    assert purpose is not None and purpose.forwarded is not None, "it was asked for whom"
    return Turn((), Forward(purpose.forwarded, purpose.recipient, with_comment=False))


def hear_of_forwarding(state: State, is_done: bool) -> Turn:
    """Say what became of it."""
    return return_to_menu(state, "vm-msgforwarded" if is_done else "vm-mailboxfull")


def hear_of_delivery(state: State, is_done: bool) -> Turn:
    """Say what became of it."""
    return return_to_menu(state, "vm-msgsaved" if is_done else "vm-mailboxfull")


def _call(state: State, number: str) -> Turn:
    state.place = Place.TALKING
    return Turn(("vm-dialout",), Call(number))


KEYS: Final[Keys] = {
    (Place.ADVANCED, "1"): reply,
    (Place.ADVANCED, "2"): offer_callback,
    (Place.ADVANCED, "3"): hear_envelope,
    (Place.ADVANCED, "4"): ask_number,
    (Place.ADVANCED, "5"): send,
    (Place.ADVANCED, "*"): return_to_menu,
    (Place.ADVANCED, "#"): return_to_menu,
    (Place.CALLBACK, "1"): call_sender,
    (Place.CALLBACK, "2"): ask_number,
    (Place.CALLBACK, "*"): return_to_menu,
    (Place.NUMBER, "#"): call_number,
    (Place.NUMBER, "*"): return_to_menu,
    (Place.TALKING, "#"): talk_no_more,
    (Place.RECIPIENT, "#"): find_recipient,
    (Place.RECIPIENT, "*"): return_to_menu,
    (Place.FORWARDING, "1"): say_before,
    (Place.FORWARDING, "2"): forward_alone,
    (Place.FORWARDING, "*"): return_to_menu,
}
ANSWERS: Final[Answers] = {
    Call: hear_of_call,
    Deliver: hear_of_delivery,
    FindRecipient: be_told_recipient,
    Forward: hear_of_forwarding,
}
