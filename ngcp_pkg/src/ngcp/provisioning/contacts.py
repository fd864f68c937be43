"""Contacts: people and companies, a reseller's customers or the provider's own partners."""

from typing import Any, ClassVar

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.publication import publish_timezone
from ngcp.provisioning.refusals import InUse, InvalidValue
from ngcp.provisioning.resellers import reseller_or_first
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Ended, Entity, Store, Values
from ngcp.provisioning.tables.billing import contacts, contracts


class ContactStore(Store):
    """Contacts without a reseller ("system contacts")."""

    hidden: ClassVar[tuple[str, ...]] = ("reseller_id", "status", "terminate_timestamp")
    """Columns that are no fields."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return select(*(column for column in contacts.c if column.name not in self.hidden)).where(
            contacts.c.status == "active", contacts.c.reseller_id.is_(None)
        )

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`."""
        return await add_row(connection, contacts, **values)

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`."""
        await connection.execute(update(contacts).where(contacts.c.id == entity["id"]).values(**values))
        if values["timezone"] != entity["timezone"]:
            await publish_timezone(connection, entity["id"])
        return ()

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Remove a contact; one that terminated contracts remember is only terminated."""
        query = select(contracts.c.status).where(contracts.c.contact_id == entity["id"])
        states = set((await connection.execute(query)).scalars())
        if states - {"terminated"}:
            raise InUse("Contact is still in use.")
        here = contacts.c.id == entity["id"]
        if states:
            gone = {"status": "terminated", "terminate_timestamp": func.now()}
            await connection.execute(update(contacts).where(here).values(**gone))
        else:
            await connection.execute(delete(contacts).where(here))
        return ()


class CustomerContactStore(ContactStore):
    """Contacts of a reseller's customers."""

    hidden = ("status", "terminate_timestamp")

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return select(*(column for column in contacts.c if column.name not in self.hidden)).where(
            contacts.c.status == "active", contacts.c.reseller_id.is_not(None)
        )

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`; without `reseller_id` it is the provider's own customer."""
        reseller = await reseller_or_first(connection, values["reseller_id"])
        return await super().create(connection, {**values, "reseller_id": reseller})

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; the reseller stays."""
        if values["reseller_id"] not in (None, entity["reseller_id"]):
            raise InvalidValue("reseller_id", values["reseller_id"], "cannot be changed")
        return await super().change(connection, entity, {**values, "reseller_id": entity["reseller_id"]})
