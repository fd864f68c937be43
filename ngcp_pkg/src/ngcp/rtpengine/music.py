"""Music on hold: what whoever is put on hold hears, as who holds wishes it (key `moh`).

A side holds when it has been ready to listen and is no more (RFC 3264 §8.4): its session is `sendonly` or
`inactive`, or names the zero address.
"""

from collections.abc import Mapping
from typing import Final, Protocol

from ngcp.sdp import Description

from .bodies import Announcement
from .dialogs import Dialog, Media
from .flags import Music
from .playing import Players, Seat, Sound

#: How often it is repeated where nobody says: for longer than any hold.
FOREVER: Final = 1_000_000


class Jukebox(Protocol):
    """Whoever has music."""

    def prepare(self, music: Music) -> None:
        """Fetch it if that takes time: it may be wanted."""

    def samples(self, music: Music) -> bytes | None:
        """Return the samples, 8 kHz, 16 bit; None if there are none, or none yet."""


class Silence:
    """Has no music (a `Jukebox`)."""

    def prepare(self, music: Music) -> None:
        """Nothing."""

    def samples(self, music: Music) -> bytes | None:
        """Return none."""
        return None


class Waiting:
    """Lets who is on hold hear music."""

    def __init__(self, players: Players, jukebox: Jukebox) -> None:
        self._players = players
        self._jukebox = jukebox
        self._late: set[Dialog] = set()

    def prepare(self, dialog: Dialog) -> None:
        """Learn what its sides wish to be heard."""
        for side in dialog.sides:
            if side.music is not None:
                self._jukebox.prepare(side.music)

    def take_late(self) -> set[Dialog]:
        """Return the dialogues, once, that music was not there yet for."""
        late, self._late = self._late, set()
        return late

    def attend(self, dialog: Dialog, now: float) -> None:
        """Begin and end music, as the session now is."""
        for media in dialog.media.values():
            for side in (0, 1):
                self._attend(Seat(dialog, media, 1 - side), dialog.sides[side].music, now)

    def _attend(self, held: Seat, music: Music | None, now: float) -> None:
        if not is_held(held.media, held.side):
            if self._players.is_music(held):
                self._players.stop(held)
        elif music is not None and not self._players.is_playing(held):
            samples = self._jukebox.samples(music)
            if samples:
                self._players.play(held, Sound(samples, music.times or FOREVER), now, is_music=True)
            else:
                self._late.add(held.dialog)


def is_held(media: Media, side: int) -> bool:
    """Whether `side` could hear something, and the other one wants to hear nothing any more."""
    held, holder = media.said[side], media.said[1 - side]
    if held is None or holder is None or not media.has_listened[1 - side]:
        return False
    return held.can_listen and not holder.can_listen


def offer(body: Description, dialog: Dialog, side: int, said: Mapping[int, Announcement]) -> None:
    """Let who is put on hold be ready to hear something, if `side` wishes it so."""
    wished = dialog.sides[side].music
    if wished is None or not wished.is_sendonly:
        return
    for index, one in said.items():
        if not (one.can_send or one.can_receive) and dialog.media[index].has_listened[side]:
            body.media[index].replace_direction("sendonly")


def answer(body: Description, dialog: Dialog, side: int, said: Mapping[int, Announcement]) -> None:
    """Answer `inactive` to `side` where it offered that, whatever the other side was offered."""
    for index, one in said.items():
        offered = dialog.media[index].said[side] if index in dialog.media else None
        if offered is not None and not (offered.can_send or offered.can_receive) and one.can_receive:
            body.media[index].replace_direction("inactive")
