"""Wake-up calls: one for each subscriber, at a time of his own time zone."""

from collections.abc import Sequence
from datetime import time, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.belongings import BelongingStore, Holder
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Entity, Values
from ngcp.provisioning.tables.features import voip_reminder


class ReminderStore(BelongingStore):
    """When subscribers are called."""

    table = voip_reminder

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Write times as `HH:MM:SS`; the driver has them as differences."""
        whole = await super().complete(connection, entities)
        return [entity | {"time": _clock(entity["time"])} for entity in whole]

    def normal(self, values: Values, holder: Holder) -> Values:
        """Read the time of day."""
        try:
            return {**values, "time": time.fromisoformat(values["time"])}
        except ValueError as error:
            raise InvalidValue("time", values["time"], "a time of day expected, HH:MM or HH:MM:SS") from error

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """Nothing that the proxy remembers."""


def _clock(value: time | timedelta) -> str:
    if isinstance(value, time):
        return value.isoformat()
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
