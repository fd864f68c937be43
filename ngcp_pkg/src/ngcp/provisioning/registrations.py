"""Registrations as operators see them: rows of kamailio.location, with whose they are.

Only the proxy changes them: it answers calls from memory, so that a row that was changed behind its back
would change nothing.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.location import NAT
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Entity, Store
from ngcp.provisioning.tables.billing import domains, voip_subscribers
from ngcp.provisioning.tables.kamailio import dbaliases, location


class RegistrationStore(Store):
    """Registrations that have not ended, those of a subscriber's device aliases included."""

    secret = frozenset({"expires"})

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns, account, alias = location.c, voip_subscribers.c, dbaliases.c
        device = and_(
            alias.alias_username == columns.username,
            alias.alias_domain == columns.domain,
            alias.is_devid == 1,
        )
        username = func.coalesce(alias.username, columns.username)
        living = and_(account.username == username, account.status != "terminated")
        return (
            select(
                columns.id,
                account.id.label("subscriber_id"),
                columns.contact,
                columns.expires,
                columns.q,
                columns.path,
                columns.received,
                columns.user_agent,
                columns.username,
                columns.domain,
                columns.ruid,
                columns.instance,
                columns.reg_id,
                columns.cflags.label("nat"),
            )
            .join_from(location, domains, domains.c.domain == columns.domain)
            .join(dbaliases, device, isouter=True)
            .join(voip_subscribers, and_(living, account.domain_id == domains.c.id))
            .where(columns.expires > func.unix_timestamp())
        )

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Say when each ends as a date (UTC), and whether its phone is behind NAT."""
        return [
            one | {"expires": datetime.fromtimestamp(one["expires"], UTC), "nat": bool(one["nat"] & NAT)}
            for one in entities
        ]

    async def find(self, connection: AsyncConnection, number: int, *, lock: bool = False) -> Entity | None:
        """See `Store`; never locked, because it is the proxy that writes."""
        return await super().find(connection, number)

    async def number(self, connection: AsyncConnection, ruid: str) -> int | None:
        """Return the number of the registration that the proxy calls `ruid`."""
        query = select(location.c.id).where(location.c.ruid == ruid)
        found: int | None = (await connection.execute(query)).scalar()
        return found

    async def address_of_record(self, connection: AsyncConnection, subscriber: int) -> str:
        """Return a subscriber's user@domain; raises InvalidValue if there is none."""
        columns = voip_subscribers.c
        query = (
            select(columns.username, domains.c.domain)
            .join_from(voip_subscribers, domains, columns.domain_id == domains.c.id)
            .where(columns.id == subscriber, columns.status != "terminated")
        )
        row = (await connection.execute(query)).first()
        if row is None:
            raise InvalidValue("subscriber_id", subscriber, "does not exist")
        return f"{row.username}@{row.domain}"
