"""Call forwards as mappings: for each kind of a subscriber's, to where, and by which sets it is limited."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.belongings import Holder, holder_of
from ngcp.provisioning.forward_preferences import keep_in_step, ring_timeouts, set_ring_timeout
from ngcp.provisioning.forward_sets import (
    BnumberSetStore,
    DestinationSetStore,
    SetStore,
    SourceSetStore,
    TimeSetStore,
)
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Ended, Entity, Store, Values
from ngcp.provisioning.tables.billing import voip_subscribers
from ngcp.provisioning.tables.features import KINDS, voip_cf_mappings
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts

#: A mapping's sets by the field that names one of them.
SETS: Final[Mapping[str, SetStore]] = {
    "destinationset": DestinationSetStore(),
    "timeset": TimeSetStore(),
    "sourceset": SourceSetStore(),
    "bnumberset": BnumberSetStore(),
}


class OfSubscriberStore(Store):
    """What each subscriber has one of: its number is the subscriber's."""

    secret = frozenset({"uuid"})

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns = voip_subscribers.c
        return select(columns.id, columns.id.label("subscriber_id"), columns.uuid).where(
            columns.status != "terminated"
        )


class MappingStore(OfSubscriberStore):
    """All mappings of a subscriber, by kind."""

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add the mappings."""
        found = await mappings_of(connection, entities)
        rings = await ring_timeouts(connection, [entity["uuid"] for entity in entities])
        return [
            {"id": entity["id"], "subscriber_id": entity["id"]}
            | {kind: list(map(_shown, found[entity["id"]][kind])) for kind in KINDS}
            | {"cft_ringtimeout": rings.get(entity["uuid"])}
            for entity in entities
        ]

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; all mappings are replaced."""
        holder = await holder_of(connection, entity["id"])
        names = {field: await _names(connection, store, holder) for field, store in SETS.items()}
        rows = []
        for kind in KINDS:
            for index, mapping in enumerate(values[kind]):
                try:
                    rows.append(_row(holder, kind, mapping, names))
                except InvalidValue as error:
                    raise error.within(f"{kind}.{index}") from error
        await replace_mappings(connection, holder, KINDS, rows)
        await set_ring_timeout(connection, holder, values["cft_ringtimeout"])
        return ()

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Let a subscriber's calls be forwarded no more; the sets stay."""
        holder = await holder_of(connection, entity["id"])
        await replace_mappings(connection, holder, KINDS, ())
        await set_ring_timeout(connection, holder, None)
        return ()


async def mappings_of(
    connection: AsyncConnection, entities: Sequence[Entity]
) -> Mapping[int, Mapping[str, list[Entity]]]:
    """Return subscribers' mappings by kind, each with the numbers and names of its sets."""
    found: dict[int, dict[str, list[Entity]]] = {
        entity["id"]: {kind: [] for kind in KINDS} for entity in entities
    }
    columns = voip_cf_mappings.c
    named = [store.table.c.name.label(field) for field, store in SETS.items()]
    query = (
        select(voip_subscribers.c.id.label("subscriber"), voip_cf_mappings, *named)
        .join_from(voip_cf_mappings, accounts, accounts.c.id == columns.subscriber_id)
        .join(voip_subscribers, voip_subscribers.c.uuid == accounts.c.uuid)
    )
    for store in SETS.values():
        query = query.outerjoin(store.table, store.table.c.id == columns[store.key])
    query = query.where(voip_subscribers.c.id.in_(found)).order_by(columns.id)
    for row in (await connection.execute(query)).mappings():
        found[row["subscriber"]][row["type"]].append(dict(row))
    return found


async def replace_mappings(
    connection: AsyncConnection, holder: Holder, kinds: Sequence[str], rows: Sequence[Entity]
) -> None:
    """Let these be a subscriber's mappings of these kinds."""
    columns = voip_cf_mappings.c
    mine = columns.subscriber_id == holder.account, columns.type.in_(kinds)
    await connection.execute(delete(voip_cf_mappings).where(*mine))
    if rows:
        await connection.execute(insert(voip_cf_mappings), list(rows))
    await keep_in_step(connection, holder)


def _shown(mapping: Entity) -> Entity:
    sets = {
        name: mapping[column]
        for field, store in SETS.items()
        for name, column in ((field, field), (f"{field}_id", store.key))
    }
    return sets | {name: bool(mapping[name]) for name in ("enabled", "use_redirection")}


async def _names(connection: AsyncConnection, store: SetStore, holder: Holder) -> Mapping[int, str]:
    columns = store.table.c
    rows = await connection.execute(
        select(columns.id, columns.name).where(columns.subscriber_id == holder.account)
    )
    return {int(row.id): str(row.name) for row in rows}


def _row(holder: Holder, kind: str, mapping: Entity, names: Mapping[str, Mapping[int, str]]) -> Entity:
    sets = {store.key: _number(field, mapping, names[field]) for field, store in SETS.items()}
    if sets["destination_set_id"] is None:
        raise InvalidValue("destinationset_id", "", "is required, or destinationset")
    switches = {name: mapping[name] for name in ("enabled", "use_redirection")}
    return {"subscriber_id": holder.account, "type": kind} | sets | switches


def _number(field: str, mapping: Entity, names: Mapping[int, str]) -> int | None:
    """Return the number of the set that a mapping names by its number or, else, by its name."""
    number, name = mapping[f"{field}_id"], mapping[field]
    if number is not None:
        if number not in names:
            raise InvalidValue(f"{field}_id", number, "does not exist, or is another subscriber's")
        return int(number)
    if name is None:
        return None
    for known, its_name in names.items():
        if its_name == name:
            return known
    raise InvalidValue(field, name, "does not exist, or is another subscriber's")
