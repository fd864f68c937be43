"""Records that wait for each other: starts for their stop, stops for their starts.

An INVITE's record that says 200 begins a call, a BYE's ends it; both have its tags. All records of one
INVITE, one for each leg, end together. Any other INVITE's record is a call of its own that is over. Whatever
the order in which records come: a call is complete once its stop record and one of its starts are here, and
a start that comes later finds the stop record among those that are done.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ngcp.provisioning.acc import AccRow
from ngcp.provisioning.mediation import Done

from .entry import ANSWERED, START, STOP, Dialog, Entry, name_of
from .legs import End

SURPLUS: Final = "the call has ended already"
ALONE: Final = "there is no start record"
NO_METHOD: Final = "no INVITE and no BYE"


@dataclass(slots=True)
class Finished:
    """What is stored together: the legs of a call that is over, or records that nothing can be made of."""

    starts: list[Entry] = field(default_factory=list)
    end: End | None = None
    """Of an answered call."""
    stop: Entry | None = None
    trash: list[tuple[Entry, str]] = field(default_factory=list)

    @property
    def entries(self) -> list[Entry]:
        """All its records that have not been stored yet."""
        stops = [self.stop] if self.stop and not self.stop.is_done else []
        return [*self.starts, *stops, *(entry for entry, _ in self.trash)]


@dataclass(slots=True)
class Waiting:
    """A record, and since when it waits (monotonic time)."""

    entry: Entry
    since: float


@dataclass(slots=True)
class Group:
    """What waits of the calls of one name."""

    starts: list[Waiting] = field(default_factory=list)
    stops: list[Waiting] = field(default_factory=list)

    def __iter__(self) -> Iterator[Waiting]:
        yield from self.starts
        yield from self.stops


class Pool:
    """What waits."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}
        self._touched: set[str] = set()
        self._finished: list[Finished] = []
        self._keys: dict[tuple[str, ...], Entry] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Waiting]:
        for group in self._groups.values():
            yield from group

    def find(self, key: tuple[str, ...]) -> Entry | None:
        """Return the record that waits under that key."""
        return self._keys.get(key)

    @property
    def open(self) -> list[Waiting]:
        """Calls that were answered and have no stop record, leg by leg."""
        return [waiting for group in self._groups.values() for waiting in group.starts]

    @property
    def lone(self) -> list[Waiting]:
        """Stop records without a start."""
        return [one for group in self._groups.values() for one in group.stops if not one.entry.is_done]

    def add(self, entry: Entry, done: Iterable[Done], now: float) -> None:
        """Take a record that is not done; `done` are those that are, of the same call."""
        self._keys[entry.key] = entry
        if entry.problem:
            self._finished.append(Finished(trash=[(entry, entry.problem)]))
        elif entry.is_stop:
            self._add_stop(entry, done, now)
        elif entry.is_answered:
            group = self._groups.setdefault(entry.name, Group())
            group.starts.append(Waiting(entry, now))
            group.stops += [Waiting(stop, now) for stop in _stops_of(entry, done)]
            self._touched.add(entry.name)
        elif entry.row.method == START:
            self._finished.append(Finished([entry]))
        else:
            self._finished.append(Finished(trash=[(entry, NO_METHOD)]))

    def _add_stop(self, entry: Entry, done: Iterable[Done], now: float) -> None:
        if any(one.sip_code == ANSWERED and _is_start_of(one, entry) for one in done):
            # One more leg may still come; it will look for the stop record where it is now.
            self._finished.append(Finished(trash=[(entry, SURPLUS)]))
            return
        self._groups.setdefault(entry.name, Group()).stops.append(Waiting(entry, now))
        self._touched.add(entry.name)

    def take(self) -> list[Finished]:
        """Return what is over; it waits no longer."""
        for name in self._touched:
            group = self._groups.get(name)
            if group is not None:
                self._pair(name, group)
        self._touched.clear()
        finished, self._finished = self._finished, []
        for one in finished:
            for entry in one.entries:
                self._keys.pop(entry.key, None)
        return finished

    def close(self, entry: Entry, end: End) -> None:
        """End a call without a stop record: the one leg that this start is."""
        self._drop(entry)
        self._finished.append(Finished([entry], end))

    def discard(self, entry: Entry, reason: str) -> None:
        """Give up on a record."""
        self._drop(entry)
        self._finished.append(Finished(trash=[(entry, reason)]))

    def forget(self, entry: Entry) -> None:
        """Drop a record that somebody else used meanwhile."""
        self._drop(entry)
        self._keys.pop(entry.key, None)

    def _drop(self, entry: Entry) -> None:
        group = self._groups.get(entry.name)
        if group is not None:
            group.starts = [one for one in group.starts if one.entry is not entry]
            group.stops = [one for one in group.stops if one.entry is not entry]
            self._tidy(entry.name, group)

    def _tidy(self, name: str, group: Group) -> None:
        if not group.starts and all(one.entry.is_done for one in group.stops):
            self._groups.pop(name, None)

    def _pair(self, name: str, group: Group) -> None:
        dialogs: dict[Dialog, list[Entry]] = {}
        for one in group.starts:
            dialogs.setdefault(one.entry.dialog, []).append(one.entry)
        for dialog, starts in dialogs.items():
            stops = [one.entry for one in group.stops if _ends(one.entry, dialog, alone=len(dialogs) == 1)]
            if not stops:
                continue
            stop = _best(starts, stops)
            over = [(one, SURPLUS) for one in stops if one is not stop and not one.is_done]
            self._finished.append(Finished(starts, End(stop.ms), stop, over))
            gone = {id(entry) for entry in (*starts, *stops)}
            group.starts = [one for one in group.starts if id(one.entry) not in gone]
            group.stops = [one for one in group.stops if id(one.entry) not in gone]
        self._tidy(name, group)


def _ends(stop: Entry, dialog: Dialog, *, alone: bool) -> bool:
    """Tell whether a stop record is a dialog's; on the other side of the B2BUA it has other tags."""
    return stop.dialog == dialog or (stop.is_suffixed and alone)


def _best(starts: Sequence[Entry], stops: Sequence[Entry]) -> Entry:
    """Return the first stop record after the starts; if the clock was set back meanwhile, the last one."""
    begun = max(entry.ms for entry in starts)
    later = [stop for stop in stops if stop.ms >= begun]
    return min(later, key=lambda stop: stop.ms) if later else max(stops, key=lambda stop: stop.ms)


def _is_start_of(one: Done, stop: Entry) -> bool:
    if one.method != START or name_of(one.callid) != stop.name:
        return False
    return stop.is_suffixed or {one.from_tag, one.to_tag} == stop.dialog.tags


def _stops_of(start: Entry, done: Iterable[Done]) -> Iterator[Entry]:
    """Yield the stop records of a call that have ended other legs of it."""
    for one in done:
        if one.method == STOP and name_of(one.callid) == start.name:
            row = AccRow(
                STOP, one.from_tag, one.to_tag, one.callid, one.sip_code, "", "", one.time_hires
            )._replace(branch_id=one.branch_id)
            yield Entry(row, is_done=True)
