"""Subscribers: accounts in a domain, paid for by a customer, reached at numbers."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import bcrypt
from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.numbers import assign, complete_numbers, release
from ngcp.provisioning.publication import publish, withdraw
from ngcp.provisioning.refusals import InvalidValue, LimitReached, refuse_stillborn
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Condition, Ended, Entity, Store, Values, matches
from ngcp.provisioning.tables import provisioning
from ngcp.provisioning.tables.billing import (
    contacts,
    contracts,
    domains,
    products,
    voip_numbers,
    voip_subscribers,
)
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts

#: Fields that identify a subscriber, or say whose it is: they stay as they were made.
FIXED = ("username", "domain", "domain_id", "customer_id")


class SubscriberStore(Store):
    """Subscribers, in database billing and, for what they log in with, in provisioning."""

    secret = frozenset({"password", "primary_number_id"})

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns = voip_subscribers.c
        return (
            select(
                columns.id,
                columns.uuid,
                columns.username,
                domains.c.domain,
                columns.domain_id,
                columns.contract_id.label("customer_id"),
                columns.status,
                columns.external_id,
                columns.primary_number_id,
                accounts.c.password,
                accounts.c.webusername,
                accounts.c.create_timestamp,
                accounts.c.modify_timestamp,
            )
            .join_from(voip_subscribers, domains, columns.domain_id == domains.c.id)
            .join(accounts, accounts.c.uuid == columns.uuid)
            .where(columns.status != "terminated")
        )

    def conditions(self) -> Mapping[str, Condition]:
        """Find subscribers by their numbers, too."""
        number, dialled = voip_numbers.c, func.concat(voip_numbers.c.cc, voip_numbers.c.ac, voip_numbers.c.sn)
        mine, primary = number.subscriber_id == voip_subscribers.c.id, voip_subscribers.c.primary_number_id
        return {
            "primary_number": lambda wanted: exists().where(
                number.id == primary, matches("primary_number", dialled, wanted)
            ),
            "alias_number": lambda wanted: exists().where(
                mine, number.id.is_distinct_from(primary), matches("alias_number", dialled, wanted)
            ),
        }

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add the numbers."""
        return await complete_numbers(connection, entities)

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`; the subscriber gets a new UUID."""
        refuse_stillborn(values["status"])
        reseller = await _admit(connection, values["customer_id"])
        domain = await _find_domain(connection, values, reseller)
        identity = {"uuid": str(uuid.uuid4()), "username": values["username"]}
        there = select(provisioning.voip_domains.c.id).where(
            provisioning.voip_domains.c.domain == domain["domain"]
        )
        number = (await connection.execute(there)).scalar_one()
        await add_row(connection, accounts, **identity, domain_id=number, **_login(values))
        row = {"contract_id": values["customer_id"], "domain_id": domain["id"], **_billing(values)}
        subscriber = await add_row(connection, voip_subscribers, **identity, **row)
        numbers = (values["primary_number"], values["alias_numbers"])
        await assign(connection, subscriber, identity["uuid"], *numbers)
        await publish(connection, subscriber)
        return subscriber

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; status "terminated" removes the subscriber."""
        if values["status"] == "terminated":
            return await self.remove(connection, entity)
        for field in FIXED:
            if values[field] not in (None, entity[field]):
                raise InvalidValue(field, values[field], "cannot be changed")
        identity = entity["uuid"]
        await connection.execute(update(accounts).where(accounts.c.uuid == identity).values(**_login(values)))
        here = voip_subscribers.c.id == entity["id"]
        await connection.execute(update(voip_subscribers).where(here).values(**_billing(values)))
        await assign(connection, entity["id"], identity, values["primary_number"], values["alias_numbers"])
        await publish(connection, entity["id"])
        return ()

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Terminate a subscriber: name and numbers are free again, the UUID is remembered."""
        await release(connection, entity["id"], entity["uuid"])
        here = voip_subscribers.c.id == entity["id"]
        await connection.execute(update(voip_subscribers).where(here).values(status="terminated"))
        await connection.execute(delete(accounts).where(accounts.c.uuid == entity["uuid"]))
        await withdraw(connection, entity["uuid"], entity["username"], entity["domain"])
        return (f"{entity['username']}@{entity['domain']}",)

    async def of_customer(self, connection: AsyncConnection, customer: int) -> list[Entity]:
        """Return a customer's subscribers, for nobody else to change until the transaction ends."""
        query = self.selection().where(voip_subscribers.c.contract_id == customer).with_for_update()
        return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _admit(connection: AsyncConnection, customer: int) -> int:
    """Return the reseller of a customer that may have one more subscriber."""
    query = (
        select(contracts.c.max_subscribers, contacts.c.reseller_id)
        .join_from(contracts, products, contracts.c.product_id == products.c.id)
        .join(contacts, contracts.c.contact_id == contacts.c.id)
        .where(
            contracts.c.id == customer,
            contracts.c.status != "terminated",
            products.c["class"] == "sipaccount",
        )
        .with_for_update()
    )
    row = (await connection.execute(query)).first()
    if row is None:
        raise InvalidValue("customer_id", customer, "does not exist")
    living = voip_subscribers.c.contract_id == customer, voip_subscribers.c.status != "terminated"
    has = (
        await connection.execute(select(func.count()).select_from(voip_subscribers).where(*living))
    ).scalar_one()
    if row.max_subscribers is not None and has >= row.max_subscribers:
        raise LimitReached("Maximum number of subscribers reached.")
    return int(row.reseller_id)


async def _find_domain(connection: AsyncConnection, values: Values, reseller: int) -> Mapping[str, Any]:
    """Return the domain meant by `domain_id` or `domain`, which must be the reseller's own."""
    columns = domains.c
    query = select(columns.id, columns.domain).where(columns.reseller_id == reseller)
    for field, column in (("domain_id", columns.id), ("domain", columns.domain)):
        if values[field] is not None:
            query = query.where(column == values[field])
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        field = "domain" if values["domain"] is not None else "domain_id"
        raise InvalidValue(
            field, values[field], "does not exist, or does not belong to the customer's reseller"
        )
    return dict(row)


def _login(values: Values) -> dict[str, Any]:
    """Return what is kept in provisioning; without a new web password the old one stays."""
    login = {"password": values["password"], "webusername": values["webusername"]}
    if values["webpassword"] is not None:
        login["webpassword"] = bcrypt.hashpw(values["webpassword"].encode(), bcrypt.gensalt()).decode()
    return login


def _billing(values: Values) -> dict[str, Any]:
    return {"status": values["status"], "external_id": values["external_id"]}
