"""Sets that call forwards are made of: destinations, times, sources and B-numbers, each of one subscriber."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning import patterns
from ngcp.provisioning.belongings import BelongingStore, Holder, domains_of, holder_of
from ngcp.provisioning.destinations import renumbered, simple, uri_of
from ngcp.provisioning.forward_preferences import keep_in_step
from ngcp.provisioning.periods import BOUNDS, check
from ngcp.provisioning.refusals import InUse, InvalidValue
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Ended, Entity, Values
from ngcp.provisioning.tables.features import (
    voip_cf_bnumber_sets,
    voip_cf_bnumbers,
    voip_cf_destination_sets,
    voip_cf_destinations,
    voip_cf_mappings,
    voip_cf_periods,
    voip_cf_source_sets,
    voip_cf_sources,
    voip_cf_time_sets,
)


class SetStore(BelongingStore):
    """One kind of sets, with what is in them."""

    members: ClassVar[Table]
    key: ClassVar[str]
    """The members' column for their set; in a mapping, too."""
    field: ClassVar[str]
    """What the members are together."""
    order: ClassVar[tuple[str, ...]] = ("id",)

    def member_fields(self) -> list[str]:
        """Return what a member consists of."""
        return [column.name for column in self.members.c if column.name not in ("id", self.key)]

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add the members."""
        found = await self.members_of(connection, [entity["id"] for entity in entities])
        whole = await super().complete(connection, entities)
        return [entity | {self.field: found[entity["id"]]} for entity in whole]

    async def members_of(
        self, connection: AsyncConnection, numbers: Collection[int]
    ) -> Mapping[int, list[Entity]]:
        """Return what is in each of the sets of these numbers."""
        found: dict[int, list[Entity]] = {number: [] for number in numbers}
        columns = self.members.c
        query = (
            select(self.members)
            .where(columns[self.key].in_(found))
            .order_by(*(columns[name] for name in (*self.order, "id")))
        )
        for row in (await connection.execute(query)).mappings():
            found[row[self.key]].append({name: row[name] for name in self.member_fields()})
        return found

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`."""
        number = await super().create(connection, values)
        await self._fill(connection, number, await self._wanted(connection, values))
        return number

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; the members are replaced."""
        ended = await super().change(connection, entity, values)
        wanted = {**values, "subscriber_id": entity["subscriber_id"]}
        await self._fill(connection, entity["id"], await self._wanted(connection, wanted))
        return ended

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Remove a set that no mapping needs: without it the mapping would hold always."""
        column = voip_cf_mappings.c[self.key]
        query = select(voip_cf_mappings.c.id).where(column == entity["id"]).limit(1)
        if (await connection.execute(query)).first() is not None:
            raise InUse("Entity is still in use by call forward mappings.")
        return await super().remove(connection, entity)

    async def put(self, connection: AsyncConnection, holder: Holder, name: str, values: Values) -> int:
        """Make a holder's set of that name what `values` say, and return its number."""
        table = self.table.c
        query = select(table.id).where(table.subscriber_id == holder.account, table.name == name)
        old = (await connection.execute(query)).scalar()
        row = self.row({**values, "name": name, "account": holder.account})
        if old is None:
            old = await add_row(connection, self.table, **row)
        else:
            await connection.execute(update(self.table).where(table.id == old).values(**row))
        await self._fill(connection, int(old), self.normal(values, holder)[self.field])
        return int(old)

    async def _wanted(self, connection: AsyncConnection, values: Values) -> list[Entity]:
        holder = await holder_of(connection, values["subscriber_id"])
        members: list[Entity] = self.normal(values, holder)[self.field]
        return members

    async def _fill(self, connection: AsyncConnection, number: int, members: Sequence[Entity]) -> None:
        await connection.execute(delete(self.members).where(self.members.c[self.key] == number))
        if members:
            rows = [{name: member.get(name) for name in self.member_fields()} for member in members]
            await connection.execute(insert(self.members), [row | {self.key: number} for row in rows])


class DestinationSetStore(SetStore):
    """Where forwarded calls go, by priority."""

    table = voip_cf_destination_sets
    members = voip_cf_destinations
    key = "destination_set_id"
    field = "destinations"
    order = ("priority",)

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Say how the subscriber would write each destination, too."""
        whole = await super().complete(connection, entities)
        domains = await domains_of(connection, {entity["subscriber_id"] for entity in entities})
        for entity in whole:
            for one in entity["destinations"]:
                one["simple_destination"] = simple(one["destination"], domains[entity["subscriber_id"]])
        return whole

    def normal(self, values: Values, holder: Holder) -> Values:
        """Write destinations as URIs; one that leads back to the subscriber would be a loop."""
        kind, found = values.get("kind", ""), []
        for index, one in enumerate(values["destinations"]):
            field, text = f"destinations.{index}.destination", one["destination"]
            try:
                uri = uri_of(text, holder.number, holder.domain, kind)
            except ValueError as error:
                raise InvalidValue(field, text, str(error)) from error
            if holder.is_at(uri):
                raise InvalidValue(field, text, "leads back to the subscriber: a loop")
            found.append({**one, "destination": uri})
        return {**values, "destinations": found}

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Remove a set, and the mappings that lead there."""
        await super(SetStore, self).remove(connection, entity)
        await keep_in_step(connection, await holder_of(connection, entity["subscriber_id"]))
        return ()


async def follow_number(connection: AsyncConnection, account: int, old: str, new: str) -> None:
    """Let forwards to a subscriber's own services still lead there when his number, or UUID, changes."""
    columns, moves = voip_cf_destinations.c, renumbered(old, new)
    sets = select(voip_cf_destination_sets.c.id).where(voip_cf_destination_sets.c.subscriber_id == account)
    mine = columns.destination_set_id.in_(sets)
    query = select(columns.destination).where(mine, columns.destination.in_(moves)).distinct()
    for uri in (await connection.execute(query)).scalars().all():
        change = update(voip_cf_destinations).where(mine, columns.destination == uri)
        await connection.execute(change.values(destination=moves[uri]))


class TimeSetStore(SetStore):
    """When a forward holds: in any of the periods."""

    table = voip_cf_time_sets
    members = voip_cf_periods
    key = "time_set_id"
    field = "times"

    def normal(self, values: Values, holder: Holder) -> Values:
        """Check the periods."""
        for index, period in enumerate(values["times"]):
            for part in BOUNDS:
                text = period.get(part)
                try:
                    if text is not None:
                        check(part, text)
                except ValueError as error:
                    raise InvalidValue(f"times.{index}.{part}", text, str(error)) from error
        return values


class NumberSetStore(SetStore):
    """Numbers that a forward is for, or not for."""

    member: ClassVar[str]

    def normal(self, values: Values, holder: Holder) -> Values:
        """Check the patterns."""
        for index, one in enumerate(values[self.field]):
            text = one[self.member]
            try:
                if values["is_regex"]:
                    patterns.check(text)
            except ValueError as error:
                raise InvalidValue(f"{self.field}.{index}.{self.member}", text, str(error)) from error
        return values


class SourceSetStore(NumberSetStore):
    """Who calls; `anonymous` is who does not say so."""

    table = voip_cf_source_sets
    members = voip_cf_sources
    key = "source_set_id"
    field = "sources"
    member = "source"


class BnumberSetStore(NumberSetStore):
    """What was called."""

    table = voip_cf_bnumber_sets
    members = voip_cf_bnumbers
    key = "bnumber_set_id"
    field = "bnumbers"
    member = "bnumber"
