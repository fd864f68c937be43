"""Registrations that operators make, refresh and remove: through the proxy, which owns them."""

import http.client
import time
import xmlrpc.client
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.api.proxy import Place, ProxyControl, ProxyRefusal, ProxyUnavailable
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.registrations import RegistrationStore
from ngcp.provisioning.store import Ended, Entity, Values


class ProxyRegistrations(RegistrationStore):
    """The registrations, with the proxy's help to change them."""

    def __init__(self, proxy: ProxyControl) -> None:
        self._proxy = proxy

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`."""
        aor = await self.address_of_record(connection, values["subscriber_id"])
        ruid = await self._register(aor, values)
        number = await self.number(connection, ruid)
        if number is None:
            raise ProxyUnavailable(f"registration {ruid} was not stored")
        return number

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; whose it is and where it leads stay."""
        for field in ("subscriber_id", "contact"):
            if values[field] != entity[field]:
                raise InvalidValue(field, values[field], "cannot be changed")
        await self._register(f"{entity['username']}@{entity['domain']}", values)
        return ()

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """See `Remover`."""
        await self._proxy.remove(f"{entity['username']}@{entity['domain']}", entity["contact"])
        return ()

    async def _register(self, aor: str, values: Values) -> str:
        place = Place(values["contact"], values["q"], values["path"] or "", values["nat"])
        try:
            return await self._proxy.add(aor, place, _seconds_until(values["expires"]))
        except ProxyRefusal as refusal:
            if refusal.code >= http.client.INTERNAL_SERVER_ERROR:
                raise ProxyUnavailable(str(refusal)) from refusal
            raise InvalidValue("contact", values["contact"], str(refusal)) from refusal


def _seconds_until(end: datetime | None) -> int:
    """Return how long a registration lasts that ends at `end` (naive: UTC); 0, or decades, is for ever."""
    if end is None:
        return 0
    aware = end if end.tzinfo else end.replace(tzinfo=UTC)
    seconds = round(aware.timestamp() - time.time())
    if seconds <= 0:
        raise InvalidValue("expires", end, "is over")
    return seconds if seconds <= xmlrpc.client.MAXINT else 0
