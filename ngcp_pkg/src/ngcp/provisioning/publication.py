"""The proxy's copy of a subscriber, in database `kamailio`; who changes the truth writes it, too.

What was written is noted (`changes`), because the proxy remembers what it read.
"""

import hashlib
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, ScalarSelect, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.changes import note
from ngcp.provisioning.numbers import devices_of
from ngcp.provisioning.preferences import truth as preferences
from ngcp.provisioning.preferences.levels import SUBSCRIBER
from ngcp.provisioning.store import Ended
from ngcp.provisioning.tables import kamailio
from ngcp.provisioning.tables.billing import (
    contacts,
    contracts,
    domains,
    resellers,
    voip_numbers,
    voip_subscribers,
)
from ngcp.provisioning.tables.features import trusted, voip_trusted_sources
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts

#: What the proxy is told that was changed when it is whom subscribers trust.
TRUST = "trusted"


async def publish(connection: AsyncConnection, subscriber: int) -> None:
    """Make the proxy's copy of subscriber number `subscriber` what it is now."""
    truth = await _read(connection, subscriber)
    await _clear(connection, truth["uuid"], truth["username"], truth["domain"])
    await connection.execute(insert(kamailio.subscriber).values(_account(truth)))
    aliases = await _aliases(connection, truth)
    if aliases:
        await connection.execute(insert(kamailio.dbaliases), aliases)
    await preferences.publish(connection, SUBSCRIBER, await SUBSCRIBER.owner(connection, subscriber))


async def withdraw(connection: AsyncConnection, uuid: str, username: str, domain: str) -> None:
    """Take a subscriber out of the proxy's copy; his registrations are left to `end_registrations`."""
    await _clear(connection, uuid, username, domain)
    copy = kamailio.usr_preferences
    await connection.execute(delete(copy).where(copy.c.uuid == uuid))
    await withdraw_trust(connection, uuid)


async def end_registrations(connection: AsyncConnection, users: Collection[str], domain: str) -> Ended:
    """Remove what these users, or device aliases, of a domain have registered; return whose it was."""
    columns = kamailio.location.c
    here = columns.username.in_(users), columns.domain == domain
    await connection.execute(delete(kamailio.location).where(*here))
    return tuple(f"{user}@{domain}" for user in sorted(users))


async def _read(connection: AsyncConnection, subscriber: int) -> RowMapping:
    columns = voip_subscribers.c
    query = (
        select(
            columns.uuid,
            columns.username,
            columns.primary_number_id,
            columns.id,
            domains.c.domain,
            accounts.c.password,
            _timezone(columns.contract_id).label("timezone"),
        )
        .join_from(voip_subscribers, domains, columns.domain_id == domains.c.id)
        .join(accounts, accounts.c.uuid == columns.uuid)
        .where(columns.id == subscriber)
    )
    return (await connection.execute(query)).mappings().one()


async def _clear(connection: AsyncConnection, uuid: str, username: str, domain: str) -> None:
    note(connection, f"{username}@{domain}")
    aliases = kamailio.dbaliases
    await connection.execute(delete(kamailio.subscriber).where(kamailio.subscriber.c.uuid == uuid))
    await connection.execute(
        delete(aliases).where(aliases.c.username == username, aliases.c.domain == domain)
    )


async def publish_trust(connection: AsyncConnection, uuid: str) -> None:
    """Make the proxy's copy of whom a subscriber trusts what it is now."""
    await withdraw_trust(connection, uuid)
    query = select(voip_trusted_sources).where(voip_trusted_sources.c.uuid == uuid)
    rows = [
        {"src_ip": row.src_ip, "proto": row.protocol, "from_pattern": row.from_pattern, "tag": uuid}
        for row in await connection.execute(query)
    ]
    if rows:
        await connection.execute(insert(trusted), rows)
        note(connection, TRUST)


async def withdraw_trust(connection: AsyncConnection, uuid: str) -> None:
    """Take whom a subscriber trusts out of the proxy's copy."""
    gone = await connection.execute(delete(trusted).where(trusted.c.tag == uuid))
    if gone.rowcount:
        note(connection, TRUST)


async def publish_timezone(connection: AsyncConnection, contact: int) -> None:
    """Let the subscribers of a contact, a customer's or his reseller's, have its time zone from now on."""
    columns, customer = voip_subscribers.c, contracts.alias()
    theirs = select(resellers.c.id).join(contracts, contracts.c.id == resellers.c.contract_id)
    of_resellers = theirs.where(contracts.c.contact_id == contact)
    query = (
        select(columns.uuid, columns.username, domains.c.domain, _timezone(columns.contract_id))
        .join_from(voip_subscribers, domains, columns.domain_id == domains.c.id)
        .join(customer, customer.c.id == columns.contract_id)
        .join(contacts, contacts.c.id == customer.c.contact_id)
        .where(columns.status != "terminated")
        .where((contacts.c.id == contact) | contacts.c.reseller_id.in_(of_resellers))
    )
    copy = kamailio.subscriber
    for uuid, username, domain, timezone in await connection.execute(query):
        await connection.execute(update(copy).where(copy.c.uuid == uuid).values(timezone=timezone))
        note(connection, f"{username}@{domain}")


def _timezone(contract: ColumnElement[Any]) -> ScalarSelect[Any]:
    """Return the time zone of a customer: his own, his reseller's, or none."""
    own, his, theirs = contacts.alias(), contracts.alias(), contacts.alias()
    contract_of_reseller = contracts.alias()
    return (
        select(func.coalesce(own.c.timezone, theirs.c.timezone, ""))
        .join_from(his, own, own.c.id == his.c.contact_id)
        .outerjoin(resellers, resellers.c.id == own.c.reseller_id)
        .outerjoin(contract_of_reseller, contract_of_reseller.c.id == resellers.c.contract_id)
        .outerjoin(theirs, theirs.c.id == contract_of_reseller.c.contact_id)
        .where(his.c.id == contract)
        .scalar_subquery()
    )


def _account(truth: RowMapping) -> dict[str, str]:
    username, domain, password = truth["username"], truth["domain"], truth["password"]
    return {
        "uuid": truth["uuid"],
        "username": username,
        "domain": domain,
        "password": password,
        "timezone": truth["timezone"],
        "ha1": _md5(f"{username}:{domain}:{password}"),
        "ha1b": _md5(f"{username}@{domain}:{domain}:{password}"),
    }


async def _aliases(connection: AsyncConnection, truth: RowMapping) -> list[dict[str, object]]:
    columns = voip_numbers.c
    rows = await connection.execute(select(voip_numbers).where(columns.subscriber_id == truth["id"]))
    devices = await devices_of(connection, [truth["id"]])
    numbers = {f"{row.cc}{row.ac}{row.sn}": row.id for row in rows}
    return [
        {
            "alias_username": number,
            "alias_domain": truth["domain"],
            "username": truth["username"],
            "domain": truth["domain"],
            "is_primary": key == truth["primary_number_id"],
            "is_devid": number in devices,
            "devid_alias": number if number in devices else None,
        }
        for number, key in numbers.items()
    ]


def _md5(text: str) -> str:
    """Hash as RFC 7616 §3.4.2 wants it."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
