"""Messages that are being recorded, in files: a loss of power takes the last second of each, and no more.

A file is a line of JSON that says whose message it is, and behind it pieces of its tape, each with a
checksum; it ends with the last piece that is whole. What is new is written and synced about once a second,
all recordings in one go and never by who serves the calls: on a slow disk it is less often.
"""

import json
import logging
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple
from zlib import crc32

from ngcp.audio import wav
from ngcp.provisioning.voicemail import Recording
from ngcp.service.durable import sync_directory
from ngcp.voice.speech import SPEECH
from ngcp.voice.tape import RATE, Piece, Tape

#: How the name of such a file ends.
DRAFT: Final = ".draft"
#: Who may read it.
MODE: Final = 0o600
#: The checksum of all that follows.
_SUM: Final = struct.Struct("!I")
#: Bytes of payload, part, payload type, place, samples of speech.
_HEAD: Final = struct.Struct("!IHBII")
_CODECS: Final = {speech.payload_type: speech.name for speech in SPEECH.values()}

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Draft:
    """One recording."""

    about: Recording
    """The message, as yet without sound."""
    tape: Tape
    size: int = 0
    """Bytes of its file; 0: there is none yet."""
    has_ended: bool = False
    """Whether nothing more comes onto its tape."""
    is_over: bool = False
    """Whether nothing more is to be written."""


class Entry(NamedTuple):
    """What is to be written of one recording."""

    draft: Draft
    news: bytes


class Drafts:
    """One directory of ours. What touches the disk may take a while: call it from a thread."""

    def __init__(self, directory: Path, most: int, shortest: float) -> None:
        """Write `most` bytes altogether; below so many seconds of speech there is no message."""
        self._directory, self._most, self._shortest = directory, most, shortest
        self._drafts: dict[str, Draft] = {}
        self._disk = Lock()

    # Without the disk

    def begin(self, about: Recording, tape: Tape) -> None:
        """Write down what comes onto a tape from now on."""
        self._drafts[about.key] = Draft(about, tape)

    def end(self, key: str) -> None:
        """Write down the rest of it."""
        if key in self._drafts:
            self._drafts[key].has_ended = True

    def forget(self, key: str) -> None:
        """Write no more of it; `drop` removes its file."""
        draft = self._drafts.pop(key, None)
        if draft is not None:
            draft.is_over = True

    def collect(self) -> Sequence[Entry]:
        """Return what is new, for `write`; what finds no room ends where it is."""
        drafts = list(self._drafts.values())
        room = self._most - sum(draft.size for draft in drafts)
        entries = []
        for draft in drafts:
            if draft.is_over:
                continue
            news = b"".join(map(_pack, draft.tape.news()))
            entry = Entry(draft, news if draft.size else _title(draft.about) + news)
            draft.is_over = draft.has_ended
            if len(entry.news) <= room:
                room -= len(entry.news)
                draft.size += len(entry.news)
                entries.append(entry)
            else:
                _log.warning("a message for %s is recorded in memory only", draft.about.mailbox)
                draft.is_over = True
        return entries

    # With it

    def write(self, entries: Iterable[Entry]) -> None:
        """Write it all, so that it is there whatever happens."""
        is_first = False
        for draft, news in entries:
            key = draft.about.key
            try:
                with self._disk:
                    if self._drafts.get(key) is draft:
                        is_first |= _append(self._path(key), news)
            except OSError as error:
                _log.error("a message for %s is recorded in memory only: %s", draft.about.mailbox, error)
                draft.is_over = True
        if is_first:
            sync_directory(self._directory)

    def drop(self, key: str) -> None:
        """Remove the file of a message that is safe elsewhere, or none."""
        with self._disk:
            try:
                self._path(key).unlink()
            except FileNotFoundError:
                return
        sync_directory(self._directory)

    def find(self) -> Iterator[tuple[str, Recording | None]]:
        """Return what a crash has left, by key, the oldest first; None: it is no message."""
        paths = sorted(self._directory.glob(f"*{DRAFT}"), key=lambda path: path.stat().st_mtime)
        for path in paths:
            try:
                yield path.stem, self._read(path.read_bytes())
            except OSError as error:
                _log.error("what was recorded cannot be read: %s", error)

    def _read(self, content: bytes) -> Recording | None:
        title, _, rest = content.partition(b"\n")
        try:
            about = Recording(**json.loads(title), wav=b"")
        except (ValueError, TypeError):
            return None
        tape = Tape(0.0, 0)
        with suppress(ValueError):  # a piece that does not fit is torn, too
            for piece in _pieces(rest):
                tape.splice(piece)
        if tape.spoken < self._shortest * RATE:
            return None
        return replace(about, duration=round(len(tape) / RATE), wav=wav.write(tape.samples()))

    def _path(self, key: str) -> Path:
        return self._directory / f"{key}{DRAFT}"


def _append(path: Path, news: bytes) -> bool:
    """Write behind what there is, and tell whether there was nothing; a part of it is none of it."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, MODE)
    try:
        before = os.fstat(descriptor).st_size
        if os.write(descriptor, news) != len(news):
            os.ftruncate(descriptor, before)
            raise OSError(f"no room for {path}")
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    return before == 0


def _title(about: Recording) -> bytes:
    facts = asdict(about)
    del facts["wav"]
    return json.dumps(facts).encode() + b"\n"


def _pack(piece: Piece) -> bytes:
    kind = SPEECH[piece.codec].payload_type
    body = _HEAD.pack(len(piece.sound), piece.part, kind, piece.place, piece.spoken) + piece.sound
    return _SUM.pack(crc32(body)) + body


def _pieces(content: bytes) -> Iterator[Piece]:
    """Return the pieces up to the first that is torn."""
    place, least = 0, _SUM.size + _HEAD.size
    while place + least <= len(content):
        (checksum,) = _SUM.unpack_from(content, place)
        size, part, kind, where, spoken = _HEAD.unpack_from(content, place + _SUM.size)
        end = place + least + size
        if end > len(content) or crc32(content[place + _SUM.size : end]) != checksum:
            return
        yield Piece(part, _CODECS.get(kind, ""), where, content[place + least : end], spoken)
        place = end
