"""A subscriber's telephone numbers: one primary number and any number of aliases."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.rows import add_row
from ngcp.provisioning.store import Entity
from ngcp.provisioning.tables.billing import voip_numbers, voip_subscribers
from ngcp.provisioning.tables.provisioning import voip_dbaliases
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts


class Number(NamedTuple):
    """An E.164 number in its parts: country code, area code ("" if there is none), subscriber number."""

    cc: str
    ac: str
    sn: str

    @property
    def e164(self) -> str:
        """The number as it is dialled internationally, without "+"."""
        return self.cc + self.ac + self.sn


class Numbers(NamedTuple):
    """All numbers of a subscriber."""

    primary: Number | None = None
    aliases: tuple[Number, ...] = ()
    devices: frozenset[Number] = frozenset()
    """Those of the aliases that are a device's own."""


async def assign(connection: AsyncConnection, subscriber: int, uuid: str, numbers: Numbers) -> None:
    """Make these, and no others, the numbers of billing's `subscriber` with that `uuid`.

    A number that belongs to somebody else makes the database raise IntegrityError.
    """
    primary = numbers.primary
    wanted = dict.fromkeys([*([primary] if primary else []), *numbers.aliases])
    has = await _numbers(connection, subscriber)
    gone = [number for parts, number in has.items() if parts not in wanted]
    await connection.execute(delete(voip_numbers).where(voip_numbers.c.id.in_(gone)))
    for parts in wanted:
        if parts not in has:
            has[parts] = await add_row(connection, voip_numbers, **parts._asdict(), subscriber_id=subscriber)
    here = voip_subscribers.c.id == subscriber
    number = has[primary] if primary else None
    await connection.execute(update(voip_subscribers).where(here).values(primary_number_id=number))
    await _alias(connection, uuid, wanted, numbers)


async def release(connection: AsyncConnection, subscriber: int, uuid: str) -> None:
    """Take all numbers from a subscriber, for others to have."""
    await assign(connection, subscriber, uuid, Numbers())


async def complete_numbers(connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
    """Return subscribers that have `id` and `primary_number_id` with their numbers."""
    by_subscriber: dict[int, dict[int, Entity]] = {entity["id"]: {} for entity in entities}
    devices = await devices_of(connection, by_subscriber)
    query = (
        select(voip_numbers)
        .where(voip_numbers.c.subscriber_id.in_(by_subscriber))
        .order_by(voip_numbers.c.id)
    )
    for row in await connection.execute(query):
        number = Number(str(row.cc), row.ac, row.sn)
        is_device = number.e164 in devices
        by_subscriber[row.subscriber_id][row.id] = {**number._asdict(), "is_devid": is_device}
    return [_with_numbers(entity, by_subscriber[entity["id"]]) for entity in entities]


async def devices_of(connection: AsyncConnection, subscribers: Collection[int]) -> frozenset[str]:
    """Return those numbers of billing's `subscribers` that are a device's own."""
    query = (
        select(voip_dbaliases.c.username)
        .join_from(voip_dbaliases, accounts, accounts.c.id == voip_dbaliases.c.subscriber_id)
        .join(voip_subscribers, voip_subscribers.c.uuid == accounts.c.uuid)
        .where(voip_subscribers.c.id.in_(subscribers), voip_dbaliases.c.is_devid)
    )
    return frozenset((await connection.execute(query)).scalars())


def _with_numbers(entity: Entity, numbers: dict[int, Entity]) -> Entity:
    primary = numbers.pop(entity["primary_number_id"], None)
    if primary is not None:
        del primary["is_devid"]
    rest = {name: value for name, value in entity.items() if name != "primary_number_id"}
    return rest | {"primary_number": primary, "alias_numbers": list(numbers.values())}


async def _numbers(connection: AsyncConnection, subscriber: int) -> dict[Number, int]:
    rows = await connection.execute(select(voip_numbers).where(voip_numbers.c.subscriber_id == subscriber))
    return {Number(str(row.cc), row.ac, row.sn): row.id for row in rows}


async def _alias(connection: AsyncConnection, uuid: str, wanted: Iterable[Number], numbers: Numbers) -> None:
    """Rewrite what provisioning calls the subscriber's aliases."""
    account = (await connection.execute(select(accounts).where(accounts.c.uuid == uuid))).one()
    await connection.execute(delete(voip_dbaliases).where(voip_dbaliases.c.subscriber_id == account.id))
    rows = [
        {
            "username": number.e164,
            "domain_id": account.domain_id,
            "subscriber_id": account.id,
            "is_primary": number == numbers.primary,
            "is_devid": number in numbers.devices and number != numbers.primary,
        }
        for number in wanted
    ]
    if rows:
        await connection.execute(insert(voip_dbaliases), rows)
