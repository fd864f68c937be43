"""The proxy's copy of a subscriber, in database `kamailio`; who changes the truth writes it, too.

What was written is noted (`changes`), because the proxy remembers what it read.
"""

import hashlib

from sqlalchemy import RowMapping, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.changes import note
from ngcp.provisioning.tables import kamailio
from ngcp.provisioning.tables.billing import contracts, domains, voip_numbers, voip_subscribers
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts

#: Value of preference `lock` that stops everything.
LOCK_GLOBAL = "4"


async def publish(connection: AsyncConnection, subscriber: int) -> None:
    """Make the proxy's copy of subscriber number `subscriber` what it is now."""
    truth = await _read(connection, subscriber)
    await _clear(connection, truth["uuid"], truth["username"], truth["domain"])
    await connection.execute(insert(kamailio.subscriber).values(_account(truth)))
    aliases = await _aliases(connection, truth)
    if aliases:
        await connection.execute(insert(kamailio.dbaliases), aliases)
    if "locked" in (truth["status"], truth["contract_status"]):
        key = {name: truth[name] for name in ("uuid", "username", "domain")}
        lock = insert(kamailio.usr_preferences).values(**key, attribute="lock", type=1, value=LOCK_GLOBAL)
        await connection.execute(lock)


async def withdraw(connection: AsyncConnection, uuid: str, username: str, domain: str) -> None:
    """Take a subscriber, its registrations included, out of the proxy's copy."""
    await _clear(connection, uuid, username, domain)
    where = (kamailio.location.c.username == username, kamailio.location.c.domain == domain)
    await connection.execute(delete(kamailio.location).where(*where))


async def _read(connection: AsyncConnection, subscriber: int) -> RowMapping:
    columns = voip_subscribers.c
    query = (
        select(
            columns.uuid,
            columns.username,
            columns.status,
            columns.primary_number_id,
            columns.id,
            domains.c.domain,
            accounts.c.password,
            contracts.c.status.label("contract_status"),
        )
        .join_from(voip_subscribers, domains, columns.domain_id == domains.c.id)
        .join(accounts, accounts.c.uuid == columns.uuid)
        .join(contracts, contracts.c.id == columns.contract_id)
        .where(columns.id == subscriber)
    )
    return (await connection.execute(query)).mappings().one()


async def _clear(connection: AsyncConnection, uuid: str, username: str, domain: str) -> None:
    note(connection, f"{username}@{domain}")
    aliases, locks = kamailio.dbaliases, kamailio.usr_preferences
    await connection.execute(delete(kamailio.subscriber).where(kamailio.subscriber.c.uuid == uuid))
    await connection.execute(
        delete(aliases).where(aliases.c.username == username, aliases.c.domain == domain)
    )
    await connection.execute(delete(locks).where(locks.c.uuid == uuid, locks.c.attribute == "lock"))


def _account(truth: RowMapping) -> dict[str, str]:
    username, domain, password = truth["username"], truth["domain"], truth["password"]
    return {
        "uuid": truth["uuid"],
        "username": username,
        "domain": domain,
        "password": password,
        "ha1": _md5(f"{username}:{domain}:{password}"),
        "ha1b": _md5(f"{username}@{domain}:{domain}:{password}"),
    }


async def _aliases(connection: AsyncConnection, truth: RowMapping) -> list[dict[str, object]]:
    columns = voip_numbers.c
    rows = await connection.execute(select(voip_numbers).where(columns.subscriber_id == truth["id"]))
    return [
        {
            "alias_username": f"{row.cc}{row.ac}{row.sn}",
            "alias_domain": truth["domain"],
            "username": truth["username"],
            "domain": truth["domain"],
            "is_primary": row.id == truth["primary_number_id"],
        }
        for row in rows
    ]


def _md5(text: str) -> str:
    """Hash as RFC 7616 §3.4.2 wants it."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
