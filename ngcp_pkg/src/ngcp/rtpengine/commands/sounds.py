"""Participants hear sounds, and keys are pressed in their name: play media, stop media, play DTMF."""

import errno
from collections.abc import Callable, Iterator
from typing import Final

from ngcp.audio.wav import BadWav, samples_of
from ngcp.rtp.events import KEYS as DTMF

from ..calls import Calls
from ..dialling import Press
from ..dialogs import Dialog
from ..errors import Malformed, NobodyHears, NothingToPlay, UnknownParticipant
from ..playing import Seat, Sound
from .command import Command, Fields, Request, Table
from .selection import KEYS, chosen

#: Seconds that a sound may be long.
LONGEST: Final = 600.0
#: How often it may be repeated.
MOST_TIMES: Final = 10_000

ReadFile = Callable[[str], bytes]
"""Returns the content of a file by its name below the directory of sounds; raises OSError."""


def no_file(name: str) -> bytes:
    """Read none: there is no such directory."""
    raise FileNotFoundError(errno.ENOENT, "no directory of sounds is configured")


class Sounds:
    """The commands that let somebody hear something."""

    def __init__(self, calls: Calls, read_file: ReadFile) -> None:
        self._calls = calls
        self._read_file = read_file

    @property
    def table(self) -> Table:
        """What they are called."""
        sound = KEYS | {"blob", "file", "repeat-times", "start-pos"}
        key = KEYS | {"code", "digit", "duration", "pause", "volume"}
        return {
            "play media": Command(self._play, needs=("call-id",), keys=sound),
            "stop media": Command(self._stop, needs=("call-id",), keys=KEYS),
            "play DTMF": Command(self._press, needs=("call-id",), keys=key),
        }

    def _play(self, request: Request) -> Fields:
        sound = self._sound(request)
        heard = [self._calls.play(seat, sound, request.now) for seat in self._seats(request)]
        if not any(heard):
            raise NobodyHears
        return {"result": "ok", "duration": int(1000 * sound.duration)}

    def _stop(self, request: Request) -> Fields:
        places = [self._calls.stop_playing(seat) for seat in self._seats(request)]
        found = [place for place in places if place is not None]
        return {"result": "ok", "last-frame-pos": found[0]} if found else {"result": "ok"}

    def _press(self, request: Request) -> Fields:
        press = Press(
            _key(request),
            _bounded(request.whole("duration", 250), 100, 5000) / 1000,
            _bounded(request.whole("pause", 100), 100, 5000) / 1000,
            _volume(request),
        )
        if not any([self._calls.press(seat, press) for seat in self._seats(request)]):
            raise NobodyHears
        return {"result": "ok"}

    def _seats(self, request: Request) -> Iterator[Seat]:
        sides: list[tuple[Dialog, int]] = chosen(request, self._calls.find(request.signal.call_id))
        if not sides:
            raise UnknownParticipant
        for dialog, side in sides:
            for media in dialog.media.values():
                yield Seat(dialog, media, side)

    def _sound(self, request: Request) -> Sound:
        blob, name = request.message.text("blob"), request.message.text("file")
        try:
            if blob is not None:
                content = blob.encode("utf-8", "surrogateescape")
            elif name is not None:
                content = self._read_file(name)
            else:
                raise NothingToPlay("No media file specified")
            samples = samples_of(content, LONGEST)
        except OSError as error:
            raise NothingToPlay(f"Failed to open media file: {error.strerror or error}") from error
        except BadWav as error:
            raise NothingToPlay(f"Failed to read media file: {error}") from error
        times = min(request.whole("repeat-times", 1), MOST_TIMES)
        start = request.whole("start-pos", 1) if "start-pos" in request.message.fields else 0
        return Sound(samples, times, min(start, len(samples) // 2))


def _key(request: Request) -> str:
    """Return the key that `code` or `digit` says, as a number of the event or as it is on a phone."""
    said = request.message.fields.get("code", request.message.fields.get("digit"))
    if isinstance(said, int) and 0 <= said < len(DTMF):
        return DTMF[said]
    if isinstance(said, str) and len(said) == 1 and said.upper() in DTMF:
        return said.upper()
    raise Malformed("code")


def _bounded(value: int, least: int, most: int) -> int:
    return max(least, min(most, value))


def _volume(request: Request) -> int:
    """Return dBm0 without the minus sign that it may have."""
    said = request.message.fields.get("volume", 8)
    text = str(said).removeprefix("-")
    if not (text.isascii() and text.isdecimal() and len(text) < 4):
        raise Malformed("volume")
    return _bounded(int(text), 0, 63)
