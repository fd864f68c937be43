"""Calls from the menu of a mailbox: somebody is called in its owner's name, and both talk by our streams."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from ngcp.audio.tones import tone
from ngcp.provisioning.voicemail import Address
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.errors import SipError
from ngcp.voice.placed import Invitation, Placed
from ngcp.voice.registry import Registry
from ngcp.voice.stage import Stage
from ngcp.voice.stream import SAMPLES, SILENCE, frames_of

NAME: Final = "callback"
#: What a caller hears while it rings (ETSI TR 101 041-2): a second of a tone, four of silence.
RINGING: Final = (*frames_of(tone([425], 8000, range(50 * SAMPLES), -20.0)), *(SILENCE,) * 200)


class Caller(Protocol):
    """Whoever waits for an answer (a `guest.Guest`)."""

    background: Callable[[], bytes | None]

    def hush(self) -> None:
        """Hear nothing more of what was said."""

    def listen(self) -> bytes | None:
        """Return the next frame that he says."""


@dataclass(frozen=True, slots=True)
class Dialler:
    """One for each user agent."""

    agent: UserAgent
    registry: Registry
    stage: Stage
    proxy: str
    """The proxy, a value of Route."""
    ringing: float = 60.0
    """Seconds until somebody has to answer."""

    def call(
        self, number: str, owner: Address, uuid: str, caller: Caller, ended: Callable[[bool, float], None]
    ) -> "Callee":
        """Call a number in the name of a mailbox's owner, and let `caller` talk to whoever answers.

        `ended` is told once, when it is over, whether somebody answered. Raises `SipError`.
        """
        now = self.stage.clock()
        name = f"<sip:{owner.username}@{owner.domain}>"
        lines = (f"P-Caller-UUID: {uuid}",)
        uri = f"sip:{number}@{owner.domain}"
        call = Placed(
            self.agent,
            self.registry,
            Invitation(uri, name, NAME, self.proxy, self.ringing, lines),
            now,
        )
        try:
            callee = Callee(self.stage, call, caller, ended)
        except SipError as error:
            call.refuse(error.status, now)
            raise
        call.listener = callee.guest
        callee.guest.accept(now)
        return callee


class Callee:
    """Whoever is called (a `guest.Attendant`)."""

    def __init__(
        self, stage: Stage, call: Placed, caller: Caller, ended: Callable[[bool, float], None]
    ) -> None:
        self._caller, self._ended = caller, ended
        self._was_answered = False
        self.guest = stage.receive(call, self)

    def hang_up(self, now: float) -> None:
        """End the call, or take it back."""
        self.guest.dismiss(now)

    def acknowledged(self, now: float) -> None:
        """Let both hear each other."""
        self._was_answered = True
        self._caller.hush()
        self._caller.background, self.guest.background = self.guest.listen, self._caller.listen

    def said(self, now: float) -> None:
        """Nothing is said to him."""

    def pressed(self, key: str, now: float) -> None:
        """Nothing: his keys are his own."""

    def left(self, now: float) -> None:
        """Tell that it is over."""
        self._caller.background = lambda: None
        self._caller.hush()
        self._ended(self._was_answered, now)
