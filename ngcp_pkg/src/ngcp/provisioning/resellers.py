"""Resellers and billing profiles: what the others refer to, and what they refer to if nothing is said."""

from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Store
from ngcp.provisioning.tables.billing import billing_profiles, contacts, resellers


class ResellerStore(Store):
    """Resellers; the provider itself is the first one."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns = resellers.c
        return select(columns.id, columns.contract_id, columns.name, columns.status).where(
            columns.status != "terminated"
        )


class BillingProfileStore(Store):
    """Billing profiles, each of one reseller."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns = billing_profiles.c
        fields = (
            columns.id,
            columns.reseller_id,
            columns.handle,
            columns.name,
            columns.currency,
            columns.status,
        )
        return select(*fields).where(columns.status != "terminated")


async def reseller_or_first(connection: AsyncConnection, wanted: int | None) -> int:
    """Return `wanted`, or the provider itself if it is None; raises InvalidValue if it is not there."""
    query = select(resellers.c.id).where(resellers.c.status != "terminated").order_by(resellers.c.id).limit(1)
    if wanted is not None:
        query = query.where(resellers.c.id == wanted)
    found = (await connection.execute(query)).scalar()
    if found is None:
        raise InvalidValue("reseller_id", wanted, "does not exist")
    return int(found)


async def profile_or_default(connection: AsyncConnection, wanted: int | None, reseller: int | None) -> int:
    """Return `wanted`, or the default of `reseller` if it is None; raises InvalidValue for a stranger's."""
    columns = billing_profiles.c
    query = select(columns.id).where(columns.status != "terminated").order_by(columns.id).limit(1)
    if reseller is not None:
        query = query.where(columns.reseller_id == reseller)
    query = query.where(columns.handle == "default" if wanted is None else columns.id == wanted)
    found = (await connection.execute(query)).scalar()
    if found is None:
        raise InvalidValue("billing_profile_id", wanted, "does not exist, or belongs to another reseller")
    return int(found)


async def reseller_of_contact(connection: AsyncConnection, contact: int) -> int | None:
    """Return whose customer a contact is, None for a system contact; raises InvalidValue if there is none."""
    query = select(contacts.c.reseller_id).where(contacts.c.id == contact, contacts.c.status == "active")
    row = (await connection.execute(query)).first()
    if row is None:
        raise InvalidValue("contact_id", contact, "does not exist")
    return None if row.reseller_id is None else int(row.reseller_id)
