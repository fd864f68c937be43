"""Service codes carried out in MariaDB."""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from urllib.parse import unquote

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from ngcp.provisioning import changes
from ngcp.provisioning.engine import DatabaseUnavailable, transaction
from ngcp.provisioning.refusals import Refusal
from ngcp.provisioning.service_codes import Order, carry_out
from ngcp.voice.parameters import whole

_log = logging.getLogger(__name__)

#: Tells the proxy which `user@domain` were changed.
Announce = Callable[[Collection[str]], Awaitable[None]]


class Clerk:
    """Carries service codes out (a `service_code.Services`)."""

    def __init__(self, engine: AsyncEngine, announce: Announce) -> None:
        self._engine = engine
        self._announce = announce

    async def order(self, uuid: str, parameters: Mapping[str, str]) -> bool:
        """Do what a code asks for, and let the proxy know; one log line where it cannot be done."""
        try:
            async with transaction(self._engine) as connection:
                changes.take(connection)  # of one that failed
                await carry_out(connection, uuid, order_of(parameters))
                changed = changes.take(connection)
        except (Refusal, DatabaseUnavailable, IntegrityError, DataError) as error:
            _log.warning("service code %s of %.40s: %s", parameters.get("service"), uuid, error)
            return False
        if changed:
            await self._announce(changed)
        return True


def order_of(parameters: Mapping[str, str]) -> Order:
    """Read what the proxy wrote into P-App-Param."""
    number, time = unquote(parameters.get("number", "")), parameters.get("time", "")
    return Order(
        parameters.get("service", ""),
        parameters.get("state") == "on",
        destination=f"sip:{number}@{parameters.get('domain', '')}" if number else "",
        slot=parameters.get("slot", ""),
        seconds=whole(parameters, "seconds", 5),
        time=f"{time[:2]}:{time[2:]}" if time else "",
    )
