"""Entities that are rows of one table: a subclass names it, and adds what a change takes beside."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from sqlalchemy import Column, Select, Table, delete, select, update
from sqlalchemy.dialects.mysql import TINYINT
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.changes import note
from ngcp.provisioning.preferences.references import refuse_if_named
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.resellers import reseller_or_first
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Ended, Entity, Store, Values

#: What the proxy is told that was changed if all calls share it: whatever is no `user@domain`.
PLATFORM = "platform"

Columns: TypeAlias = Mapping[str, Column[Any]]


class RecordStore(Store):
    """One row is one entity; whatever is changed is announced as the `platform`."""

    table: ClassVar[Table]
    renamed: ClassVar[Mapping[str, str]] = {}
    """Columns that operators know by another name, and that name."""
    hidden: ClassVar[frozenset[str]] = frozenset()
    """Columns that are no fields."""
    fixed: ClassVar[tuple[str, ...]] = ()
    """Fields that stay as they were made."""

    def columns(self) -> Columns:
        """Return the columns by field."""
        columns = [column for column in self.table.c if column.name not in self.hidden]
        return {self.renamed.get(column.name, column.name): column for column in columns}

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return select(*(column.label(field) for field, column in self.columns().items()))

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Tell flags as such."""
        flags = [field for field, column in self.columns().items() if _is_flag(column)]
        return [entity | {field: bool(entity[field]) for field in flags} for entity in entities]

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`."""
        values = await self.prepare(connection, values, None)
        number = await add_row(connection, self.table, **self.row(values))
        await self.publish(connection, {**values, "id": number})
        return number

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`."""
        for field in self.fixed:
            if values[field] not in (None, entity[field]):
                raise InvalidValue(field, values[field], "cannot be changed")
        kept = {field: entity[field] for field in self.fixed}
        values = await self.prepare(connection, {**values, **kept}, entity)
        here = self.table.c.id == entity["id"]
        await connection.execute(update(self.table).where(here).values(**self.row(values)))
        await self.publish(connection, {**values, "id": entity["id"]})
        return ()

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """See `Remover`; what preferences name stays."""
        await refuse_if_named(connection, self.table, entity["id"])
        await connection.execute(delete(self.table).where(self.table.c.id == entity["id"]))
        await self.publish(connection, entity)
        return ()

    def row(self, values: Values) -> dict[str, Any]:
        """Return the columns' values."""
        return {column.name: values[field] for field, column in self.columns().items() if field in values}

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """Return what is to be stored; `entity` is what it was, None if it is new. Raises `Refusal`."""
        return values

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """Let the proxy's copy and the proxy know what has become of `entity`."""
        note(connection, PLATFORM)


class ResellerRecordStore(RecordStore):
    """Records that belong to a reseller."""

    fixed: ClassVar[tuple[str, ...]] = ("reseller_id",)

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """See `RecordStore`; without `reseller_id` it is the provider's own."""
        if entity is not None:
            return values
        return {**values, "reseller_id": await reseller_or_first(connection, values["reseller_id"])}


def _is_flag(column: Column[Any]) -> bool:
    return isinstance(column.type, TINYINT) and column.type.display_width == 1
