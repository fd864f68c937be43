"""The catalogue in the database: what is missing or has changed is written, nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, delete, select
from sqlalchemy.dialects.mysql import insert

from ngcp.provisioning.preferences.catalogue import CATALOGUE, LEVELS, Attribute
from ngcp.provisioning.tables.preferences import (
    voip_preference_groups,
    voip_preferences,
    voip_preferences_enum,
)

#: `internal` as the platform has it.
_INTERNAL = {"internal": 1, "named": -1}


def seed_preferences(connection: Connection) -> Iterator[str]:
    """Make the tables of preferences say what the catalogue says; yield what was done."""
    groups = [{"name": name} for name in dict.fromkeys(one.group for one in CATALOGUE.values())]
    _put(connection, voip_preference_groups, "name", groups)
    numbers = _numbers(connection, voip_preference_groups, "name")
    rows = [_row(attribute, numbers) for attribute in CATALOGUE.values()]
    changed = _put(connection, voip_preferences, "attribute", rows)
    if changed:
        yield f"preferences: {changed} written"
    yield from _seed_choices(connection)


def _seed_choices(connection: Connection) -> Iterator[str]:
    numbers, columns = _numbers(connection, voip_preferences, "attribute"), voip_preferences_enum.c
    wanted = {
        (numbers[name], choice, int(choice == attribute.default))
        for name, attribute in CATALOGUE.items()
        for choice in attribute.choices
    }
    query = select(columns.preference_id, columns.value, columns.default_val)
    has = {(row[0], row[1], row[2]) for row in connection.execute(query)}
    if has == wanted:
        return
    connection.execute(delete(voip_preferences_enum))
    connection.execute(
        insert(voip_preferences_enum),
        [
            {"preference_id": number, "label": choice, "value": choice, "default_val": default}
            for number, choice, default in sorted(wanted)
        ],
    )
    yield f"values of preferences: {len(wanted)} written"


def _row(attribute: Attribute, groups: Mapping[str, int]) -> dict[str, Any]:
    levels = {f"{level}_pref": int(level in attribute.levels) for level in LEVELS.values()}
    return levels | {
        "attribute": attribute.name,
        "voip_preference_groups_id": groups[attribute.group],
        "label": attribute.name.replace("_", " "),
        "type": int(attribute.data_type in ("int", "boolean")),
        "max_occur": int(not attribute.is_list),
        "internal": _INTERNAL.get(attribute.access, 0),
        "expose_to_customer": int(attribute.is_exposed),
        "data_type": attribute.data_type,
        "read_only": int(not attribute.is_writable),
        "description": attribute.description,
    }


def _put(connection: Connection, table: Table, key: str, rows: Iterable[dict[str, Any]]) -> int:
    """Write those of `rows` that the table does not have like that; return how many."""
    has = {row[key]: row for row in connection.execute(select(table)).mappings()}
    missing = [row for row in rows if row.items() - has.get(row[key], {}).items()]
    if missing:
        statement = insert(table)
        changes = {name: statement.inserted[name] for name in missing[0] if name != key}
        connection.execute(
            statement.on_duplicate_key_update(changes or {key: statement.inserted[key]}), missing
        )
    return len(missing)


def _numbers(connection: Connection, table: Table, key: str) -> Mapping[str, int]:
    return {name: number for name, number in connection.execute(select(table.c[key], table.c.id))}
