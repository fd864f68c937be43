"""What the menus of a mailbox say: names of prompt files, in the order in which they are said."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ngcp.provisioning.voicemail import Folder, Greeting, Message

from .menu_state import Place, Playback, Sound, State
from .sayings import Kind, Words, amount, digits, messages, moment, number

#: Folders by the key that stands for them.
FOLDERS: Final[Mapping[str, Folder]] = {str(key): folder for key, folder in enumerate(Folder)}
#: What is asked for greetings.
REQUESTS: Final[Mapping[Greeting, str]] = {
    Greeting.UNAVAILABLE: "vm-rec-unv",
    Greeting.BUSY: "vm-rec-busy",
    Greeting.NAME: "vm-rec-name",
    Greeting.TEMPORARY: "vm-rec-temp",
}
SORRY: Final = "vm-sorry"
GOODBYE: Final = "vm-goodbye"
BEEP: Final = "beep"
#: For who asks what cannot be done now.
LATER: Final = "please-try-call-later"
_NUMBER: Final = re.compile(r"(?:<([^<>]*)>|^([^\"<>]*))\s*$")

#: What is asked in a place that has one question only.
QUESTIONS: Final[Mapping[Place, Words]] = {
    Place.MAILBOX: ("vm-login",),
    Place.PIN: ("vm-password",),
    Place.NUMBER: ("vm-enter-num-to-call", "vm-then-pound", "vm-star-cancel"),
    Place.RECIPIENT: ("vm-extension", "vm-then-pound", "vm-star-cancel"),
    Place.FORWARDING: ("vm-forwardoptions", "vm-star-cancel"),
    Place.OPTIONS: ("vm-options",),
    Place.TEMPORARY: ("vm-tempgreeting2",),
    Place.NEW_PIN: ("vm-newpassword",),
    Place.NEW_PIN_AGAIN: ("vm-reenterpassword",),
}


def question(state: State) -> tuple[Sound, ...]:
    """Say what can be done where the caller is."""
    made = _QUESTIONS_MADE.get(state.place)
    return QUESTIONS.get(state.place, ()) if made is None else made(state)


def introduction(state: State) -> Words:
    """Say how many messages there are."""
    box = state.box
    words: Words = ("vm-tempgreetactive",) if Greeting.TEMPORARY in box.greetings else ()
    words += ("vm-youhave",)
    if not box.new and not box.old:
        return (*words, "vm-no", "vm-messages")
    if box.new:
        words += messages(box.new, Kind.NEW, state.language)
    if box.new and box.old:
        words += ("vm-and",)
    if box.old:
        words += messages(box.old, Kind.OLD, state.language)
    return words


def instructions(state: State) -> tuple[Sound, ...]:
    """Say what keys of the main menu are for."""
    if state.is_starting:
        return (*_first(state), "vm-opts", "vm-helpexit")
    return (*_about_message(state, "vm-advopts"), "vm-helpexit")


def help_(state: State) -> tuple[Sound, ...]:
    """Say what all keys of the main menu are for."""
    if state.is_starting:
        return instructions(state)
    return (*_first(state), "vm-opts", *_about_message(state), "vm-helpexit")


def presentation(state: State, message: Message) -> tuple[Sound, ...]:
    """Say which message it is, what is known of it, and play it."""
    manner, last = state.box.manner, len(state.box.messages) - 1
    words: Words = ("vm-message",)
    if state.current == 0:
        words = ("vm-first", *words)
    elif state.current == last:
        words = ("vm-last", *words)
    else:
        words += number(state.current + 1, state.language)
    if manner.says_time:
        words += received(state, message)
    if manner.says_caller:
        words += sender(message)
    minutes = round(message.duration / 60)
    if manner.says_duration and minutes >= manner.least_minutes:
        words += ("vm-duration", *amount(minutes, state.language), "vm-minutes")
    return (*words, Playback(message.id))


def envelope(state: State, message: Message) -> Words:
    """Say when a message came and who left it."""
    return received(state, message) + sender(message)


def received(state: State, message: Message) -> Words:
    """Say when a message came, by the owner's clock."""
    now = state.box.now
    when = datetime.fromtimestamp(message.time, now.tzinfo)
    return ("vm-received", *moment(when, now.date(), state.language))


def sender(message: Message) -> Words:
    """Say who left a message."""
    caller = digits(caller_number(message))
    return ("vm-from-phonenumber", *caller) if caller else ("vm-unknown-caller",)


def caller_number(message: Message) -> str:
    """Return the number of who left a message; empty: it is not known."""
    found = _NUMBER.search(message.caller)
    text = "" if found is None else (found[1] or found[2] or "").strip()
    return text if digits(text) and text.strip("+*#0123456789") == "" else ""


def saved(state: State, folder: Folder) -> Words:
    """Say where the message is now."""
    count = number(state.current + 1, state.language)
    return ("vm-message", *count, "vm-savedto", _name(folder), "vm-messages")


def opened(folder: Folder) -> Words:
    """Say which folder was opened."""
    return (_name(folder), "vm-messages")


def _first(state: State) -> Words:
    if not state.box.messages:
        return ()
    return ("vm-onefor", _name(state.box.folder), "vm-messages")


def _about_message(state: State, *more: str) -> Words:
    if state.message is None:
        return more
    words: Words = ("vm-prev",) if state.current else ()
    words += (*more, "vm-repeat")
    if state.current < len(state.box.messages) - 1:
        words += ("vm-next",)
    words += ("vm-undelete" if state.message.id in state.deleted else "vm-delete",)
    return (*words, "vm-toforward", "vm-savemessage")


def _folders(first: str, keys: str) -> Words:
    words: Words = (first,)
    for key in keys:
        words += ("vm-press", f"digits/{key}", "vm-for", _name(FOLDERS[key]), "vm-messages")
    return (*words, "vm-tocancel")


def _advanced(state: State) -> Words:
    words: Words = ()
    if not state.is_starting and state.message is not None:
        words += ("vm-toreply",)
        if state.box.manner.may_call:
            words += ("vm-tocallback",)
        words += ("vm-tohearenv",)
    if state.box.manner.may_call:
        words += ("vm-tomakecall",)
    return (*words, "vm-leavemsg", "vm-starmain")


def _callback(state: State) -> Words:
    caller = caller_number(state.message) if state.message else ""
    known: Words = ("vm-nonumber",)
    if caller:
        known = ("vm-num-i-have", *digits(caller), "vm-tocallnum")
    return (*known, "vm-calldiffnum", "vm-star-cancel")


def _review(state: State) -> Words:
    return ("vm-review", "vm-star-cancel") if state.has_take else ("vm-torerecord", "vm-star-cancel")


def _name(folder: Folder) -> str:
    return f"vm-{folder}"


_QUESTIONS_MADE: Final = {
    Place.MENU: instructions,
    Place.FOLDER: lambda state: _folders("vm-changeto", "01234"),
    Place.SAVE: lambda state: _folders("vm-savefolder", "01234"),
    Place.ADVANCED: _advanced,
    Place.CALLBACK: _callback,
    Place.REVIEW: _review,
}
