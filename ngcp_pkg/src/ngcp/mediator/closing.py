"""Calls without a stop record: how it is known that they are over, and when they were.

While Redis has a call's dialog, the proxy looks after it; once its session timer or longest duration has run
out all the same, nobody does. A dialog that is gone without a stop record was lost: the call is taken to have
ended when the dialog was last seen, unless a stop record comes in time. What is known of a call by its start
record alone lasts as long as calls may. Waiting is measured by the clock that nobody sets.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from .entry import Entry, Key
from .legs import Closing, End

#: Seconds that the proxy may take to end a call, and its record to come.
GRACE: Final = 60.0


class Moment(NamedTuple):
    """Now, by both clocks: seconds."""

    monotonic: float
    unix: float


@dataclass(frozen=True, slots=True)
class LiveDialog:
    """What the proxy keeps of an answered call."""

    tags: frozenset[str]
    ends: float
    """Unix time at which the call is ended."""
    session_ends: float
    """Unix time at which it is ended unless somebody refreshes the session; 0 for never."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the proxy's text; raises ValueError."""
        try:
            values = json.loads(text)
            tags = frozenset((str(values["caller"][1]), str(values["callee"][1])))
            return cls(tags, float(values["ends"]), float(values["session_ends"]))
        except (LookupError, TypeError) as error:
            raise ValueError(f"no dialog: {error!r}") from error

    @property
    def deadline(self) -> tuple[float, Closing]:
        """When it is over at the latest, and why then."""
        if self.session_ends and self.session_ends < self.ends:
            return self.session_ends, "session"
        return self.ends, "maximum"


@dataclass(slots=True)
class Watch:
    """What has been seen of one call."""

    deadline: float = 0.0
    """Unix time."""
    closing: Closing = "maximum"
    due: float = 0.0
    """Monotonic time at which the deadline is over, and some more."""
    seen: float = 0.0
    """Unix time at which its dialog was there; 0: never."""
    gone: float | None = None
    """Monotonic time since when it is not."""

    def expect(self, deadline: float, closing: Closing, now: Moment) -> None:
        """Wait for a deadline, if it is another one."""
        if deadline != self.deadline:
            self.deadline, self.closing = deadline, closing
            self.due = now.monotonic + max(deadline - now.unix, 0.0) + GRACE


class Closer:
    """Watches open calls."""

    def __init__(self, longest: float, patience: float) -> None:
        """`longest`: seconds that a call lasts at most; `patience`: how long a lost one's stop may take."""
        self._longest = longest
        self._patience = patience
        self._watches: dict[Key, Watch] = {}

    def keep(self, keys: Collection[Key]) -> None:
        """Forget all calls but these."""
        self._watches = {key: watch for key, watch in self._watches.items() if key in keys}

    def look(self, entry: Entry, dialog: LiveDialog | None, now: Moment) -> End | None:
        """Return when a call was over, if it is; Redis answered that it has this dialog, or none."""
        watch = self._watches.setdefault(entry.key, Watch())
        if dialog is not None and dialog.tags == entry.dialog.tags:
            watch.seen, watch.gone = now.unix, None
            watch.expect(*dialog.deadline, now)
        elif watch.seen:
            watch.gone = now.monotonic if watch.gone is None else watch.gone
            if now.monotonic - watch.gone >= self._patience:
                return _end(watch.seen, "dialog")
            return None
        else:
            watch.expect(entry.ms / 1000 + self._longest, "maximum", now)
        return _end(watch.deadline, watch.closing) if now.monotonic >= watch.due else None

    def look_blindly(self, entry: Entry, now: Moment) -> End | None:
        """Do the same while Redis is away: nobody knows whether a session was refreshed."""
        watch = self._watches.setdefault(entry.key, Watch())
        if watch.seen:
            return None
        watch.expect(entry.ms / 1000 + self._longest, "maximum", now)
        return _end(watch.deadline, watch.closing) if now.monotonic >= watch.due else None

    def explain(self, entry: Entry, now: Moment) -> tuple[str, float] | None:
        """Say what a call waits for, and seconds until it is given up; None: it goes on as it should."""
        watch = self._watches.get(entry.key)
        if watch is None or (watch.seen and watch.gone is None):
            return None
        if watch.gone is not None:
            return (
                "its dialog is gone, and there is no stop record",
                watch.gone + self._patience - now.monotonic,
            )
        return "nobody knows its dialog, and there is no stop record", watch.due - now.monotonic


def _end(unix: float, closing: Closing) -> End:
    return End(round(unix * 1000), closing)


def names_of(entry: Entry) -> tuple[str, str]:
    """Return the names under which the proxy may keep a call: the second one if its Call-ID was taken."""
    row = entry.row
    return row.callid, f"{row.callid};{row.from_tag}"


def dialog_of(entry: Entry, texts: Mapping[str, str]) -> LiveDialog | None:
    """Return the dialog of a call, if it is among those that Redis has, by name."""
    for name in names_of(entry):
        try:
            found = LiveDialog.read(texts[name]) if name in texts else None
        except ValueError:
            found = None
        if found is not None and found.tags == entry.dialog.tags:
            return found
    return None
