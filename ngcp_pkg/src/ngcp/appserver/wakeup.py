"""A wake-up call: a subscriber's phones ring, and whoever answers hears that it is time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ngcp.audio.tones import tone
from ngcp.provisioning.reminder_calls import Wakeup
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.errors import SipError
from ngcp.voice.placed import Invitation, Placed
from ngcp.voice.prompts import Wanted
from ngcp.voice.registry import Registry
from ngcp.voice.stage import Stage
from ngcp.voice.stream import SAMPLES, SILENCE, frames_of

#: The name of the application, and of the sound in a sound set.
NAME: Final = "reminder"
#: How often it is said, and the frames of silence in between.
TIMES: Final = 3
PAUSE: Final = (SILENCE,) * 50
#: What is heard where there is no sound.
TONE: Final = frames_of(tone([880.0], 8000, range(25 * SAMPLES)))

#: Told the status that a call came to: 2xx, somebody answered.
Done = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Ringer:
    """What all wake-up calls have in common."""

    agent: UserAgent
    registry: Registry
    stage: Stage
    caller: str
    """Who calls: the value of From, without tag."""
    proxy: str
    """The proxy, a value of Route."""
    ringing: float
    """Seconds until somebody has to answer."""

    async def ring(self, wakeup: Wakeup, done: Done) -> None:
        """Call; `done` is told once what came of it."""
        wanted = Wanted(NAME, wakeup.sound_set, wakeup.language)
        frames = await self.stage.prompts.find(wanted)
        invitation = Invitation(f"sip:{wakeup.name}", self.caller, NAME, self.proxy, self.ringing)
        now = self.stage.clock()
        call = Placed(self.agent, self.registry, invitation, now)
        try:
            call.listener = (sleeper := Sleeper(self.stage, call, frames or TONE, done)).guest
        except SipError as error:
            call.refuse(error.status, now)
            done(error.status, now)
            return
        sleeper.guest.accept(now)


class Sleeper:
    """Whoever is called (a `guest.Attendant`)."""

    def __init__(self, stage: Stage, call: Placed, frames: Sequence[bytes], done: Done) -> None:
        self._call, self._frames, self._done = call, frames, done
        self.guest = stage.receive(call, self)

    def acknowledged(self, now: float) -> None:
        """Say it."""
        for _ in range(TIMES):
            self.guest.say(self._frames)
            self.guest.say(PAUSE)

    def said(self, now: float) -> None:
        """Hang up."""
        self.guest.dismiss(now)

    def pressed(self, key: str, now: float) -> None:
        """Hang up on who is awake."""
        self.guest.dismiss(now)

    def left(self, now: float) -> None:
        """Tell what came of it."""
        self._done(self._call.status, now)
