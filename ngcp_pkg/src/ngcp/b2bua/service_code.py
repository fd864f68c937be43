"""The application `vsc`: a service code is carried out, and its caller told that it was.

`P-App-Param: ;service=cfu;state=on;number=43664123;domain=example.org`, as the proxy read what was dialled.
"""

from collections.abc import Awaitable, Mapping
from typing import Final, Protocol

from ngcp.voice.conversation import Conversation, Listener
from ngcp.voice.prompts import Files
from ngcp.voice.stage import Stage

#: What is said of each service, before "activated" or "de-activated"; Debian's prompts have no others.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "cfu": ("call-fwd-unconditional",),
    "cfb": ("call-fwd-on-busy",),
    "cft": ("call-fwd-no-ans",),
    "cfna": ("call-forwarding",),
    "dnd": ("do-not-disturb",),
    "forwards": ("call-forwarding",),
    "speed_dial": ("speed-dial",),
}
ENDINGS: Final = {True: "activated", False: "de-activated"}
ERROR: Final = ("cannot-complete-as-dialed",)


class Services(Protocol):
    """Whoever carries service codes out."""

    def order(self, uuid: str, parameters: Mapping[str, str]) -> Awaitable[bool]:
        """Do what a code asks for; False: it cannot be done."""


def confirm(stage: Stage, services: Services, files: Files, call: Conversation, now: float) -> Listener:
    """Do what the code asks for, then answer."""
    confirmation = Confirmation(stage, services, files, call)
    stage.spawn(confirmation.prepare())
    return confirmation.guest


class Confirmation:
    """One caller who dialled a code (a `guest.Attendant`)."""

    def __init__(self, stage: Stage, services: Services, files: Files, call: Conversation) -> None:
        self._stage, self._services, self._files = stage, services, files
        self._parameters = call.parameters
        self._uuid = call.request.get("p-caller-uuid") or ""
        self._language = call.request.get("p-language") or "en"
        self._is_done = False
        self.guest = stage.receive(call, self)

    async def prepare(self) -> None:
        """Carry it out, then answer."""
        if self._parameters.get("state") in ("on", "off"):
            self._is_done = await self._services.order(self._uuid, self._parameters)
        if self.guest.is_here:
            self.guest.accept(self._stage.clock())

    def acknowledged(self, now: float) -> None:
        """Say what was done."""
        names: tuple[str, ...] = ERROR
        if self._is_done:
            ending = ENDINGS[self._parameters.get("state") == "on"]
            names = (*NAMES.get(self._parameters.get("service", ""), ()), ending)
        frames = self._files.say(names, self._language)
        if frames:
            self.guest.say(frames)
        else:
            self.guest.dismiss(now)

    def said(self, now: float) -> None:
        """Hang up."""
        self.guest.dismiss(now)

    def pressed(self, key: str, now: float) -> None:
        """Nothing."""

    def left(self, now: float) -> None:
        """Nothing."""
