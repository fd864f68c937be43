"""What can be said: sounds of the caller's sound set, and where that has none, Debian's prompts."""

import re
from collections.abc import Awaitable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from ngcp.audio.wav import BadWav, samples_of

from .stream import frames_of

#: Files of Debian's asterisk-core-sounds, without their endings, that stand in for handles of sound sets.
USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "conference_first": ("conf-onlyperson",),
    "conference_greeting": ("conf-placeintoconf",),
    "conference_join": ("beep",),
    "conference_joined": ("conf-hasjoin",),
    "conference_leave": ("conf-hasleft",),
    "conference_max_participants": ("conf-full",),
    "conference_pin": ("conf-getpin",),
    "conference_pin_wrong": ("conf-invalidpin",),
    "goodbye": ("vm-goodbye",),
    "reminder": ("hello", "beep"),
}
#: Names of files: those of digits are in a directory of their own.
_NAME: Final = re.compile(r"(?:[a-z]+/)?[A-Za-z0-9_-]+")
#: Prompts, of all languages, that are read once: a menu has about 200.
KNOWN: Final = 1500
#: Seconds of a prompt.
LONGEST: Final = 600.0


class Wanted(NamedTuple):
    """A prompt that is looked for."""

    handle: str
    """Its name in sound sets."""
    sound_set: int = 0
    """The set to look in first; 0: none."""
    language: str = "en"


class Prompts(Protocol):
    """Whoever has sounds."""

    def find(self, wanted: Wanted) -> Awaitable[Sequence[bytes]]:
        """Return the frames of a prompt; none if there is no such sound."""


class Files:
    """WAV files below a directory, one directory a language."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._load = lru_cache(KNOWN)(self._read)

    def language(self, wanted: str) -> str:
        """Return a language that there are prompts of: the one that is wanted, else English.

        Order and numbers are those of what is said: "one-and" would be silent, and "twenty" said for 21.
        """
        return wanted if wanted.isalnum() and any(self._directory.glob(f"{wanted}*")) else "en"

    def frames(self, name: str, language: str) -> Sequence[bytes]:
        """Return the frames of a file, in English where the language lacks it; none if there is none."""
        for spoken in dict.fromkeys((language, "en")):
            frames = self._load(spoken, name)
            if frames:
                return frames
        return ()

    def say(self, names: Sequence[str], language: str) -> list[bytes]:
        """Return the frames of several files, one after the other."""
        return [frame for name in names for frame in self.frames(name, language)]

    def _read(self, language: str, name: str) -> tuple[bytes, ...]:
        if not (language.isalnum() and _NAME.fullmatch(name)):
            return ()
        for directory in self._directory.glob(f"{language}*"):
            try:
                return frames_of(samples_of((directory / f"{name}.wav").read_bytes(), LONGEST))
            except (OSError, BadWav):
                continue
        return ()
