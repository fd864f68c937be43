"""The calls that are alive, of every application: for operators, and for a stop that waits for them."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

from ngcp.service.commands import Json


class Held(Protocol):
    """A call that is alive."""

    @property
    def application(self) -> str:
        """The name of what serves it."""

    def describe(self, now: float) -> dict[str, Json]:
        """Return what operators see of it."""

    def end(self, now: float) -> None:
        """End it, whoever takes part in it."""


class Registry:
    """Calls by identifier, which is our tag on the caller's leg."""

    def __init__(self) -> None:
        self._calls: dict[str, Held] = {}
        self.emptied: Callable[[], None] = lambda: None
        """Called when the last call is gone."""

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Held]:
        return iter(list(self._calls.values()))

    def add(self, tag: str, call: Held) -> None:
        """Know a call."""
        self._calls[tag] = call

    def forget(self, tag: str) -> None:
        """Know it no more."""
        if self._calls.pop(tag, None) is not None and not self._calls:
            self.emptied()

    def find(self, tag: str) -> Held | None:
        """Return the call of an identifier."""
        return self._calls.get(tag)

    def describe(self, now: float, first: int, count: int) -> list[Json]:
        """Return what operators see of the calls from the `first` (0) on, the oldest first."""
        return [
            {"id": tag, "application": call.application, **call.describe(now)}
            for tag, call in islice(self._calls.items(), max(first, 0), max(first, 0) + max(count, 0))
        ]
