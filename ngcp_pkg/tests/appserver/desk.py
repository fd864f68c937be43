"""Somebody who carries out the orders of a menu, from memory, and notes what was said and done."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from ngcp.appserver.menu import Menu
from ngcp.appserver.menu_state import (
    Call,
    ChangePin,
    Deliver,
    DropGreeting,
    FindRecipient,
    Finish,
    Forward,
    HangUpCall,
    KeepGreeting,
    LogIn,
    Opened,
    OpenFolder,
    Order,
    Playback,
    Record,
    Refused,
    Settlement,
    Sound,
    Stop,
    Take,
    Turn,
)
from ngcp.provisioning.voicemail import Folder, Greeting, Manner, Message

#: Saturday.
NOW: Final = datetime(2026, 11, 28, 18, 0, tzinfo=UTC)
PIN: Final = "1234"
#: Seconds that a recording lasts unless the test says otherwise.
SPOKEN: Final = 5.0


def message(number: int, caller: str = '"Bob" <4312002>', folder: Folder = Folder.INBOX) -> Message:
    """Return one that came this morning."""
    time = NOW.replace(hour=9, minute=5)
    return Message(number, folder, caller, int(time.timestamp()), 90)


@dataclass
class Desk:
    """One caller, and his mailbox."""

    folders: dict[Folder, list[Message]] = field(default_factory=dict)
    greetings: set[Greeting] = field(default_factory=set)
    manner: Manner = field(default_factory=lambda: Manner(goes_on=False))
    is_known: bool = True
    language: str = "en"
    is_slow: bool = False
    """Whether orders wait until `catch_up`."""
    is_broken: bool = False
    """Whether orders fail, beside recording."""
    is_full: bool = False
    """Whether the mailboxes of others are."""
    seconds: float = SPOKEN

    def __post_init__(self) -> None:
        self.pin = PIN
        self.said: list[str] = []
        self.done: list[str] = []
        self.orders: list[Order] = []
        self.menu = Menu(self.language, is_known=self.is_known)
        self.take(self.menu.begin())

    def take(self, turn: Turn) -> None:
        """Say and do what a turn wants."""
        if turn.hushes:
            self.said = [name_of(sound) for sound in turn.say]
        if turn.order is not None:
            self._carry_out(turn.order)

    def press(self, keys: str) -> list[str]:
        """Press keys (`.`: all was said, `_`: nothing is pressed for long); return what is said then."""
        for key in keys:
            if key == ".":
                self.take(self.menu.hear_out())
            elif key == "_":
                self.take(self.menu.wait())
            else:
                self.take(self.menu.press(key))
        return self.said

    def log_in(self) -> "Desk":
        """Come in, and forget what was said and done on the way."""
        self.press(f"{self.pin}#")
        self.done.clear()
        return self

    def hang_up(self) -> None:
        """Hang up."""
        unsent = self.menu.unsent
        if unsent is not None and self.seconds:
            self._carry_out_unanswered(unsent)
        self.settle(self.menu.leave())

    def catch_up(self) -> None:
        """Carry out what waits, and what comes of it."""
        while self.orders:
            self._answer(self.orders.pop(0))

    def carry_out_first(self) -> None:
        """Carry out the order that has waited for longest."""
        self._answer(self.orders.pop(0))

    def settle(self, settlement: Settlement) -> None:
        """Remove and move messages."""
        for folder, messages in list(self.folders.items()):
            for one in list(messages):
                if one.id in settlement.removed:
                    messages.remove(one)
                    self.done.append(f"removed {one.id}")
                elif one.id in settlement.moved and settlement.moved[one.id] is not folder:
                    messages.remove(one)
                    to = settlement.moved[one.id]
                    self.folders.setdefault(to, []).append(replace(one, folder=to))
                    self.done.append(f"moved {one.id} to {to}")

    @property
    def lying(self) -> list[int]:
        """All messages that there are."""
        return sorted(one.id for messages in self.folders.values() for one in messages)

    def _carry_out(self, order: Order) -> None:
        if isinstance(order, Stop | HangUpCall):
            self._answer(self.orders.pop())
        elif isinstance(order, Finish):
            self.settle(order.settlement)
        elif isinstance(order, Record | Call):
            self.orders.append(order)
        elif type(order).__name__ in ("Skip", "Pause"):
            self.done.append(type(order).__name__ + "".join(f" {value:g}" for value in order))
        elif self.is_slow:
            self.orders.append(order)
        else:
            self._answer(order)

    def _answer(self, order: Order) -> None:
        if self.is_broken and not isinstance(order, Record):
            self.take(self.menu.fail())
        else:
            self.take(self.menu.answer(self._result(order)))

    def _result(self, order: Order) -> object:
        if isinstance(order, LogIn):
            return self.open() if order.pin == self.pin and order.mailbox in ("", "4311") else Refused()
        if isinstance(order, OpenFolder):
            self.settle(order.settlement)
            return self.open(order.folder)
        if isinstance(order, FindRecipient):
            return f"uuid-{order.number}" if order.number.startswith("4312") else None
        if isinstance(order, Record):
            return self.seconds
        self._carry_out_unanswered(order)
        return not (self.is_full and isinstance(order, Forward | Deliver))

    def _carry_out_unanswered(self, order: Order) -> None:
        texts: dict[type, Callable[..., str]] = {
            Forward: lambda one: (
                f"forwarded {one.message} to {one.recipient}" + (" with comment" if one.with_comment else "")
            ),
            Deliver: lambda one: f"sent to {one.recipient}",
            Call: lambda one: f"called {one.number}",
            ChangePin: lambda one: f"pin {one.pin}",
            KeepGreeting: lambda one: f"kept {one.greeting}",
            DropGreeting: lambda one: f"dropped {one.greeting}",
        }
        self.done.append(texts[type(order)](order))

    def open(self, folder: Folder | None = None) -> Opened:
        """Return a folder."""
        new, old = (len(self.folders.get(one, ())) for one in (Folder.INBOX, Folder.OLD))
        if folder is None:
            folder = Folder.OLD if old and not new else Folder.INBOX
        messages = tuple(self.folders.get(folder, ()))
        return Opened(folder, messages, new, old, frozenset(self.greetings), NOW, self.manner)


def name_of(sound: Sound) -> str:
    """Write a sound as a text."""
    if isinstance(sound, Playback):
        return f"<{sound.message}>"
    return "<take>" if isinstance(sound, Take) else sound


def inbox(*callers: str) -> dict[Folder, list[Message]]:
    """Return an INBOX with messages 1, 2 … of callers."""
    return {Folder.INBOX: [message(number, caller) for number, caller in enumerate(callers, 1)]}


def short(names: Iterable[str]) -> str:
    """Write prompts as the tables of tests do."""
    return " ".join(name.removeprefix("vm-").removeprefix("digits/") for name in names)
