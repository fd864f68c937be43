"""Somebody to whom the node itself talks, whoever called: one stream, prompts to play, keys to hear."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from ngcp.sip.errors import SipError
from ngcp.sip.syntax import Request
from ngcp.sip.transport.flow import Address

from . import session
from .stream import Voice
from .studio import Port, Studio
from .talk import Talk
from .tape import Tape

#: Frames of a prompt.
Frames = Sequence[bytes]


class Attendant(Protocol):
    """Whoever serves a guest."""

    def acknowledged(self, now: float) -> None:
        """Begin: the call is answered, and both know."""

    def said(self, now: float) -> None:
        """Go on: all that was to be said was said."""

    def pressed(self, key: str, now: float) -> None:
        """Take a key that the guest pressed."""

    def left(self, now: float) -> None:
        """Learn that the guest is gone; told once, whoever ended it."""


class Guest:
    """One call that ends here (a `talk.Listener` and a `studio.Player`)."""

    def __init__(self, studio: Studio, call: Talk, attendant: Attendant, seed: int) -> None:
        """Take a call that is not answered yet; raises `SipError` if its session is none for us.

        `seed` are 64 random bits.
        """
        self._studio, self._call, self._seed = studio, call, seed
        self.attendant = attendant
        """Whoever serves it; it can be given to another one."""
        self._version = 0
        body = call.offer_of_caller
        self._offer = session.read(body) if body else None
        self._voice = Voice(self._offer.language, seed) if self._offer else None
        self._port: Port = studio.ports.open(self._take)
        self._queue: deque[bytes] = deque()
        self._loop: Frames = ()
        self._keys: list[str] = []
        self._tape: Tape | None = None
        self._is_answered = self._is_acknowledged = False
        self.background: Callable[[], bytes | None] = lambda: None
        """What is heard while nothing is said: a frame, or None."""
        studio.enter(self)

    @property
    def is_here(self) -> bool:
        """Whether the call lives."""
        return not self._call.is_over

    @property
    def has_keys_in_its_voice(self) -> bool:
        """Whether keys are heard as tones among what it says."""
        return self._offer is not None and self._offer.language.event_type is None

    @property
    def is_spoken_to(self) -> bool:
        """Whether there is something to be said yet."""
        return bool(self._queue or self._loop)

    @property
    def frames_left(self) -> int:
        """How many frames are to be said yet, without what is repeated."""
        return len(self._queue)

    # What its attendant does

    def say(self, frames: Frames) -> None:
        """Say this behind what is said already."""
        self._queue.extend(frames)

    def repeat(self, frames: Frames) -> None:
        """Say this again and again when nothing else is to be said."""
        self._loop = frames

    def hush(self) -> None:
        """Say nothing more."""
        self._queue.clear()
        self._loop = ()

    def listen(self) -> bytes | None:
        """Return the next frame that the guest says."""
        return self._voice.heard() if self._voice is not None else None

    def record(self, tape: Tape | None) -> None:
        """Put what the guest says from now on onto a tape, or onto none."""
        self._tape = tape
        if self._voice is not None:
            self._voice.tape = tape

    def greet(self, now: float) -> None:
        """Let it hear us before the call is answered (183)."""
        self._call.progress(now, self._describe())

    def accept(self, now: float) -> None:
        """Answer the call, or place the one that is ours."""
        self._is_answered = True
        self._call.answer(self._describe(), now)

    def dismiss(self, now: float, status: int = 480, reason: str | None = None) -> None:
        """End the call: by `status` if we do not answer it, else by BYE or CANCEL."""
        if self._is_answered:
            self._call.hang_up(now)
        else:
            self._call.refuse(status, now, reason)

    # talk.Listener

    def acknowledged(self, session_: bytes, now: float) -> None:
        """Take the answer to our offer, if the ACK has one, and begin."""
        if session_ and self._offer is None and not self._agree(session_):
            self.dismiss(now)
        elif not self._is_acknowledged:
            self._is_acknowledged = True
            self.attendant.acknowledged(now)

    def offered(self, session_: bytes, now: float) -> bytes | None:
        """Answer a new offer, or make one."""
        if session_ and not self._agree(session_):
            return None
        return self._describe()

    def answered(self, session_: bytes, now: float) -> None:
        """Take the answer to a new offer of ours."""
        self._agree(session_)

    def informed(self, request: Request, now: float) -> None:
        """Take a key that came by INFO (`application/dtmf-relay`, `application/dtmf`)."""
        text = request.body.decode("ascii", "replace")
        lines = (line.partition("=") for line in text.splitlines())
        signal = next((value for name, _, value in lines if name.strip().lower() == "signal"), text)
        key = signal.strip()[:1].upper()
        if (request.get("content-type") or "").startswith("application/dtmf") and key in "0123456789*#ABCD":
            self._keys.append(key)

    def ended(self, now: float) -> None:
        """Let go of the stream."""
        self._studio.leave(self)
        self._port.close()
        self.attendant.left(now)

    # studio.Player

    def beat(self, now: float) -> None:
        """Say the next frame, and tell of keys."""
        keys, self._keys = self._keys, []
        for key in keys:
            self.attendant.pressed(key, now)
        is_prompt = self.is_spoken_to
        if not self._queue:
            self._queue.extend(self._loop)
        self._utter(self._queue.popleft() if self._queue else self.background())
        if is_prompt and not self.is_spoken_to:
            self.attendant.said(now)

    # Inside

    def _utter(self, frame: bytes | None) -> None:
        offer, voice = self._offer, self._voice
        if offer is None or voice is None:
            return
        if frame is not None and offer.may_talk:
            self._port.send(voice.say(frame), offer.remote)
        else:
            voice.pause()

    def _describe(self) -> bytes:
        self._version += 1
        number = self._seed >> 32
        if self._offer is None:
            return session.propose(self._port.local, number, self._version)
        return session.answer(self._offer, self._port.local, number, self._version)

    def _agree(self, body: bytes) -> bool:
        """Take what the other side says of its session now; False: it is none for us."""
        try:
            offer = session.read(body)
        except SipError:
            return False
        before, self._offer = self._offer, offer
        if self._voice is None or before is None or before.language != offer.language:
            self._voice = Voice(offer.language, self._seed + self._version)
            self._voice.tape = self._tape
        return True

    def _take(self, packet: bytes, source: Address) -> None:
        offer, voice = self._offer, self._voice
        if voice is None or offer is None or source[0] != offer.remote[0]:
            return
        keys = voice.take(packet)
        if keys is not None:
            self._keys.extend(keys)
