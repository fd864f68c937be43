"""Speed dials: what a subscriber calls by a few keys."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.belongings import holder_of
from ngcp.provisioning.call_forwards import OfSubscriberStore
from ngcp.provisioning.changes import note
from ngcp.provisioning.destinations import uri_of
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Ended, Entity, Values
from ngcp.provisioning.tables.billing import voip_subscribers
from ngcp.provisioning.tables.features import voip_speed_dial
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts

#: The slots that phones can dial unless the platform is told otherwise.
SLOTS: Final = tuple(f"*{digit}" for digit in range(10))


class SpeedDialStore(OfSubscriberStore):
    """The slots that a subscriber has filled."""

    def __init__(self, slots: Sequence[str] = SLOTS) -> None:
        self._slots = slots

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add the slots."""
        found: dict[int, list[Entity]] = {entity["id"]: [] for entity in entities}
        columns = voip_speed_dial.c
        query = (
            select(voip_subscribers.c.id, columns.slot, columns.destination)
            .join_from(voip_speed_dial, accounts, accounts.c.id == columns.subscriber_id)
            .join(voip_subscribers, voip_subscribers.c.uuid == accounts.c.uuid)
            .where(voip_subscribers.c.id.in_(found))
            .order_by(columns.slot)
        )
        for row in await connection.execute(query):
            found[row.id].append({"slot": row.slot, "destination": row.destination})
        return [
            {"id": number, "subscriber_id": number, "speeddials": speed_dials}
            for number, speed_dials in found.items()
        ]

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; all slots are replaced."""
        holder = await holder_of(connection, entity["id"])
        rows = []
        for index, one in enumerate(values["speeddials"]):
            field, slot, text = f"speeddials.{index}", one["slot"], one["destination"]
            if slot not in self._slots:
                raise InvalidValue(f"{field}.slot", slot, f"must be one of {', '.join(self._slots)}")
            try:
                uri = uri_of(text, holder.number, holder.domain)
            except ValueError as error:
                raise InvalidValue(f"{field}.destination", text, str(error)) from error
            rows.append({"subscriber_id": holder.account, "slot": slot, "destination": uri})
        await connection.execute(
            delete(voip_speed_dial).where(voip_speed_dial.c.subscriber_id == holder.account)
        )
        if rows:
            await connection.execute(insert(voip_speed_dial), rows)
        note(connection, holder.name)
        return ()

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Empty all slots."""
        return await self.change(connection, entity, {"speeddials": ()})
