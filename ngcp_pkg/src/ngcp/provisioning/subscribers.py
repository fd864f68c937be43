"""Subscribers: accounts in a domain, paid for by a customer, reached at numbers."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import bcrypt
from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.belongings import holder_of
from ngcp.provisioning.forward_sets import follow_number
from ngcp.provisioning.numbers import (
    Number,
    Numbers,
    assign,
    complete_numbers,
    devices_of,
    release,
)
from ngcp.provisioning.preferences.identity import keep_identity
from ngcp.provisioning.preferences.levels import SUBSCRIBER
from ngcp.provisioning.preferences.networks import drop_groups
from ngcp.provisioning.preferences.profiles import choose_profile
from ngcp.provisioning.publication import end_registrations, publish, withdraw
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
from ngcp.provisioning.voicemail import create_mailbox, remove_mailbox

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
                accounts.c.admin.label("administrative"),
                accounts.c.profile_set_id,
                accounts.c.profile_id,
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
        completed = await complete_numbers(connection, entities)
        return [{**one, "administrative": bool(one["administrative"])} for one in completed]

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
        profile = await choose_profile(connection, values, reseller)
        await add_row(connection, accounts, **identity, domain_id=number, **await _login(values), **profile)
        row = {"contract_id": values["customer_id"], "domain_id": domain["id"], **_billing(values)}
        subscriber = await add_row(connection, voip_subscribers, **identity, **row)
        await assign(connection, subscriber, identity["uuid"], values["numbers"])
        await keep_identity(connection, subscriber, values["numbers"].primary)
        await publish(connection, subscriber)
        await create_mailbox(connection, identity["uuid"])
        return subscriber

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; status "terminated" removes the subscriber."""
        if values["status"] == "terminated":
            return await self.remove(connection, entity)
        for field in FIXED:
            if values[field] not in (None, entity[field]):
                raise InvalidValue(field, values[field], "cannot be changed")
        identity, reseller = entity["uuid"], await reseller_of(connection, entity["id"])
        login = {**await _login(values), **await choose_profile(connection, values, reseller)}
        await connection.execute(update(accounts).where(accounts.c.uuid == identity).values(**login))
        here = voip_subscribers.c.id == entity["id"]
        await connection.execute(update(voip_subscribers).where(here).values(**_billing(values)))
        ended = await _renumber(connection, entity, values["numbers"])
        former = Number(**entity["primary_number"]) if entity["primary_number"] else None
        await keep_identity(connection, entity["id"], values["numbers"].primary, former)
        await publish(connection, entity["id"])
        return ended

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Terminate a subscriber: name and numbers are free again, the UUID is remembered."""
        devices = await devices_of(connection, [entity["id"]])
        await release(connection, entity["id"], entity["uuid"])
        await drop_groups(connection, SUBSCRIBER, await SUBSCRIBER.owner(connection, entity["id"]))
        here = voip_subscribers.c.id == entity["id"]
        await connection.execute(update(voip_subscribers).where(here).values(status="terminated"))
        await connection.execute(delete(accounts).where(accounts.c.uuid == entity["uuid"]))
        await withdraw(connection, entity["uuid"], entity["username"], entity["domain"])
        await remove_mailbox(connection, entity["uuid"])
        return await end_registrations(connection, {entity["username"], *devices}, entity["domain"])

    async def follow(self, connection: AsyncConnection, subscriber: Entity) -> None:
        """Let the proxy's copy show what has become of the customer."""
        (entity,) = await complete_numbers(connection, [subscriber])
        primary = Number(**entity["primary_number"]) if entity["primary_number"] else None
        await keep_identity(connection, entity["id"], primary, primary)
        await publish(connection, entity["id"])

    async def of_customer(self, connection: AsyncConnection, customer: int) -> list[Entity]:
        """Return a customer's subscribers, for nobody else to change until the transaction ends."""
        query = self.selection().where(voip_subscribers.c.contract_id == customer).with_for_update()
        return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _renumber(connection: AsyncConnection, entity: Entity, numbers: Numbers) -> Ended:
    """Give a subscriber these numbers; what was a device's own and is no more has no registrations either."""
    before, devices = await holder_of(connection, entity["id"]), await devices_of(connection, [entity["id"]])
    await assign(connection, entity["id"], entity["uuid"], numbers)
    after = await holder_of(connection, entity["id"])
    if after.number != before.number:
        await follow_number(connection, after.account, before.number, after.number)
    gone = devices - await devices_of(connection, [entity["id"]])
    return await end_registrations(connection, gone, entity["domain"]) if gone else ()


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


async def reseller_of(connection: AsyncConnection, subscriber: int) -> int:
    """Return the reseller of a subscriber that is there."""
    query = (
        select(contacts.c.reseller_id)
        .join_from(voip_subscribers, contracts, voip_subscribers.c.contract_id == contracts.c.id)
        .join(contacts, contracts.c.contact_id == contacts.c.id)
        .where(voip_subscribers.c.id == subscriber)
    )
    return int((await connection.execute(query)).scalar_one())


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


async def _login(values: Values) -> dict[str, Any]:
    """Return what is kept in provisioning; without a new web password the old one stays."""
    login = {name: values[name] for name in ("password", "webusername")} | {"admin": values["administrative"]}
    if values["webpassword"] is not None:
        hashed = await asyncio.to_thread(bcrypt.hashpw, values["webpassword"].encode(), bcrypt.gensalt())
        login["webpassword"] = hashed.decode()
    return login


def _billing(values: Values) -> dict[str, Any]:
    return {"status": values["status"], "external_id": values["external_id"]}
