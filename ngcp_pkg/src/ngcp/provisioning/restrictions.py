"""Classes of service (NCOS levels): which numbers a caller may dial."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.records import RecordStore, ResellerRecordStore
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Entity, Values
from ngcp.provisioning.tables.numbers import (
    ncos_levels,
    ncos_lnp_list,
    ncos_lnp_pattern_list,
    ncos_pattern_list,
    ncos_set_levels,
    ncos_sets,
)


class NcosLevelStore(ResellerRecordStore):
    """Levels, each a black or a white list, of one reseller."""

    table = ncos_levels
    hidden = frozenset({"time_set_id"})


class NcosPatternStore(RecordStore):
    """Patterns of a level."""

    table = ncos_pattern_list
    fixed = ("ncos_level_id",)


class NcosCarrierStore(RecordStore):
    """Carriers of ported numbers that a level is for."""

    table = ncos_lnp_list
    renamed: ClassVar[Mapping[str, str]] = {"lnp_provider_id": "carrier_id"}
    fixed = ("ncos_level_id",)


class NcosCarrierPatternStore(RecordStore):
    """Patterns that narrow a level's carrier down."""

    table = ncos_lnp_pattern_list
    renamed: ClassVar[Mapping[str, str]] = {"ncos_lnp_list_id": "ncos_lnp_carrier_id"}
    fixed = ("ncos_lnp_carrier_id",)


class NcosSetStore(ResellerRecordStore):
    """Levels that hold together; a call must be let through by each of them."""

    table = ncos_sets

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add the levels."""
        numbers, columns = [entity["id"] for entity in entities], ncos_set_levels.c
        query = select(columns.ncos_set_id, columns.ncos_level_id).where(columns.ncos_set_id.in_(numbers))
        levels: dict[int, list[int]] = {number: [] for number in numbers}
        for row in await connection.execute(query.order_by(columns.id)):
            levels[row.ncos_set_id].append(row.ncos_level_id)
        plain = await super().complete(connection, entities)
        return [entity | {"levels": levels[entity["id"]]} for entity in plain]

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """See `RecordStore`; the levels must be the same reseller's."""
        values = await super().prepare(connection, values, entity)
        columns, wanted = ncos_levels.c, set(values["levels"])
        own = select(columns.id).where(columns.id.in_(wanted), columns.reseller_id == values["reseller_id"])
        foreign = wanted - set((await connection.execute(own)).scalars())
        if foreign:
            raise InvalidValue("levels", min(foreign), "does not exist, or belongs to another reseller")
        return values

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """Replace the levels of a set that is still there."""
        there = select(ncos_sets.c.id).where(ncos_sets.c.id == entity["id"])
        if (await connection.execute(there)).first() is not None:
            columns = ncos_set_levels.c
            await connection.execute(delete(ncos_set_levels).where(columns.ncos_set_id == entity["id"]))
            for level in dict.fromkeys(entity["levels"]):
                await add_row(connection, ncos_set_levels, ncos_set_id=entity["id"], ncos_level_id=level)
        await super().publish(connection, entity)
