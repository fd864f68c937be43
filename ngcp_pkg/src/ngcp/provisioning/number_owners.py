"""Telephone numbers by themselves: whose they are, and how one moves to another subscriber."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.numbers import Number, Numbers, assign
from ngcp.provisioning.publication import publish
from ngcp.provisioning.refusals import InUse, InvalidValue
from ngcp.provisioning.store import Ended, Entity, Store, Values
from ngcp.provisioning.subscribers import SubscriberStore
from ngcp.provisioning.tables.billing import voip_numbers, voip_subscribers


class NumberStore(Store):
    """Numbers of living subscribers."""

    secret = frozenset({"is_primary"})

    def __init__(self, subscribers: SubscriberStore) -> None:
        self._subscribers = subscribers

    def selection(self) -> Select[Any]:
        """See `Store`."""
        columns, subscriber = voip_numbers.c, voip_subscribers.c
        return (
            select(
                columns.id,
                columns.cc,
                columns.ac,
                columns.sn,
                columns.subscriber_id,
                func.coalesce(subscriber.primary_number_id == columns.id, 0).label("is_primary"),
            )
            .join_from(voip_numbers, voip_subscribers, columns.subscriber_id == subscriber.id)
            .where(subscriber.status != "terminated")
        )

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Tell flags as such."""
        return [{**one, "cc": str(one["cc"]), "is_primary": bool(one["is_primary"])} for one in entities]

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`: an alias moves to another subscriber; a primary number stays where it is."""
        if values["subscriber_id"] == entity["subscriber_id"]:
            return ()
        if entity["is_primary"]:
            raise InUse("The number is its subscriber's primary number.")
        number = Number(entity["cc"], entity["ac"], entity["sn"])
        before = await self._subscribers.find(connection, entity["subscriber_id"], lock=True)
        after = await self._subscribers.find(connection, values["subscriber_id"], lock=True)
        if before is None or after is None:
            raise InvalidValue("subscriber_id", values["subscriber_id"], "does not exist")
        here = voip_numbers.c.id == entity["id"]  # the row moves, so the number keeps its own
        await connection.execute(update(voip_numbers).where(here).values(subscriber_id=after["id"]))
        for subscriber, aliases in (
            (before, [one for one in _aliases(before) if one != number]),
            (after, [*_aliases(after), number]),
        ):
            devices = frozenset(aliases) & _devices(subscriber)
            numbers = Numbers(_primary(subscriber), tuple(aliases), devices)
            await assign(connection, subscriber["id"], subscriber["uuid"], numbers)
            await publish(connection, subscriber["id"])
        return ()


def _number(parts: Entity) -> Number:
    return Number(parts["cc"], parts["ac"], parts["sn"])


def _primary(subscriber: Entity) -> Number | None:
    return _number(subscriber["primary_number"]) if subscriber["primary_number"] else None


def _aliases(subscriber: Entity) -> list[Number]:
    return [_number(parts) for parts in subscriber["alias_numbers"]]


def _devices(subscriber: Entity) -> frozenset[Number]:
    return frozenset(_number(parts) for parts in subscriber["alias_numbers"] if parts["is_devid"])
