"""The application `conference`: rooms in which everybody hears all others.

`P-App-Param: ;room=ID;roompin=1234;max_participants=10;sound_set_id=N`. A room with a PIN asks for it, three
times at most; it is there as long as somebody is in it.
"""

from collections.abc import Sequence
from typing import Final

from ngcp.audio.mixer import mix
from ngcp.sip.syntax import Uri
from ngcp.voice.conversation import Conversation, Listener
from ngcp.voice.parameters import whole
from ngcp.voice.stage import Stage
from ngcp.voice.stream import SILENCE

from .announcement import wanted

#: How often a PIN may be wrong.
TRIES: Final = 3
#: Digits of a PIN.
LONGEST_PIN: Final = 32
#: What rooms hold where the call does not say.
MAX_PARTICIPANTS: Final = 32
#: Prompts by their names in sound sets.
PROMPTS: Final = (
    "conference_first",
    "conference_greeting",
    "conference_joined",
    "conference_leave",
    "conference_max_participants",
    "conference_pin",
    "conference_pin_wrong",
    "conference_waiting_music",
    "goodbye",
)


class Conferences:
    """All rooms."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.rooms: dict[str, Room] = {}

    def begin(self, call: Conversation, now: float) -> Listener:
        """Let somebody in."""
        participant = Participant(self, call)
        self.stage.spawn(participant.prepare())
        return participant.guest

    def enter(self, participant: "Participant", now: float) -> bool:
        """Bring a participant into its room, which is made if need be; False: it is full."""
        room = self.rooms.get(participant.room_name)
        if room is None:
            room = self.rooms[participant.room_name] = Room()
            self.stage.studio.enter(room, as_mixer=True)
        if len(room.members) >= participant.limit:
            return False
        room.join(participant)
        return True

    def leave(self, participant: "Participant") -> None:
        """Take a participant out of its room, and away with the room if it was the last."""
        room = self.rooms[participant.room_name]
        room.part(participant)
        if not room.members:
            del self.rooms[participant.room_name]
            self.stage.studio.leave(room)


class Room:
    """Those who hear each other (a `studio.Player`)."""

    def __init__(self) -> None:
        self.members: dict[Participant, bytes] = {}
        """Each with the frame that it hears next."""

    def beat(self, now: float) -> None:
        """Mix the next frame of everybody."""
        members = list(self.members)
        heard = mix([member.listen() for member in members])
        self.members.update(zip(members, heard, strict=True))

    def join(self, participant: "Participant") -> None:
        """Let all others hear of one more."""
        for member in self.members:
            member.tell("conference_joined")
        self.members[participant] = SILENCE

    def part(self, participant: "Participant") -> None:
        """Let all others hear of one less."""
        del self.members[participant]
        for member in self.members:
            member.tell("conference_leave")
        if len(self.members) == 1:
            next(iter(self.members)).wait()


class Participant:
    """One caller (a `guest.Attendant`)."""

    def __init__(self, conferences: Conferences, call: Conversation) -> None:
        self._conferences = conferences
        self._parameters = call.parameters
        self.room_name = self._parameters.get("room") or Uri.parse(call.request.uri).name
        self._pin = self._parameters.get("roompin", "")
        limit = whole(self._parameters, "max_participants", 5)
        self.limit = MAX_PARTICIPANTS if limit is None else limit
        self._digits = ""
        self._tries = 0
        self._is_in = False
        self._is_leaving = False
        self._prompts: dict[str, Sequence[bytes]] = {}
        self.guest = conferences.stage.receive(call, self)

    async def prepare(self) -> None:
        """Look for all prompts, then answer."""
        find = self._conferences.stage.prompts.find
        for name in PROMPTS:
            self._prompts[name] = await find(wanted(self._parameters, name))
        if self.guest.is_here:
            self.guest.accept(self._conferences.stage.clock())

    def listen(self) -> bytes | None:
        """Return the next frame that it says."""
        return self.guest.listen()

    def tell(self, name: str) -> None:
        """Let it hear a prompt; the music for those who wait ends."""
        self.guest.hush()
        self.guest.say(self._prompts[name])

    def wait(self) -> None:
        """Let it hear music as long as nobody else is there."""
        self.guest.repeat(self._prompts["conference_waiting_music"])

    # guest.Attendant

    def acknowledged(self, now: float) -> None:
        """Ask for the PIN, or let it in."""
        if self._pin:
            self.guest.say(self._prompts["conference_pin"])
        else:
            self._enter(now)

    def said(self, now: float) -> None:
        """Hang up after a farewell."""
        if self._is_leaving:
            self.guest.dismiss(now)

    def pressed(self, key: str, now: float) -> None:
        """Take a digit of the PIN; # ends it."""
        if self._is_in or self._is_leaving or not self._pin:
            return
        self.guest.hush()
        if key != "#":
            self._digits = (self._digits + key)[-LONGEST_PIN:]
            return
        digits, self._digits = self._digits, ""
        if digits == self._pin:
            self._enter(now)
            return
        self._tries += 1
        self.guest.say(self._prompts["conference_pin_wrong"])
        if self._tries < TRIES:
            self.guest.say(self._prompts["conference_pin"])
        else:
            self._farewell("goodbye", now)

    def left(self, now: float) -> None:
        """Leave the room."""
        if self._is_in:
            self._is_in = False
            self._conferences.leave(self)

    def _enter(self, now: float) -> None:
        if not self._conferences.enter(self, now):
            self._farewell("conference_max_participants", now)
            return
        self._is_in = True
        room = self._conferences.rooms[self.room_name]
        self.guest.background = lambda: room.members.get(self)
        self.guest.say(self._prompts["conference_greeting"])
        if len(room.members) == 1:
            self.guest.say(self._prompts["conference_first"])
            self.wait()

    def _farewell(self, name: str, now: float) -> None:
        self._is_leaving = True
        self.guest.say(self._prompts[name])
        if not self.guest.is_spoken_to:
            self.guest.dismiss(now)
