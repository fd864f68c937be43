"""Billing profiles, their zones and fees: how customers are charged."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any, Final

from sqlalchemy import Select, Table, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.changes import EVERYTHING, note, tariff_of
from ngcp.provisioning.records import RecordStore, ResellerRecordStore
from ngcp.provisioning.refusals import InUse, InvalidValue
from ngcp.provisioning.resellers import current_mapping
from ngcp.provisioning.store import Ended, Entity, Values
from ngcp.provisioning.tables.balances import billing_peaktime_special, billing_peaktime_weekdays
from ngcp.provisioning.tables.billing import (
    billing_fees,
    billing_mappings,
    billing_profiles,
    billing_zones,
    contracts,
)

#: Off-peak times by the fields in which operators know them.
_PEAKS: Final = {
    "peaktime_weekdays": billing_peaktime_weekdays,
    "peaktime_special": billing_peaktime_special,
}
#: Columns that operators know by another name.
_COLUMNS: Final = {"stop": "end"}


class BillingProfileStore(ResellerRecordStore):
    """Billing profiles, each of one reseller, with the times at which calls are cheaper."""

    table = billing_profiles
    hidden = frozenset({"revision"})

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return super().selection().where(billing_profiles.c.status != "terminated")

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add the off-peak times."""
        whole = await super().complete(connection, entities)
        numbers = [entity["id"] for entity in entities]
        found = {field: await _members(connection, table, numbers) for field, table in _PEAKS.items()}
        return [entity | {field: found[field][entity["id"]] for field in _PEAKS} for entity in whole]

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`."""
        number = await super().create(connection, values)
        await self._fill(connection, number, values)
        return number

    async def _fill(self, connection: AsyncConnection, number: int, values: Values) -> None:
        """Replace the off-peak times."""
        for field, table in _PEAKS.items():
            await connection.execute(delete(table).where(table.c.billing_profile_id == number))
            rows = [{_COLUMNS.get(key, key): value for key, value in one.items()} for one in values[field]]
            if rows:
                await connection.execute(
                    insert(table), [row | {"billing_profile_id": number} for row in rows]
                )

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; one that contracts are charged by cannot be terminated."""
        if values["status"] == "terminated":
            mapping, contract = billing_mappings.c, contracts.c
            is_current = mapping.id == current_mapping(mapping.contract_id)
            users = (
                select(contract.id)
                .join_from(billing_mappings, contracts, mapping.contract_id == contract.id)
                .where(mapping.billing_profile_id == entity["id"], contract.status != "terminated")
                .where(is_current | (mapping.start_date > func.utc_timestamp()))
            )
            if (await connection.execute(users.limit(1))).first() is not None:
                raise InUse("Billing profile is still in use.")
        await self._fill(connection, entity["id"], values)
        return await super().change(connection, entity, values)

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Terminate it: contracts of the past remember it."""
        return await self.change(connection, entity, {**_writable(entity), "status": "terminated"})

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """See `RecordStore`."""
        await _revise(connection, entity["id"])
        note(connection, EVERYTHING)  # who pays in advance may be another


class _OfProfile(RecordStore):
    """What belongs to a profile, and stays with it."""

    fixed = ("billing_profile_id",)

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """See `RecordStore`."""
        await _revise(connection, entity["billing_profile_id"])


class BillingZoneStore(_OfProfile):
    """Zones: names for destinations of one price, as customers see them on a bill."""

    table = billing_zones


class BillingFeeStore(_OfProfile):
    """Fees: what a call from a source to a destination costs."""

    table = billing_fees

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """Check that the zone is the profile's."""
        zone = values["billing_zone_id"]
        query = select(billing_zones.c.billing_profile_id).where(billing_zones.c.id == zone)
        if zone is not None and (await connection.execute(query)).scalar() != values["billing_profile_id"]:
            raise InvalidValue("billing_zone_id", zone, "does not exist, or belongs to another profile")
        return values


async def _members(
    connection: AsyncConnection, table: Table, numbers: Sequence[int]
) -> Mapping[int, list[Entity]]:
    """Return the off-peak times of these profiles, as operators write them."""
    found: dict[int, list[Entity]] = {number: [] for number in numbers}
    query = select(table).where(table.c.billing_profile_id.in_(numbers)).order_by(table.c.id)
    for row in (await connection.execute(query)).mappings():
        times = {"start": _shown(row["start"]), "stop": _shown(row["end"])}
        day = {"weekday": row["weekday"]} if "weekday" in row else {}
        found[row["billing_profile_id"]].append(day | times)
    return found


def _shown(when: datetime | time | None) -> str | None:
    """Write a time of the day, or a moment, by the clock on the wall."""
    if isinstance(when, datetime):
        return f"{when:%Y-%m-%d %H:%M:%S}"
    return None if when is None else f"{when:%H:%M:%S}"


async def _revise(connection: AsyncConnection, profile: int) -> None:
    """Let those who remember the profile read it again."""
    revision = billing_profiles.c.revision
    here = billing_profiles.c.id == profile
    await connection.execute(update(billing_profiles).where(here).values(revision=revision + 1))
    note(connection, tariff_of(profile))


def _writable(entity: Entity) -> Values:
    return {name: value for name, value in entity.items() if name != "id"}
