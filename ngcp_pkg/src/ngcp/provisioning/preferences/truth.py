"""What is set, in database `provisioning`, and the proxy's copy of it, in the same transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import CHAR, ColumnElement, Table, cast, delete, insert, literal, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.changes import REGISTRATIONS, note
from ngcp.provisioning.preferences.catalogue import CATALOGUE
from ngcp.provisioning.preferences.levels import Level, Owner
from ngcp.provisioning.preferences.values import Texts
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.tables.preferences import BLOBS, voip_preferences


async def read(
    connection: AsyncConnection, level: Level, owners: Collection[int]
) -> Mapping[int, Mapping[str, Texts]]:
    """Return what is set for each of `owners`, by their numbers in the truth."""
    truth, blobs = level.truth, BLOBS[level.name]
    query = (
        select(level.owner_column, voip_preferences.c.attribute, truth.c.value, blobs.c.value)
        .join_from(truth, voip_preferences, truth.c.attribute_id == voip_preferences.c.id)
        .outerjoin(blobs, blobs.c.preference_id == truth.c.id)
        .where(level.owner_column.in_(owners))
        .order_by(truth.c.id)
    )
    found: dict[int, dict[str, Texts]] = {owner: defaultdict(tuple) for owner in owners}
    for owner, attribute, value, blob in await connection.execute(query):
        found[owner][attribute] += (value if blob is None else blob.decode(),)
    return {owner: dict(values) for owner, values in found.items()}


async def write(connection: AsyncConnection, level: Level, owner: Owner, values: Mapping[str, Texts]) -> None:
    """Set these attributes, or unset those without values; the copy follows, and the change is noted."""
    if values:
        await keep(connection, level, owner.number, values)
        await publish(connection, level, owner, values.keys())
    if any(name.startswith("peer_auth_") for name in values):
        note(connection, REGISTRATIONS)


async def publish(
    connection: AsyncConnection, level: Level, owner: Owner, attributes: Collection[str] | None = None
) -> None:
    """Make the proxy's copy of these attributes, or all, what the truth or what is fixed is; note it."""
    truth, copy, names = level.truth, level.copy, voip_preferences.c
    await withdraw(connection, level, owner, attributes)
    chosen = (
        select(*(literal(value) for value in owner.copy.values()), names.attribute, names.type, truth.c.value)
        .join_from(truth, voip_preferences, truth.c.attribute_id == names.id)
        .where(level.owner_column == owner.number, names.data_type != "blob")
        .where(names.attribute.not_in(list(owner.fixed)), _is_one_of(names.attribute, attributes))
        .order_by(truth.c.id)
    )
    columns = [*owner.copy, "attribute", "type", "value"]
    await connection.execute(insert(copy).from_select(columns, chosen, include_defaults=False))
    for attribute, value in owner.fixed.items():
        if attributes is None or attribute in attributes:
            row = {**owner.copy, "attribute": attribute, "type": 1, "value": value}
            await connection.execute(insert(copy).values(**row))
    for name in owner.changes:
        note(connection, name)


async def withdraw(
    connection: AsyncConnection, level: Level, owner: Owner, attributes: Collection[str] | None = None
) -> None:
    """Take the proxy's copy of these attributes, or all, away."""
    mine = [level.copy.c[name] == value for name, value in owner.copy.items()]
    await connection.execute(delete(level.copy).where(*mine, _is_one_of(level.copy.c.attribute, attributes)))


async def sweep(connection: AsyncConnection, level: Level, owners: Table) -> None:
    """Take the proxy's copy of those away who are in `owners` no more: the truth went with them."""
    living = select(cast(owners.c.id, CHAR))
    await connection.execute(delete(level.copy).where(level.copy.c.uuid.not_in(living)))


async def keep(connection: AsyncConnection, level: Level, owner: int, values: Mapping[str, Texts]) -> None:
    """Set these attributes in the truth alone, or unset those without values."""
    if not values:
        return
    truth, attributes = level.truth, voip_preferences.c
    query = select(attributes.attribute, attributes.id).where(attributes.attribute.in_(list(values)))
    numbers = {name: number for name, number in await connection.execute(query)}
    mine = level.owner_column == owner
    await connection.execute(delete(truth).where(mine, truth.c.attribute_id.in_(numbers.values())))
    rows: list[dict[str, Any]] = []
    for name, texts in values.items():
        key = {level.owner_column.name: owner, "attribute_id": numbers[name]}
        if CATALOGUE[name].data_type == "blob":
            await _add_blobs(connection, level, key, texts)
        else:
            rows += [key | {"value": text} for text in texts]
    if rows:
        await connection.execute(insert(truth), rows)


async def _add_blobs(connection: AsyncConnection, level: Level, key: dict[str, Any], texts: Texts) -> None:
    for text in texts:
        number = await add_row(connection, level.truth, **key, value="")
        await add_row(connection, BLOBS[level.name], preference_id=number, value=text.encode())


def _is_one_of(column: ColumnElement[Any], attributes: Collection[str] | None) -> ColumnElement[bool]:
    return true() if attributes is None else column.in_(list(attributes))
