"""Sounds from MariaDB, and where that has none, from Debian's prompts."""

import logging
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.audio.wav import BadWav, samples_of
from ngcp.provisioning.engine import DatabaseUnavailable, transaction
from ngcp.provisioning.prompts import find_sound

from .prompts import LONGEST, USUAL, Files, Wanted
from .stream import frames_of

_log = logging.getLogger(__name__)


class Library:
    """Prompts by handle (a `prompts.Prompts`)."""

    def __init__(self, engine: AsyncEngine, files: Files) -> None:
        self._engine = engine
        self._files = files

    async def find(self, wanted: Wanted) -> Sequence[bytes]:
        """Return the sound of the caller's set, else Debian's; a database that is away has none."""
        if wanted.sound_set:
            try:
                async with transaction(self._engine) as connection:
                    sound = await find_sound(connection, wanted.sound_set, wanted.handle)
                if sound is not None:
                    return frames_of(samples_of(sound.wav, LONGEST))
            except DatabaseUnavailable as error:
                _log.warning("sound %s of set %d: %s", wanted.handle, wanted.sound_set, error)
            except BadWav as error:
                _log.warning("sound %s of set %d cannot be played: %s", *wanted[:2], error)
        return self._files.say(USUAL.get(wanted.handle, ()), wanted.language)
