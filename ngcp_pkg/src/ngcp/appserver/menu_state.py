"""What the menu of a mailbox knows, what it is told, and what it wants: values only.

The menu takes keys and answers, and returns turns: what is said next, and what is to be done. Whoever carries
an order out gives its answer back to the menu; see `menu`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, NamedTuple

from ngcp.provisioning.voicemail import Folder, Greeting, Manner, Message


class Place(Enum):
    """Where in the menus a caller is."""

    MAILBOX = auto()
    """Asked for a mailbox."""
    PIN = auto()
    MENU = auto()
    """The main menu."""
    MESSAGE = auto()
    """Hears a message."""
    FOLDER = auto()
    """Asked which folder to open."""
    SAVE = auto()
    """Asked which folder to put a message into."""
    ADVANCED = auto()
    CALLBACK = auto()
    NUMBER = auto()
    """Asked for a number to call."""
    TALKING = auto()
    """In a call to somebody else."""
    RECIPIENT = auto()
    """Asked for whom a message is."""
    FORWARDING = auto()
    """Asked whether something is to be said before a message that is forwarded."""
    OPTIONS = auto()
    TEMPORARY = auto()
    """Asked what to do with the temporary greeting that there is."""
    REVIEW = auto()
    """Asked what to do with what was recorded."""
    RECORDING = auto()
    NEW_PIN = auto()
    NEW_PIN_AGAIN = auto()
    OVER = auto()
    """Says farewell."""


class Playback(NamedTuple):
    """The sound of a message."""

    message: int


class Take(NamedTuple):
    """What the caller recorded last."""


#: What is said: a prompt file, a message, or what was recorded.
Sound = str | Playback | Take


class Settlement(NamedTuple):
    """What becomes of the messages of a folder that is left; of all others, nothing."""

    removed: frozenset[int]
    moved: Mapping[int, Folder]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not self.removed and not self.moved


# Orders. Those in `UNANSWERED` have no answer.


class LogIn(NamedTuple):
    """Open a mailbox, the known one if `mailbox` is empty; answered by `Opened`, or `Refused`."""

    mailbox: str
    pin: str


class OpenFolder(NamedTuple):
    """Settle the folder that is open, and open another; answered by `Opened`."""

    folder: Folder
    settlement: Settlement


class Record(NamedTuple):
    """Record what the caller says once all is said; answered by the seconds of it."""


class Stop(NamedTuple):
    """Record no more: `Record` is answered now."""


class KeepGreeting(NamedTuple):
    """Keep what was recorded as a greeting; answered by True."""

    greeting: Greeting


class DropGreeting(NamedTuple):
    """Remove a greeting; answered by True."""

    greeting: Greeting


class ChangePin(NamedTuple):
    """Answered by True, or by False if it is too simple."""

    pin: str


class FindRecipient(NamedTuple):
    """Find whose a number is; answered by the UUID of his mailbox, or None."""

    number: str


class Forward(NamedTuple):
    """Deliver a copy of a message, behind what was recorded; answered by False if there is no room."""

    message: int
    recipient: str
    with_comment: bool


class Deliver(NamedTuple):
    """Deliver what was recorded; answered by False if there is no room."""

    recipient: str


class Call(NamedTuple):
    """Call somebody and let the caller talk to him; answered by whether he answered, when it is over."""

    number: str


class HangUpCall(NamedTuple):
    """End that call: `Call` is answered now."""


class Skip(NamedTuple):
    """Go on hearing the message at another place: so many seconds ahead, or back."""

    seconds: float


class Pause(NamedTuple):
    """Stop the message, or go on with it."""


class Finish(NamedTuple):
    """Settle the folder, and hang up once all is said."""

    settlement: Settlement


Order = (
    LogIn
    | OpenFolder
    | Record
    | Stop
    | KeepGreeting
    | DropGreeting
    | ChangePin
    | FindRecipient
    | Forward
    | Deliver
    | Call
    | HangUpCall
    | Skip
    | Pause
    | Finish
)
UNANSWERED = (Stop, HangUpCall, Skip, Pause, Finish)


# Answers


class Opened(NamedTuple):
    """A folder of a mailbox."""

    folder: Folder
    messages: tuple[Message, ...]
    new: int
    """Messages in the INBOX."""
    old: int
    """Messages in Old."""
    greetings: frozenset[Greeting]
    now: datetime
    """In the time zone of the mailbox."""
    manner: Manner = Manner()


class Refused(NamedTuple):
    """The PIN was wrong, or nobody may try any more (`is_final`)."""

    is_final: bool = False


class Turn(NamedTuple):
    """What comes next."""

    say: tuple[Sound, ...] = ()
    order: Order | None = None
    hushes: bool = True
    """Whether what is being said ends."""


#: Nothing happens; whatever is said goes on.
NOTHING = Turn(hushes=False)


@dataclass(slots=True)
class State:
    """Of one caller."""

    language: str
    is_known: bool
    """Whether it is known whose mailbox it is, by the telephone that calls or the way that the call came."""
    place: Place = Place.MAILBOX
    pending: Order | None = None
    """An order whose answer is waited for."""
    entry: str = ""
    """Digits that were keyed in."""
    tries: int = 0
    """How often something was wrong, in this place."""
    silences: int = 0
    """How often nothing was pressed."""
    mailbox: str = ""
    """The number that was keyed in for one; empty: the one that is known."""
    opened: Opened | None = None
    current: int = 0
    """Which message of the folder; the first is 0."""
    is_starting: bool = True
    """Whether none was played yet."""
    heard: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    saved: dict[int, Folder] = field(default_factory=dict)
    recording: "Purpose | None" = None
    """What is being recorded, or is for whom."""
    has_take: bool = False
    """Whether something was recorded."""
    pin: str = ""
    """The new one, keyed in once."""

    @property
    def box(self) -> Opened:
        """The folder that is open."""
        assert self.opened is not None, "whoever comes here has logged in"
        return self.opened

    @property
    def message(self) -> Message | None:
        """The message that keys are about."""
        messages = self.box.messages
        return messages[self.current] if self.current < len(messages) else None

    def settle(self) -> Settlement:
        """Return what becomes of the open folder's messages, once: nothing is marked any more."""
        moved = {}
        if self.opened is not None and self.opened.folder is Folder.INBOX:
            moved = dict.fromkeys(self.heard, Folder.OLD)
        moved |= self.saved
        removed = frozenset(self.deleted)
        settlement = Settlement(removed, {one: to for one, to in moved.items() if one not in removed})
        self.heard, self.deleted, self.saved = set(), set(), {}
        return settlement


class Purpose(NamedTuple):
    """What a recording is for: a greeting, or a message for somebody."""

    greeting: Greeting | None = None
    recipient: str = ""
    forwarded: int | None = None
    """The message that follows."""


#: What a key does.
Move = Callable[[State], Turn]
#: What keys do, place by place.
Keys = Mapping[tuple[Place, str], Move]
#: What the answer to an order leads to.
Answers = Mapping[type[Order], Callable[[State, Any], Turn]]
