"""Where records wait: Redis, and the table `acc` that has what Redis lost; both usually have each record."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Final

from ngcp.provisioning.acc import AccRow
from ngcp.provisioning.mediation import MediationTables
from ngcp.state.acc import PAGE, AccEntries, Place, call_of
from ngcp.state.line import Store

from .closing import LiveDialog, dialog_of, names_of
from .entry import STOP, Entry, read
from .pool import Pool
from .portions import portions

#: Rows of `acc` that are looked at together.
ROWS: Final = 1000


class RedisSource:
    """Records in Redis."""

    def __init__(self, store: Store, entries: AccEntries) -> None:
        self.is_away = True
        self._store = store
        self._entries = entries
        self._known: set[str] = set()
        """Keys of records that wait in memory."""

    def forget_all(self) -> None:
        """Read everything anew."""
        self._known.clear()

    async def open(self) -> None:
        """Connect unless we are; raises StateUnavailable."""
        if self.is_away:
            await self._store.open()
            self.is_away = False

    async def new(self) -> AsyncIterator[list[Entry]]:
        """Yield records that are new, those of a call that is over together; raises StateUnavailable."""
        (methods,) = await self._store.ask([self._entries.methods()])
        seen: set[str] = set()
        for method in self._entries.read_methods(methods):
            cursor = "0"
            while True:
                (page,) = await self._store.ask([self._entries.scan(method, cursor)])
                cursor, keys = self._entries.read_page(page)
                seen.update(keys)
                for some in portions([*dict.fromkeys(keys)], PAGE):
                    yield await self._read(method, some)
                if cursor == "0":
                    break
        self._known &= seen

    async def _read(self, method: str, keys: Sequence[str]) -> list[Entry]:
        keys = [key for key in keys if key not in self._known]
        found = await self._fetch(keys)
        gone = [Place(key, call_of(key), method) for key in keys if key not in found]
        if gone:  # only an index has them
            await self._remove(gone)
        if method == STOP:
            calls = {entry.row.callid for entry in found.values()}
            answers = await self._store.ask(self._entries.of_calls(calls)) if calls else []
            members = {key for answer in answers for key in self._entries.read_keys(answer)}
            found |= await self._fetch([*(members - found.keys() - self._known)])
        self._known.update(found)
        return [*found.values()]

    async def _fetch(self, keys: Collection[str]) -> dict[str, Entry]:
        if not keys:
            return {}
        answers = await self._store.ask(self._entries.read(keys))
        rows = zip(keys, map(self._entries.fields, answers), strict=True)
        return {key: read(fields, key) for key, fields in rows if fields}

    async def forget(self, entries: Iterable[Entry]) -> None:
        """Take records away that were read here; raises StateUnavailable."""
        read_here = [entry for entry in entries if entry.redis_key]
        self._known.difference_update(entry.redis_key for entry in read_here)
        await self._remove(
            [Place(one.redis_key, call_of(one.redis_key), one.row.method) for one in read_here]
        )

    async def _remove(self, places: Collection[Place]) -> None:
        for some in portions(places, PAGE):
            await self._store.run(self._entries.forget(some))

    async def dialogs(self, entries: Iterable[Entry]) -> dict[tuple[str, ...], LiveDialog | None]:
        """Return the dialogs that the proxy has of calls, or that it has none; raises StateUnavailable."""
        found: dict[tuple[str, ...], LiveDialog | None] = {}
        for some in portions(entries, PAGE):
            names = [name for entry in some for name in names_of(entry)]
            (answer,) = await self._store.ask([self._entries.dialogs(names)])
            values = answer if isinstance(answer, list) else []
            texts = {name: text for name, text in zip(names, values, strict=False) if isinstance(text, str)}
            found |= {entry.key: dialog_of(entry, texts) for entry in some}
        return found

    def lose(self) -> None:
        """Learn that Redis is away; what was read there may be stored before it is back: it is read again."""
        self.is_away = True
        self._known.clear()


class TableSource:
    """Records in `kamailio.acc`: those that Redis did not bring within a round."""

    def __init__(self, tables: MediationTables, pool: Pool) -> None:
        self._tables = tables
        self._pool = pool
        self._known: set[int] = set()
        """Numbers of records that wait in memory."""
        self._noticed: set[int] = set()
        """Numbers that were there a round ago."""

    async def new(self) -> AsyncIterator[list[Entry]]:
        """Yield records that are new; raises DatabaseUnavailable."""
        seen: set[int] = set()
        after = 0
        while numbers := await self._tables.waiting(after, ROWS):
            after = numbers[-1]
            seen.update(numbers)
            ready = [number for number in numbers if number in self._noticed and number not in self._known]
            if ready:
                yield await self._read(ready)
            if len(numbers) < ROWS:
                break
        self._known &= seen
        self._noticed = seen

    async def _read(self, numbers: Collection[int]) -> list[Entry]:
        keys = await self._tables.keys(numbers)
        rows = await self._tables.records(
            [number for number, key in keys.items() if self._pool.find(key) is None]
        )
        self._known.update(numbers)
        return [read(fields) for fields in rows.values()]

    async def forget(self, entries: Iterable[Entry]) -> None:
        """Take records away, wherever they were read; raises DatabaseUnavailable."""
        rows: list[AccRow] = [entry.row for entry in entries]
        for some in portions(rows, PAGE):
            await self._tables.forget(some)
