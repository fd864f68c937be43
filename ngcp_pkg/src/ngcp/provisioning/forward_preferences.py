"""The preferences that show call forwards: `cfu` and its like name mappings, `ringtimeout` delays cft."""

from collections.abc import Collection, Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.belongings import Holder
from ngcp.provisioning.preferences.levels import SUBSCRIBER
from ngcp.provisioning.preferences.store import put_internal
from ngcp.provisioning.preferences.values import Texts
from ngcp.provisioning.tables.features import KINDS, voip_cf_mappings
from ngcp.provisioning.tables.kamailio import usr_preferences

RING_TIMEOUT: Final = "ringtimeout"


async def keep_in_step(connection: AsyncConnection, holder: Holder) -> None:
    """Let the preferences name a subscriber's mappings as they are now."""
    columns = voip_cf_mappings.c
    mine = columns.subscriber_id == holder.account
    query = select(columns.type, columns.id).where(mine).order_by(columns.id)
    values: dict[str, Texts] = dict.fromkeys(KINDS, ())
    for row in await connection.execute(query):
        values[row.type] += (str(row.id),)
    await put_internal(connection, SUBSCRIBER, holder.subscriber, values)


async def set_ring_timeout(connection: AsyncConnection, holder: Holder, seconds: int | None) -> None:
    """Let calls ring for that long before cft takes them; None: as long as the platform says."""
    texts: Texts = () if seconds is None else (str(seconds),)
    await put_internal(connection, SUBSCRIBER, holder.subscriber, {RING_TIMEOUT: texts})


async def ring_timeouts(connection: AsyncConnection, uuids: Collection[str]) -> Mapping[str, int]:
    """Return for how many seconds calls ring before cft takes them, by UUID, as far as it was said."""
    columns = usr_preferences.c
    here = columns.uuid.in_(uuids), columns.attribute == RING_TIMEOUT
    rows = await connection.execute(select(columns.uuid, columns.value).where(*here))
    return {str(row.uuid): int(row.value) for row in rows}
