"""The application `voicebox`: a caller hears a greeting and a beep, and leaves a message.

`P-App-Param: ;mailbox=UUID;greeting=unavail;number=4311002;language=en`. `#` ends the greeting, and the
recording; a hang-up, silence and the longest message end the recording, too. What was said is kept then,
whoever ended it, if there was speech enough. `*` in the greeting leads its owner to the PIN (`retrieval.py`).
"""

from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Final

from ngcp.audio import wav
from ngcp.provisioning.voicemail import Greeting, Recording
from ngcp.sip.errors import SipError
from ngcp.sip.syntax.fields import quote_string
from ngcp.voice.conversation import Conversation, Listener
from ngcp.voice.guest import Frames
from ngcp.voice.tape import RATE, Tape

from .dictation import Dictation
from .office import Greeted, Office
from .retrieval import enter

BEEP: Final = "beep"
INTRODUCTION: Final = "vm-intro"
#: What is said behind a number or a name, by the greeting that is meant; and where there is neither.
STATES: Final = {Greeting.BUSY: "vm-isonphone", Greeting.UNAVAILABLE: "vm-isunavail"}
NOBODY: Final = "vm-nobodyavail"
FULL: Final = ("vm-mailboxfull", "vm-goodbye")
APOLOGY: Final = ("im-sorry", "please-try-call-later", "vm-goodbye")
THANKS: Final = ("auth-thankyou", "vm-goodbye")


class NoSuchMailbox(SipError):
    """The mailbox that is called is nobody's."""

    status = 404
    reason = "No Such Mailbox"


class Act(Enum):
    """What happens now."""

    GREETING = "greeting"
    RECORDING = "recording"
    FAREWELL = "farewell"


def take_message(office: Office, call: Conversation, now: float) -> Listener:
    """Find the mailbox, then answer."""
    deposit = Deposit(office, call)
    office.stage.spawn(deposit.prepare())
    return deposit.guest


class Deposit:
    """One caller who leaves a message (a `guest.Attendant`)."""

    def __init__(self, office: Office, call: Conversation) -> None:
        """Let a caller in, or raise `SipError`: there is no mailbox, or the session is none for us."""
        parameters = call.parameters
        self._office, self._call = office, call
        self._mailbox = parameters.get("mailbox", "")
        self._greeting = (
            Greeting.BUSY if parameters.get("greeting") == Greeting.BUSY else Greeting.UNAVAILABLE
        )
        self._number = parameters.get("number", "")
        self._language = office.files.language(parameters.get("language") or "en")
        if not self._mailbox:
            raise NoSuchMailbox("the proxy names no mailbox")
        self._act = Act.GREETING
        self._frames: list[bytes] = []
        self._dictation: Dictation | None = None
        self._message = Recording(office.stage.ids(), self._mailbox, caller_of(call), 0, 0, b"")
        self.guest = office.stage.receive(call, self)

    async def prepare(self) -> None:
        """Answer as soon as it is known what to say."""
        found = await self._office.reception.greet(self._mailbox, self._greeting)
        spoken = await self._office.archive.cut(None if found is None else found.greeting or found.name)
        now = self._office.stage.clock()
        if not self.guest.is_here:
            return
        if found is None:
            self.guest.dismiss(now, NoSuchMailbox.status, NoSuchMailbox.reason)
            return
        if found.is_full or self._office.keeper.is_full:
            self._act = Act.FAREWELL
            self._frames = self._prompt(*(FULL if found.is_full else APOLOGY))
        else:
            self._frames = self._welcome(found, spoken)
        self.guest.accept(now)

    # guest.Attendant

    def acknowledged(self, now: float) -> None:
        """Say what was prepared."""
        self._say(self._frames, now)

    def said(self, now: float) -> None:
        """Record behind the beep; hang up behind the farewell."""
        if self._act is Act.GREETING:
            self._record(now)
        elif self._act is Act.FAREWELL:
            self.guest.dismiss(now)

    def pressed(self, key: str, now: float) -> None:
        """Take `#`: the greeting is known, or all is said; `*`: it is the owner who calls."""
        if key == "*" and self._act is Act.GREETING:
            self.guest.hush()
            enter(self._office, self._call, self.guest, self._mailbox, now)
        if key != "#":
            return
        if self._act is Act.GREETING:
            self.guest.hush()
            self._say(self._prompt(BEEP), now)
        elif self._act is Act.RECORDING:
            self._finish(by_key=True)
            self._bid_farewell(now)

    def left(self, now: float) -> None:
        """Keep what was said."""
        if self._act is Act.RECORDING:
            self._finish()

    # Inside

    def _prompt(self, *names: str) -> list[bytes]:
        return self._office.files.say(names, self._language)

    def _welcome(self, found: Greeted, spoken: Frames) -> list[bytes]:
        """Return what its owner has spoken, else that he is not there, then the beep."""
        said: list[bytes] = []
        if found.greeting is not None:
            said += spoken
        elif found.name is not None:
            said += [*spoken, *self._prompt(STATES[self._greeting])]
        elif self._number.isascii() and self._number.isdecimal():
            digits = (f"digits/{digit}" for digit in self._number)
            said += self._prompt("vm-theperson", *digits, STATES[self._greeting])
        else:
            said += self._prompt(NOBODY)
        return [*said, *self._prompt(INTRODUCTION, BEEP)]

    def _say(self, frames: list[bytes], now: float) -> None:
        """Say something; where there is nothing to say, go on."""
        if frames:
            self.guest.say(frames)
        else:
            self.said(now)

    def _record(self, now: float) -> None:
        self._act = Act.RECORDING
        self._dictation = Dictation(self._call, self.guest, self._office.voicemail, self._be_silent, now)
        time, call_id = int(self._office.wall()), self._call.request.call_id
        self._message = replace(self._message, time=time, call_id=call_id)
        self._office.keeper.begin(self._message, self._dictation.tape)

    def _be_silent(self, now: float) -> None:
        self._finish()
        self._bid_farewell(now)

    def _finish(self, *, by_key: bool = False) -> None:
        """End the recording, and hand it over."""
        self._act = Act.FAREWELL
        dictation, self._dictation = self._dictation, None
        if dictation is None:
            return
        tape = dictation.end(by_key=by_key)
        message = self._message
        if tape.spoken >= self._office.voicemail.shortest * RATE:
            self._office.keeper.take(message.key, partial(_develop, message, tape))
        else:
            self._office.keeper.drop(message.key)

    def _bid_farewell(self, now: float) -> None:
        self._say(self._prompt(*THANKS), now)


def _develop(message: Recording, tape: Tape) -> Recording:
    """Give a message what is on the tape; this takes a while, and nothing of the call."""
    return replace(message, duration=round(len(tape) / RATE), wav=wav.write(tape.samples()))


def caller_of(call: Conversation) -> str:
    """Return who calls, as messages say it; whoever does not want to be known, is not."""
    request = call.request
    address = request.from_
    privacy = {word.strip().lower() for word in (request.get("privacy") or "").split(";")}
    if privacy & {"id", "user", "header"} or address.uri.name in ("anonymous", ""):
        return "anonymous"
    number = request.get("p-first-caller-npn") or address.uri.name
    return f"{quote_string(address.display)} <{number}>" if address.display else f"<{number}>"
