"""What a caller hears of his mailbox: prompts, and messages, in which he can go back and forth."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.voice.guest import Frames, Guest
from ngcp.voice.stream import PACE, frames_of

from .menu_prompts import LATER
from .menu_state import Playback, Sound, Take
from .office import Office


class Shelf(Protocol):
    """Where recordings are."""

    def fetch(self, number: int) -> Awaitable[Frames]:
        """Return the frames of a message; none: it is gone. Raises `DatabaseUnavailable`."""

    def samples(self) -> Awaitable[bytes]:
        """Return what the caller recorded last."""


class Recital:
    """For one caller."""

    def __init__(
        self,
        office: Office,
        guest: Guest,
        language: str,
        shelf: Shelf,
        ended: Callable[[float], None],
    ) -> None:
        """Take from a shelf what is no prompt; call `ended` where there was nothing to say.

        Whatever else was said, the guest tells of the end of it.
        """
        self._office, self._guest, self._language = office, guest, language
        self._shelf, self._ended = shelf, ended
        self._message: Frames = ()
        self._rest: Frames = ()
        self._turns = 0

    def hush(self) -> None:
        """Say nothing more."""
        self._turns += 1
        self._message = self._rest = ()
        self._guest.hush()

    def say(self, sounds: Sequence[Sound], now: float) -> None:
        """Say all of these; what has to be fetched first lets it begin later."""
        if all(isinstance(sound, str) for sound in sounds):
            self._utter(self._prompts(sounds), now)
        else:
            self._office.stage.spawn(self._play(sounds, self._turns))

    def skip(self, seconds: float) -> None:
        """Go on at another place of the message."""
        if self._message:
            there = max(self._place + round(seconds / PACE), 0)
            rest = self._message[there:] or self._message[-1:]
            self._rest = ()
            self._guest.hush()
            self._guest.say(rest)

    def pause(self) -> None:
        """Stop the message, or go on with it."""
        if self._rest:
            rest, self._rest = self._rest, ()
            self._guest.say(rest)
        elif self._message:
            self._rest = self._message[self._place :]
            self._guest.hush()

    @property
    def is_paused(self) -> bool:
        """Whether a message was stopped."""
        return bool(self._rest)

    @property
    def _place(self) -> int:
        """Frames of the message that were said."""
        left = len(self._rest) or self._guest.frames_left
        return max(len(self._message) - left, 0)

    async def _play(self, sounds: Sequence[Sound], turn: int) -> None:
        frames: list[bytes] = []
        message: Frames = ()
        try:
            for sound in sounds:
                if isinstance(sound, Playback):
                    message = await self._shelf.fetch(sound.message)
                    frames += message
                elif isinstance(sound, Take):
                    frames += frames_of(await self._shelf.samples())
                else:
                    frames += self._prompts((sound,))
        except DatabaseUnavailable:
            frames, message = self._prompts((LATER,)), ()
        if turn == self._turns and self._guest.is_here:
            self._message = message
            self._utter(frames, self._office.stage.clock())

    def _prompts(self, sounds: Sequence[Sound]) -> list[bytes]:
        return self._office.files.say([sound for sound in sounds if isinstance(sound, str)], self._language)

    def _utter(self, frames: Frames, now: float) -> None:
        if frames:
            self._guest.say(frames)
        else:
            self._ended(now)
