"""Subscribers, numbers and domains from memory; what memory does not know is asked for, many at a time.

What is remembered is true for `lifetime` seconds, or until a writer says that it changed (`drop`). A database
that does not answer leaves us with what we knew: calls go on. Who is unknown is remembered for a moment only.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from ngcp.provisioning.changes import CREDIT, TARIFF
from ngcp.provisioning.rating.profiles import Known
from ngcp.provisioning.runtime import (
    ANYWHERE,
    Credit,
    DatabaseUnavailable,
    Name,
    Platform,
    Ported,
    Subscriber,
)
from ngcp.sip.syntax import Uri

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

    async def platform(self) -> Platform:
        """Return what all calls share."""

    async def subscribers(self, names: Collection[Name]) -> Mapping[Name, Subscriber]:
        """Return the subscribers of these names, as far as there are any."""

    async def owners(self, numbers: Collection[Name]) -> Mapping[Name, Name]:
        """Return whom these numbers lead to; one in ANYWHERE leads to whoever has it in any domain."""

    async def named(self, uuids: Collection[Name]) -> Mapping[Name, Name]:
        """Return who has these UUIDs, each the user part of a name without domain, as far as anybody."""

    async def credits(self, contracts: Collection[Name]) -> Mapping[Name, Credit]:
        """Return what these customers have left, each the user part of a name without domain."""

    async def tariffs(self, profiles: Collection[Name]) -> Mapping[Name, Known]:
        """Return these billing profiles, each the user part of a name without domain."""

    async def ported(self, numbers: Collection[Name]) -> Mapping[Name, Ported]:
        """Return what is known of these numbers, whose domain is empty, as far as they were ported."""


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
        self._retry_at: float | None = None
        """When a database that did not answer is asked again."""
        self._batches: Batches[tuple[Name, Settle]] = Batches(self._learn, terms.spawn, MOST)

    def get(self, name: Name) -> Value | None:
        """Return what is known, None if there is nobody of that name, or raise `Unknown`."""
        now = self._terms.clock()
        entry = self._known.get(name)
        if entry is not None:
            if now < entry.good_until or self._is_held(name, now):
                return entry.value
        elif name in self._absent and (now < self._absent[name] or self._is_held(name, now)):
            return None
        raise Unknown(lambda settle: self._batches.add((name, settle)))

    def _is_held(self, name: Name, now: float) -> bool:
        """Tell whether the database is away: then what was known is true, and nobody waits for more."""
        if self._retry_at is None:
            return False
        if now >= self._retry_at:
            self._retry_at = now + RETRY
            self._batches.add((name, lambda error: None))
        return True

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
            self._retry_at = None
            if drops == self._drops:  # else it may be older than the change: whoever asked will ask again
                self._note(names, found)
        except DatabaseUnavailable as unavailable:
            error = unavailable
            self._retry_at = self._terms.clock() + RETRY
        except Exception as unexpected:  # a bug; whoever waits must not wait for ever
            _log.exception("the directory cannot tell")
            error = unexpected
        for name, settle in asked:
            settle(None if name in self._known or name in self._absent else error)

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


class Directory:
    """What the corridor asks; each question returns at once or raises `Unknown`."""

    def __init__(self, source: Source, terms: Terms) -> None:
        async def platform(names: Collection[Name]) -> Mapping[Name, Platform]:
            return dict.fromkeys(names, await source.platform())

        self._platform = _Shelf(platform, terms)
        self._subscribers = _Shelf(source.subscribers, terms)
        self._owners = _Shelf(source.owners, terms)
        self._named = _Shelf(source.named, terms)
        self._ported = _Shelf(source.ported, terms)
        self._credits = _Shelf(source.credits, terms)
        self._tariffs = _Shelf(source.tariffs, terms)

    def platform(self) -> Platform:
        """Return what all calls share."""
        platform = self._platform.get(_ALL)
        assert platform is not None, "there is always one"
        return platform

    def subscriber(self, user: str, domain: str) -> Subscriber | None:
        """Return the subscriber with that user name."""
        return self._subscribers.get(Name(user, domain))

    def called(self, uri: Uri) -> Subscriber | None:
        """Return the subscriber that a URI names, by user name or by number."""
        found = self.subscriber(uri.name, uri.host)
        return found or self.by_number(uri.name.removeprefix("+"), uri.host)

    def by_number(self, number: str, domain: str) -> Subscriber | None:
        """Return the subscriber that a number, E.164 without "+", leads to; ANYWHERE is any domain."""
        name = Name(number, domain)
        owner = self._owners.get(name)
        if owner is None:
            return None
        subscriber = self._subscribers.get(owner)
        key = number if domain in (ANYWHERE, owner.domain) else f"{number}@{domain}"
        if subscriber is None or key not in subscriber.aliases:  # it was taken away: whose is it now?
            self._owners.drop(name)
            self._owners.get(name)
        return subscriber

    def by_uuid(self, uuid: str) -> Subscriber | None:
        """Return the subscriber with that UUID."""
        name = self._named.get(Name(uuid, ""))
        subscriber = None if name is None else self._subscribers.get(name)
        return subscriber if subscriber is not None and subscriber.uuid == uuid else None

    def credit(self, contract: int) -> Credit | None:
        """Return what a customer who pays in advance had left when it was learnt."""
        return self._credits.get(Name(str(contract), ""))

    def tariff(self, profile: int) -> Known | None:
        """Return a billing profile."""
        return self._tariffs.get(Name(str(profile), ""))

    def ported(self, number: str) -> Ported | None:
        """Return what is known of a number, E.164 without "+", if it was ported."""
        return self._ported.get(Name(number, ""))

    def drop(self, changed: str) -> None:
        """Learn what was changed: `user@domain`, anything (`*`), or a word of `ngcp.provisioning.changes`.

        Any other word stands for what all calls share.
        """
        for beginning, shelf in ((CREDIT, self._credits), (TARIFF, self._tariffs)):
            if changed.startswith(beginning):
                shelf.drop(Name(changed.removeprefix(beginning), ""))
                return
            if changed == "*":
                shelf.drop()
        user, _, domain = changed.rpartition("@")
        if changed == "*":
            self._subscribers.drop()
        elif user:
            self._subscribers.drop(Name(user, domain.lower()))
        if not user:
            self._platform.drop()
            self._ported.drop()
        self._owners.drop(_ALL)


_ALL: Final = Name("", "")
