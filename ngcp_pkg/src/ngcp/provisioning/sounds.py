"""Sounds: sets of a reseller or a customer, in each a WAV file per handle; groups and handles are given."""

from typing import Any, ClassVar, Final

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.records import RecordStore, ResellerRecordStore
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Entity, Store, Values
from ngcp.provisioning.tables.billing import contacts, contracts
from ngcp.provisioning.tables.sounds import (
    voip_sound_files,
    voip_sound_groups,
    voip_sound_handles,
    voip_sound_sets,
)

#: Sets above a set, at most: they are asked in turn for what it lacks.
GENERATIONS: Final = 16
#: Groups of handles that customers' sets are for; `pbx` is for them alone.
OF_CUSTOMERS: Final = ("pbx", "music_on_hold", "digits")


class SoundGroupStore(Store):
    """Groups of handles."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return select(voip_sound_groups.c.id, voip_sound_groups.c.name)


class SoundHandleStore(Store):
    """Handles: what can be said or played."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        handles, groups = voip_sound_handles.c, voip_sound_groups.c
        return select(
            handles.id, handles.name.label("handle"), groups.name.label("group"), handles.group_id
        ).join_from(voip_sound_handles, voip_sound_groups, handles.group_id == groups.id)


class SoundSetStore(ResellerRecordStore):
    """Sets of sounds; what a set lacks, its parent has."""

    table = voip_sound_sets
    renamed: ClassVar[dict[str, str]] = {"contract_id": "customer_id"}
    fixed = ("reseller_id", "customer_id")

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """Check whose it is, and that it is not its own ancestor; a customer has one default."""
        values = await super().prepare(connection, values, entity)
        await _check_customer(connection, values)
        await _check_ancestors(connection, values, entity)
        if values["contract_default"]:
            if values["customer_id"] is None:
                raise InvalidValue("contract_default", True, "is for sets of customers only")
            others = update(voip_sound_sets).where(voip_sound_sets.c.contract_id == values["customer_id"])
            await connection.execute(others.values(contract_default=False))
        return values


class SoundFileStore(RecordStore):
    """What is played for a handle in a set; one file for each."""

    table = voip_sound_files
    hidden = frozenset({"data", "handle_id"})
    fixed = ("set_id",)

    def selection(self) -> Select[Any]:
        """See `Store`."""
        handles = voip_sound_handles.c
        query = super().selection().add_columns(handles.name.label("handle"))
        return query.join(voip_sound_handles, handles.id == voip_sound_files.c.handle_id)

    def row(self, values: Values) -> dict[str, Any]:
        """Return the columns' values; without new `data` the old stays."""
        row = super().row(values) | {"handle_id": values["handle_id"]}
        return row if values.get("data") is None else row | {"data": values["data"], "codec": "WAV"}

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """Find the handle, which must suit the set."""
        owner = select(voip_sound_sets.c.contract_id).where(voip_sound_sets.c.id == values["set_id"])
        row = (await connection.execute(owner)).first()
        if row is None:
            raise InvalidValue("set_id", values["set_id"], "does not exist")
        groups = voip_sound_groups.c.name
        suits = groups != "pbx" if row.contract_id is None else groups.in_(OF_CUSTOMERS)
        handles = voip_sound_handles.c
        query = (
            select(handles.id)
            .join_from(voip_sound_handles, voip_sound_groups, handles.group_id == voip_sound_groups.c.id)
            .where(handles.name == values["handle"], suits)
            .order_by(handles.id)
        )
        number = (await connection.execute(query)).scalar()
        if number is None:
            raise InvalidValue("handle", values["handle"], "does not exist, or is not for such a set")
        if entity is None and values.get("data") is None and not values["use_parent"]:
            raise InvalidValue("use_parent", False, "without a sound it is the parent's that is played")
        return {**values, "handle_id": number}

    async def number(self, connection: AsyncConnection, values: Values) -> int | None:
        """Return which file there is for the same handle of the same set."""
        wanted = {name: values[name] for name in ("set_id", "handle")}
        fields = self.fields()
        query = self.selection().where(*(fields[name] == value for name, value in wanted.items()))
        row = (await connection.execute(query)).mappings().first()
        return None if row is None else int(row["id"])

    async def sound(self, connection: AsyncConnection, number: int) -> bytes | None:
        """Return the WAV file, None if there is none."""
        query = select(voip_sound_files.c.data).where(voip_sound_files.c.id == number)
        data = (await connection.execute(query)).scalar()
        return None if data is None else bytes(data)


async def _check_customer(connection: AsyncConnection, values: Values) -> None:
    if values["customer_id"] is None:
        return
    query = (
        select(contacts.c.reseller_id)
        .join_from(contracts, contacts, contracts.c.contact_id == contacts.c.id)
        .where(contracts.c.id == values["customer_id"], contracts.c.status != "terminated")
    )
    reseller = (await connection.execute(query)).scalar()
    if reseller is None or reseller != values["reseller_id"]:
        raise InvalidValue("customer_id", values["customer_id"], "does not exist, or is another reseller's")


async def _check_ancestors(connection: AsyncConnection, values: Values, entity: Entity | None) -> None:
    columns, above = voip_sound_sets.c, values["parent_id"]
    for _ in range(GENERATIONS):
        if above is None:
            return
        query = select(columns.parent_id).where(
            columns.id == above, columns.reseller_id == values["reseller_id"]
        )
        row = (await connection.execute(query)).first()
        if row is None or (entity is not None and above == entity["id"]):
            break
        above = row.parent_id
    problem = f"does not exist, is another reseller's, or makes a loop or more than {GENERATIONS} generations"
    raise InvalidValue("parent_id", values["parent_id"], problem)
