"""SIP domains."""

from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.changes import note
from ngcp.provisioning.preferences import truth as preferences
from ngcp.provisioning.preferences.levels import DOMAIN
from ngcp.provisioning.preferences.networks import drop_groups
from ngcp.provisioning.refusals import InUse
from ngcp.provisioning.resellers import reseller_or_first
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Ended, Entity, Store, Values
from ngcp.provisioning.tables import kamailio, provisioning
from ngcp.provisioning.tables.billing import domains, voip_subscribers


class DomainStore(Store):
    """SIP domains that we are responsible for, each of one reseller."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return select(domains.c.id, domains.c.domain, domains.c.reseller_id)

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`; without `reseller_id` it is the provider's own domain."""
        reseller, name = await reseller_or_first(connection, values["reseller_id"]), values["domain"]
        await add_row(connection, provisioning.voip_domains, domain=name)
        await add_row(connection, kamailio.domain, domain=name)
        note(connection, name)
        return await add_row(connection, domains, domain=name, reseller_id=reseller)

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Remove a domain without subscribers, and what was kept of the terminated ones."""
        subscribers = voip_subscribers.c
        living = select(subscribers.id).where(
            subscribers.domain_id == entity["id"], subscribers.status != "terminated"
        )
        if (await connection.execute(living.limit(1))).first() is not None:
            raise InUse("Domain is still in use by subscribers.")
        await connection.execute(delete(voip_subscribers).where(subscribers.domain_id == entity["id"]))
        owner = await DOMAIN.owner(connection, entity["id"])
        await drop_groups(connection, DOMAIN, owner)
        await preferences.withdraw(connection, DOMAIN, owner)
        for table in (domains, provisioning.voip_domains, kamailio.domain):
            await connection.execute(delete(table).where(table.c.domain == entity["domain"]))
        note(connection, entity["domain"])
        return ()
