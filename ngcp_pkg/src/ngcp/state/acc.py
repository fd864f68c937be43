"""Call records in Redis, as the mediator reads them and takes them away; `layout` says how they get there."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from .layout import CALLS, texts
from .line import Answer, Command

#: Records that are looked for at a time.
PAGE: Final = 500
_METHOD: Final = "acc:meth::"
_CALL: Final = "acc:cid::"
_ENTRY: Final = "acc:entry::"
_METHODS: Final = "acc::index::meth"
_CALLS: Final = "acc::index::cid"


class Place(NamedTuple):
    """A record, and what names it in the indexes."""

    key: str
    callid: str
    method: str


class AccEntries:
    """Commands for the database of call records, and for the dialogs that they are of."""

    def __init__(self, database: int, dialogs: int) -> None:
        self._database = database
        self._dialogs = dialogs

    def methods(self) -> Command:
        """Ask by which methods there are records; `read_methods` reads the answer."""
        return (self._database, "SMEMBERS", _METHODS)

    @staticmethod
    def read_methods(answer: Answer) -> list[str]:
        """Return the methods: BYE first, so that a stop record never hides a start that came before it."""
        found = (text.removeprefix(_METHOD) for text in texts(answer))
        return sorted(found, key=lambda method: (method != "BYE", method))

    def scan(self, method: str, cursor: str) -> Command:
        """Ask for some records' keys, from `cursor` on; `read_page` reads the answer."""
        return (self._database, "SSCAN", _METHOD + method, cursor, "COUNT", str(PAGE))

    @staticmethod
    def read_page(answer: Answer) -> tuple[str, list[str]]:
        """Return the next cursor — "0" after the last page — and keys."""
        if not isinstance(answer, list) or len(answer) != 2:
            return "0", []
        return str(answer[0]), texts(answer[1])

    def of_calls(self, callids: Iterable[str]) -> list[Command]:
        """Ask for the keys of all records of calls."""
        return [(self._database, "SMEMBERS", _CALL + callid) for callid in callids]

    def read(self, keys: Iterable[str]) -> list[Command]:
        """Ask for records."""
        return [(self._database, "HGETALL", key) for key in keys]

    @staticmethod
    def read_keys(answer: Answer) -> list[str]:
        """Return keys."""
        return texts(answer)

    @staticmethod
    def fields(answer: Answer) -> dict[str, str]:
        """Return a record's columns; none if it is gone."""
        words = texts(answer)
        return dict(zip(words[::2], words[1::2], strict=False))

    def forget(self, places: Iterable[Place]) -> list[Command]:
        """Take records away. A call of which some are left is found by their methods from then on."""
        return [
            command
            for key, callid, method in places
            for command in (
                (self._database, "DEL", key),
                (self._database, "SREM", _CALL + callid, key),
                (self._database, "SREM", _METHOD + method, key),
                (self._database, "SREM", _CALLS, _CALL + callid),
            )
        ]

    def dialogs(self, names: Sequence[str]) -> Command:
        """Ask for the dialogs of calls, as the proxy keeps them."""
        return (self._dialogs, "HMGET", CALLS, *names)


def call_of(key: str) -> str:
    """Return the Call-ID in a record's key."""
    return key.removeprefix(_ENTRY).rsplit(":", 2)[0]
