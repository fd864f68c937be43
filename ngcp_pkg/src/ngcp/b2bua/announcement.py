"""The application `early_announce`: the caller hears why the call fails, in early media, and then it does.

`P-App-Param: ;audio_id=HANDLE;sound_set_id=N;language=en;fr_code=486;fr_reason="Busy Here";play_looped=no`.
"""

from collections.abc import Mapping
from typing import Final

from ngcp.voice.conversation import Conversation, Listener
from ngcp.voice.parameters import flag, whole
from ngcp.voice.prompts import Wanted
from ngcp.voice.stage import Stage

#: What a call gets whose announcement says no code.
USUAL: Final = 480


def wanted(parameters: Mapping[str, str], handle: str) -> Wanted:
    """Return the prompt for `handle` that the parameters of a call lead to."""
    return Wanted(handle, whole(parameters, "sound_set_id", 10) or 0, parameters.get("language") or "en")


def announce(stage: Stage, call: Conversation, now: float) -> Listener:
    """Look for the announcement, then make it."""
    announcement = Announcement(stage, call)
    stage.spawn(announcement.prepare())
    return announcement.guest


class Announcement:
    """One of them (a `guest.Attendant`)."""

    def __init__(self, stage: Stage, call: Conversation) -> None:
        self._stage, self._parameters = stage, call.parameters
        self.guest = stage.receive(call, self)

    async def prepare(self) -> None:
        """Begin as soon as the sound is there."""
        prompts = self._stage.prompts
        frames = await prompts.find(wanted(self._parameters, self._parameters.get("audio_id", "")))
        now = self._stage.clock()
        guest = self.guest
        if not guest.is_here:
            return
        if not frames:
            self._finish(now)
            return
        guest.greet(now)
        if flag(self._parameters, "play_looped"):
            guest.repeat(frames)
        else:
            guest.say(frames)

    def acknowledged(self, now: float) -> None:
        """Nothing: it never answers."""

    def said(self, now: float) -> None:
        """Let the call fail, or go on."""
        self._finish(now)

    def pressed(self, key: str, now: float) -> None:
        """Nothing."""

    def left(self, now: float) -> None:
        """Nothing."""

    def _finish(self, now: float) -> None:
        code = whole(self._parameters, "fr_code", 3) or USUAL
        status = code if 300 <= code < 700 else USUAL
        reason = self._parameters.get("fr_reason") or None
        self.guest.dismiss(now, status, reason)
