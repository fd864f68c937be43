"""Who tries too many PINs is heard no more for a while, and for longer each time he comes back.

Tries are counted for what is tried, a mailbox, and for who tries, a caller; a try from the mailbox's own
telephone counts for that telephone alone, so that nobody else can lock its owner out. All this is kept in
memory, of the `MOST` that were seen last: a restart forgets it, which whoever restarts may want.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

#: Wrong PINs until it is locked, and seconds in which they count.
TRIES: Final = 9
WINDOW: Final = 3600.0
#: Seconds that it is locked: for the first time, and at most; each time twice as long as before.
SHORTEST: Final = 900.0
LONGEST: Final = 86_400.0
#: Seconds without a wrong PIN after which all is forgotten.
MEMORY: Final = 7 * 86_400.0
#: How many are remembered.
MOST: Final = 20_000


class Locked(NamedTuple):
    """Somebody, or some mailbox, that is locked."""

    name: str
    seconds: float
    """How long it will be."""


@dataclass(slots=True)
class _Record:
    wrong: int = 0
    since: float = 0.0
    last: float = 0.0
    until: float = 0.0
    times: int = 0


class Lockout:
    """One for each process."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def is_locked(self, names: Collection[str], now: float) -> bool:
        """Tell whether one of these is."""
        return any(self._find(name).until > now for name in names)

    def fail(self, names: Collection[str], now: float) -> Locked | None:
        """Count a wrong PIN for each; return which of them is locked by it."""
        locked = None
        for name in names:
            record = self._count(name, now)
            if record.wrong >= TRIES:
                seconds = min(SHORTEST * 2**record.times, LONGEST)
                record.wrong, record.times, record.until = 0, record.times + 1, now + seconds
                locked = Locked(name, seconds)
        return locked

    def succeed(self, names: Collection[str]) -> None:
        """Count anew; how long the next lock is stays remembered, as the PIN may not have been guessed."""
        for name in names:
            self._find(name).wrong = 0

    def unlock(self, name: str) -> bool:
        """Forget everything of a name; False: it is not remembered."""
        return self._records.pop(name, None) is not None

    def locked(self, now: float) -> Iterator[Locked]:
        """Yield what is locked now."""
        for name, record in self._records.items():
            if record.until > now:
                yield Locked(name, record.until - now)

    def _find(self, name: str) -> _Record:
        return self._records.get(name) or _Record()

    def _count(self, name: str, now: float) -> _Record:
        record = self._records.pop(name, None)
        if record is None or now - max(record.last, record.until) > MEMORY:
            record = _Record()
        self._records[name] = record
        if len(self._records) > MOST:
            self._forget_one(now)
        if now - record.since > WINDOW:
            record.wrong, record.since = 0, now
        record.wrong, record.last = record.wrong + 1, now
        return record

    def _forget_one(self, now: float) -> None:
        """Forget who has been quiet for longest, rather one that is not locked."""
        free = (name for name, record in self._records.items() if record.until <= now)
        del self._records[next(free, next(iter(self._records)))]
