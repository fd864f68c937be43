"""The commands by which operators see and edit the tables of bans, named and answered as Kamailio's htable.

https://www.kamailio.org/docs/modules/stable/modules/htable.html#htable.r
"""

from collections.abc import Callable, Mapping

from ngcp.lb.expiring import Entry, ExpiringTable, Value
from ngcp.service.commands import CommandError, CommandTable, Json


class TableCommands:
    """Commands over tables, each by its name."""

    def __init__(self, tables: Mapping[str, ExpiringTable], clock: Callable[[], float]) -> None:
        """`clock` returns the time in which the tables live."""
        self._tables = tables
        self._clock = clock

    def add_to(self, commands: CommandTable) -> None:
        """Offer them all."""
        commands.add("htable.listTables", self.list_tables, "names and settings of all tables")
        commands.add("htable.stats", self.stats, "how full each table is")
        commands.add("htable.dump", self.dump, "TABLE: everything in it")
        commands.add("htable.get", self.get, "TABLE KEY: one entry, and the seconds it will still last")
        commands.add("htable.sets", self.set_text, "TABLE KEY TEXT: set an entry, for the table's time")
        commands.add("htable.seti", self.set_number, "TABLE KEY NUMBER: set an entry, for the table's time")
        commands.add("htable.delete", self.delete, "TABLE KEY: forget an entry")
        commands.add("htable.flush", self.flush, "TABLE: forget everything in it")

    def list_tables(self) -> Json:
        """Describe each table."""
        return [_settings(table) for table in self._tables.values()]

    def stats(self) -> Json:
        """Count the entries of each table."""
        rows: list[Json] = []
        for table in self._tables.values():
            count = len(table.items(self._clock()))
            rows.append({"name": table.name, "slots": table.limit, "all": count, "min": 0, "max": 1})
        return rows

    def dump(self, table: str) -> Json:
        """Return every entry, each in a slot of its own."""
        items = self._find(table).items(self._clock())
        return [
            {"entry": number, "size": 1, "slot": [_shown(key, entry)]}
            for number, (key, entry) in enumerate(items)
        ]

    def get(self, table: str, key: str) -> Json:
        """Return one entry."""
        found, now = self._find(table), self._clock()
        key = _key_of(found, key)
        if found.get(key, now) is None:
            raise CommandError(404, "Key name doesn't exist in htable.")
        entry = found.entries[key]
        flags = 2 if isinstance(entry.value, str) else 0  # AVP_VAL_STR
        item: dict[str, Json] = {"name": key, "value": entry.value, "flags": flags}
        return {"item": item | {"expire": round(entry.ends - now)}}

    def set_text(self, table: str, key: str, value: str | int) -> None:
        """Set an entry to a text."""
        self._set(table, key, str(value))

    def set_number(self, table: str, key: str, value: str | int) -> None:
        """Set an entry to a number."""
        try:
            number = int(value)
        except ValueError:
            raise CommandError(400, f"a number expected, found {value!r}") from None
        self._set(table, key, number)

    def delete(self, table: str, key: str) -> None:
        """Forget an entry; one that is not there is no error, as in Kamailio."""
        found = self._find(table)
        found.delete(_key_of(found, key))

    def flush(self, table: str) -> None:
        """Forget all entries."""
        self._find(table).flush()

    def _set(self, table: str, key: str, value: Value) -> None:
        found = self._find(table)
        found.set(_key_of(found, key), value, self._clock())

    def _find(self, name: str) -> ExpiringTable:
        table = self._tables.get(name)
        if table is None:
            raise CommandError(404, f"No such htable: {name}; there are: {', '.join(self._tables)}")
        return table


def _settings(table: ExpiringTable) -> Json:
    return {
        "name": table.name,
        "dbtable": "",
        "dbmode": 0,
        "expire": int(table.lifetime),
        "updateexpire": 1,
        "size": table.limit,
        "dmqreplicate": 0,
    }


def _shown(key: str, entry: Entry) -> Json:
    return {"name": key, "value": entry.value, "type": "str" if isinstance(entry.value, str) else "int"}


def _key_of(table: ExpiringTable, key: str | int) -> str:
    try:
        return table.key_of(str(key))
    except ValueError as error:
        raise CommandError(400, f"{key!r} is no key of htable {table.name}: {error}") from None
