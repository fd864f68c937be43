"""A table whose entries end by themselves and whose size is bounded: what Kamailio calls an htable.

Keys, values and `now` come in; there is no clock in it. Every process of a daemon has its own copy: `changed`
tells what was changed here, `apply` takes in what was changed elsewhere.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

Value: TypeAlias = int | str
#: Key, new value (None: it is gone) and when that ends.
Changed: TypeAlias = Callable[[str, Value | None, float], None]

#: Entries of a table: some 3 MB, and a tenth of a second to show them all.
LIMIT: Final = 16_384


class Entry(NamedTuple):
    """A value, and the time from which on it is none."""

    value: Value
    ends: float


class ExpiringTable:
    """The newest `limit` entries of one name; where there is no room, the entry that was set first goes."""

    def __init__(
        self, name: str, lifetime: float, limit: int = LIMIT, key_of: Callable[[str], str] = str
    ) -> None:
        """Let entries last `lifetime` seconds from when they were last set.

        `key_of` returns the one spelling of a key that an operator writes, or raises `ValueError`.
        """
        self.name = name
        self.lifetime = lifetime
        self.limit = limit
        self.key_of = key_of
        self.changed: Changed = lambda key, value, ends: None
        """Called with every change that was made here; not with an entry's end, which comes everywhere."""
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self.entries: Final[Mapping[str, Entry]] = self._entries
        """All of them, those that have ended included: what a hot path looks into before it asks `get`."""

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str, now: float) -> Value | None:
        """Return the value of a key, None if there is none or it has ended."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if now >= entry.ends:
            del self._entries[key]
            return None
        return entry.value

    def items(self, now: float) -> list[tuple[str, Entry]]:
        """Return all entries that have not ended, those set first at the beginning."""
        return [(key, entry) for key, entry in self._entries.items() if now < entry.ends]

    def set(self, key: str, value: Value, now: float) -> None:
        """Give a key a value for the table's lifetime."""
        self._drop_ended(now)
        ends = now + self.lifetime
        self.apply(key, value, ends)
        self.changed(key, value, ends)

    def delete(self, key: str) -> bool:
        """Forget a key; return whether it was there."""
        if self._entries.pop(key, None) is None:
            return False
        self.changed(key, None, 0.0)
        return True

    def flush(self) -> None:
        """Forget everything."""
        for key in list(self._entries):
            self.delete(key)

    def apply(self, key: str, value: Value | None, ends: float) -> None:
        """Make a change that was made elsewhere, as its `changed` told it: nobody is told again."""
        self._entries.pop(key, None)
        if value is None:
            return
        while len(self._entries) >= self.limit:
            self._entries.popitem(last=False)
        self._entries[key] = Entry(value, ends)

    def _drop_ended(self, now: float) -> None:
        """Entries stand in the order in which they end, as they all last equally long."""
        while self._entries and next(iter(self._entries.values())).ends <= now:
            self._entries.popitem(last=False)
