"""Subscribers, numbers and domains from memory; what memory does not know is asked for, many at a time.

What is remembered is true for `lifetime` seconds, or until a writer says that it changed (`drop`). A database
that does not answer leaves us with what we knew: calls go on. Who is unknown is remembered for a moment only.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from ngcp.provisioning.runtime import DatabaseUnavailable, Name, Subscriber

from .batches import Batches, Settle, Spawn

_log = logging.getLogger(__name__)

#: Subscribers, and numbers, that are remembered: some 800 bytes each.
SIZE: Final = 50_000
#: Unknown names that are remembered at a time, and for how many seconds: strangers invent them.
ABSENT_SIZE: Final = 10_000
ABSENT_LIFETIME: Final = 2.0
#: Seconds until a database that did not answer is asked again for what memory still knows.
RETRY: Final = 5.0
#: Questions asked in one go.
MOST: Final = 500

Value = TypeVar("Value")


class Source(Protocol):
    """Who knows: `ngcp.provisioning.runtime.Directory` in the daemon."""

    async def domains(self) -> frozenset[str]:
        """Return our domains."""

    async def subscribers(self, names: Collection[Name]) -> Mapping[Name, Subscriber]:
        """Return the subscribers of these names, as far as there are any."""

    async def owners(self, numbers: Collection[Name]) -> Mapping[Name, Name]:
        """Return whom these numbers lead to."""


class Unknown(Exception):
    """Memory does not know; have `learn` find out, and ask again."""

    def __init__(self, learn: Callable[[Settle], None]) -> None:
        super().__init__("not in memory")
        self.learn = learn
        """Call it with what is to be called once memory knows, or with the error if it cannot."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a directory remembers."""

    lifetime: float
    """Seconds for which what was learnt is true."""
    clock: Callable[[], float]
    """Monotonic seconds."""
    spawn: Spawn
    """Starts a coroutine."""


@dataclass(slots=True)
class _Entry(Generic[Value]):
    value: Value
    good_until: float


class _Shelf(Generic[Value]):
    """What is known of one kind of names; what was learnt first is the first to go."""

    def __init__(
        self, find: Callable[[Collection[Name]], Awaitable[Mapping[Name, Value]]], terms: Terms
    ) -> None:
        self._find = find
        self._terms = terms
        self._known: dict[Name, _Entry[Value]] = {}
        self._absent: dict[Name, float] = {}
        self._drops = 0
        self._batches: Batches[tuple[Name, Settle]] = Batches(self._learn, terms.spawn, MOST)

    def get(self, name: Name) -> Value | None:
        """Return what is known, None if there is nobody of that name, or raise `Unknown`."""
        now = self._terms.clock()
        entry = self._known.get(name)
        if entry is not None:
            if now < entry.good_until:
                return entry.value
        elif now < self._absent.get(name, now):
            return None
        raise Unknown(lambda settle: self._batches.add((name, settle)))

    def drop(self, name: Name | None = None) -> None:
        """Ask anew next time, for `name` or for all, and for everybody who was unknown."""
        self._drops += 1
        self._absent.clear()
        if name is None:
            self._known.clear()
        else:
            self._known.pop(name, None)

    async def _learn(self, asked: list[tuple[Name, Settle]]) -> None:
        names, drops = {name for name, _ in asked}, self._drops
        error: Exception | None = None
        try:
            found = await self._find(names)
            if drops == self._drops:  # else it may be older than the change: whoever asked will ask again
                self._note(names, found)
        except DatabaseUnavailable as unavailable:
            error = unavailable
            self._hold(names)
        except Exception as unexpected:  # a bug; whoever waits must not wait for ever
            _log.exception("the directory cannot tell")
            error = unexpected
        for name, settle in asked:
            settle(None if name in self._known else error)

    def _note(self, names: Iterable[Name], found: Mapping[Name, Value]) -> None:
        now = self._terms.clock()
        for name in names:
            self._known.pop(name, None)
            if name in found:
                self._known[name] = _Entry(found[name], now + self._terms.lifetime)
            else:
                if len(self._absent) >= ABSENT_SIZE:
                    self._absent.clear()
                self._absent[name] = now + ABSENT_LIFETIME
        while len(self._known) > SIZE:
            del self._known[next(iter(self._known))]

    def _hold(self, names: Iterable[Name]) -> None:
        """Live on with what was known."""
        retry_at = self._terms.clock() + RETRY
        for name in names:
            if name in self._known:
                self._known[name].good_until = retry_at


class Directory:
    """What the corridor asks; each question returns at once or raises `Unknown`."""

    def __init__(self, source: Source, terms: Terms) -> None:
        async def domains(names: Collection[Name]) -> Mapping[Name, frozenset[str]]:
            return dict.fromkeys(names, await source.domains())

        self._domains = _Shelf(domains, terms)
        self._subscribers = _Shelf(source.subscribers, terms)
        self._owners = _Shelf(source.owners, terms)

    def is_local_domain(self, domain: str) -> bool:
        """Tell whether we are responsible for `domain`, in lower case."""
        return domain in (self._domains.get(_ALL) or ())

    def subscriber(self, user: str, domain: str) -> Subscriber | None:
        """Return the subscriber with that user name."""
        return self._subscribers.get(Name(user, domain))

    def by_number(self, number: str, domain: str) -> Subscriber | None:
        """Return the subscriber that a number, E.164 without "+", leads to."""
        name = Name(number, domain)
        owner = self._owners.get(name)
        if owner is None:
            return None
        subscriber = self._subscribers.get(owner)
        key = number if domain == owner.domain else f"{number}@{domain}"
        if subscriber is None or key not in subscriber.aliases:  # it was taken away: whose is it now?
            self._owners.drop(name)
            self._owners.get(name)
        return subscriber

    def drop(self, changed: str) -> None:
        """Learn that `user@domain`, or a domain, or with `*` anything, was changed."""
        user, _, domain = changed.rpartition("@")
        if changed == "*":
            self._subscribers.drop()
        elif user:
            self._subscribers.drop(Name(user, domain.lower()))
        if not user:
            self._domains.drop()
        self._owners.drop(_ALL)


_ALL: Final = Name("", "")
