"""Where the media relay keeps its running calls: one hash, each call's state by Call-ID.

| database | key | value |
|---|---|---|
| the relay's own, 1 | `calls` | hash: each running call's state by Call-ID |
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from .line import Command

CALLS: Final = "calls"
#: Its number, unless the operator says another.
DATABASE: Final = 1


class RunningCalls:
    """Commands for the hash in one database."""

    def __init__(self, database: int = DATABASE) -> None:
        self.database = database

    def write(self, states: Mapping[str, str], ended: Iterable[str]) -> list[Command]:
        """Keep some hundred calls' states, and forget those that ended."""
        gone = [*ended]
        commands: list[Command] = []
        if states:
            commands.append(
                (self.database, "HSET", CALLS, *(text for pair in states.items() for text in pair))
            )
        if gone:
            commands.append((self.database, "HDEL", CALLS, *gone))
        return commands

    def look(self) -> list[Command]:
        """Ask for the Call-IDs of all that is kept, a list of texts."""
        return [(self.database, "HKEYS", CALLS)]

    def read(self, call_ids: Sequence[str]) -> list[Command]:
        """Ask for some hundred calls' states, a list of texts in this order."""
        return [(self.database, "HMGET", CALLS, *call_ids)]
