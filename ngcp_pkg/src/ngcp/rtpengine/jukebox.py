"""Music on hold from files and from sound sets in MariaDB, remembered for a while."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ngcp.audio.wav import BadWav, samples_of
from ngcp.provisioning.line import StatementRefused
from ngcp.provisioning.runtime import DatabaseUnavailable

from .flags import Music

_log = logging.getLogger(__name__)

#: Seconds of music at most, and how many pieces are remembered.
LONGEST: Final = 600.0
REMEMBERED: Final = 16
#: Seconds after which a sound set is looked at once more, and after which it is when MariaDB was away.
FRESH: Final = 300.0
SOON: Final = 10.0

ReadFile = Callable[[str], bytes]
"""Returns the content of a file below the directory of sounds; raises OSError."""
Fetch = Callable[[int], Awaitable[bytes | None]]
"""Returns the music of a sound set, None if it has none; raises DatabaseUnavailable."""
Spawn = Callable[[Coroutine[None, None, None]], None]


@dataclass(slots=True)
class _Record:
    """What a sound set has; None: nothing of its own."""

    samples: bytes | None
    until: float


class Shelf:
    """All music (a `music.Jukebox`)."""

    def __init__(
        self, read_file: ReadFile, usual: str, fetch: Fetch | None, spawn: Spawn, clock: Callable[[], float]
    ) -> None:
        """`usual` is the file for whoever has none of his own; without `fetch` nobody has."""
        self._fetch, self._spawn, self._clock = fetch, spawn, clock
        self._read_file = read_file
        self._usual = usual
        self._files = lru_cache(REMEMBERED)(self._read)
        self._records: OrderedDict[int, _Record] = OrderedDict()
        self._fetching: set[int] = set()

    def prepare(self, music: Music) -> None:
        """Fetch what is not at hand, or was some time ago."""
        number = music.sound_set
        record = self._records.get(number)
        is_fresh = record is not None and record.until > self._clock()
        if self._fetch is not None and number and not is_fresh and number not in self._fetching:
            self._fetching.add(number)
            self._spawn(self._bring(number, self._fetch))

    def samples(self, music: Music) -> bytes | None:
        """Return what is heard: of the set, else of the file, else of the usual one."""
        if self._fetch is not None and music.sound_set:
            record = self._records.get(music.sound_set)
            if record is None:
                self.prepare(music)
                return None
            if record.samples is not None:
                return record.samples
        name = music.file or self._usual
        return self._files(name) if name else None

    async def _bring(self, number: int, fetch: Fetch) -> None:
        record = _Record(None, self._clock() + FRESH)
        try:
            wav = await fetch(number)
            record.samples = samples_of(wav, LONGEST) if wav is not None else None
        except BadWav as error:
            _log.warning("music on hold of sound set %d cannot be played: %s", number, error)
        except (DatabaseUnavailable, StatementRefused) as error:
            known = self._records.get(number)
            record = _Record(known.samples if known else None, self._clock() + SOON)
            _log.warning("music on hold of sound set %d: %s", number, error)
        finally:
            self._fetching.discard(number)
        self._records[number] = record
        self._records.move_to_end(number)
        if len(self._records) > REMEMBERED:
            self._records.popitem(last=False)

    def _read(self, name: str) -> bytes | None:
        try:
            return samples_of(self._read_file(name), LONGEST)
        except (OSError, BadWav) as error:
            _log.warning("music on hold %.200r cannot be played: %s", name, error)
            return None
