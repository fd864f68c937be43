"""Resellers: what the others refer to, and what they refer to if nothing is said."""

from typing import Any, Final

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.refusals import InUse, InvalidValue, refuse_stillborn
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Ended, Entity, Store, Values
from ngcp.provisioning.tables.billing import (
    admins,
    billing_fees,
    billing_mappings,
    billing_profiles,
    billing_zones,
    contacts,
    contracts,
    domains,
    products,
    resellers,
)

#: The billing profile that every reseller has.
DEFAULT_PROFILE: Final = {"handle": "default", "name": "Default Billing Profile", "currency": "EUR"}
#: In which calls cost nothing until somebody says what they do.
FREE_ZONE: Final = {"zone": "Free Default Zone", "detail": "All Destinations"}
ANYWHERE: Final = "."


class ResellerStore(Store):
    """Resellers; the provider itself is the first one."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns = resellers.c
        return select(columns.id, columns.contract_id, columns.name, columns.status).where(
            columns.status != "terminated"
        )

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`; a new reseller has a billing profile of his own, `default`: calls are free."""
        refuse_stillborn(values["status"])
        await _check_contract(connection, values["contract_id"])
        number = await add_row(connection, resellers, **values)
        profile = await add_row(connection, billing_profiles, reseller_id=number, **DEFAULT_PROFILE)
        zone = await add_row(connection, billing_zones, billing_profile_id=profile, **FREE_ZONE)
        await add_row(
            connection, billing_fees, billing_profile_id=profile, billing_zone_id=zone, destination=ANYWHERE
        )
        return number

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; status "terminated" is for one who has neither customers nor domains any more."""
        if values["contract_id"] != entity["contract_id"]:
            raise InvalidValue("contract_id", values["contract_id"], "cannot be changed")
        if values["status"] == "terminated":
            await _refuse_in_use(connection, entity["id"])
            here = admins.c.reseller_id == entity["id"]
            await connection.execute(update(admins).where(here).values(is_active=False))
        await connection.execute(update(resellers).where(resellers.c.id == entity["id"]).values(**values))
        return ()


async def _check_contract(connection: AsyncConnection, number: int) -> None:
    query = (
        select(contracts.c.id)
        .join_from(contracts, products, contracts.c.product_id == products.c.id)
        .where(
            contracts.c.id == number, contracts.c.status != "terminated", products.c["class"] == "reseller"
        )
    )
    if (await connection.execute(query)).first() is None:
        raise InvalidValue("contract_id", number, "does not exist, or is no contract with a reseller")


async def _refuse_in_use(connection: AsyncConnection, number: int) -> None:
    customers = (
        select(contracts.c.id)
        .join_from(contracts, contacts, contracts.c.contact_id == contacts.c.id)
        .where(contacts.c.reseller_id == number, contracts.c.status != "terminated")
    )
    for what, query in (
        ("customers", customers),
        ("domains", select(domains.c.id).where(domains.c.reseller_id == number)),
    ):
        if (await connection.execute(query.limit(1))).first() is not None:
            raise InUse(f"Reseller still has {what}.")


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


def current_mapping(contract: ColumnElement[int]) -> ScalarSelect[Any]:
    """Return the number of the mapping that says by which profile a contract is charged now."""
    mapping, now = billing_mappings.alias(), func.utc_timestamp()
    columns = mapping.c
    return (
        select(columns.id)
        .where(
            columns.contract_id == contract,
            columns.start_date.is_(None) | (columns.start_date <= now),
            columns.end_date.is_(None) | (columns.end_date >= now),
        )
        .order_by(columns.start_date.desc(), columns.id.desc())
        .limit(1)
        .correlate_except(mapping)
        .scalar_subquery()
    )


async def reseller_of_contact(connection: AsyncConnection, contact: int) -> int | None:
    """Return whose customer a contact is, None for a system contact; raises InvalidValue if there is none."""
    query = select(contacts.c.reseller_id).where(contacts.c.id == contact, contacts.c.status == "active")
    row = (await connection.execute(query)).first()
    if row is None:
        raise InvalidValue("contact_id", contact, "does not exist")
    return None if row.reseller_id is None else int(row.reseller_id)
