"""What a service code (VSC) does to whoever dials it: the same that he could do by the API.

The phone gives the code, the proxy reads it, the back-to-back user agent has it carried out here and tells
the caller that it was.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.belongings import holder_of
from ngcp.provisioning.call_forwards import replace_mappings
from ngcp.provisioning.preferences.levels import SUBSCRIBER
from ngcp.provisioning.preferences.store import put_internal
from ngcp.provisioning.preferences.values import Texts
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.reminders import ReminderStore
from ngcp.provisioning.simple_forwards import NONE, CallForwardStore
from ngcp.provisioning.speed_dials import SpeedDialStore
from ngcp.provisioning.store import Entity, Store
from ngcp.provisioning.tables.billing import voip_subscribers
from ngcp.provisioning.tables.features import voip_reminder
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts

#: Preferences that a code switches, by the name of its service.
SWITCHES: Final[Mapping[str, str]] = {
    "clir": "clir",
    "block_in_clir": "block_in_clir",
    "colr": "colr",
    "dnd": "dnd",
}
#: Call forwards that a code sets.
FORWARDS: Final = ("cfu", "cfb", "cft", "cfna")
#: Seconds that a destination may ring.
RINGING: Final = 300


@dataclass(frozen=True, slots=True)
class Order:
    """What a code asks for."""

    service: str
    """`cfu`, `cfb`, `cft`, `cfna`; `clir`, `block_in_clir`, `colr`, `dnd`; `speed_dial`, `reminder`;
    `forwards` (all of them, off only), `all` (whatever codes can switch, off only)."""
    is_on: bool
    destination: str = ""
    """A SIP URI: where to forward to, or what the slot calls."""
    slot: str = ""
    """`*0` to `*9`."""
    seconds: int | None = None
    """How long it rings before `cft`."""
    time: str = ""
    """Of a reminder, `HH:MM`."""


async def carry_out(connection: AsyncConnection, uuid: str, order: Order) -> None:
    """Do for the subscriber of that UUID what `order` asks for; raises `Refusal` and changes nothing."""
    query = select(voip_subscribers.c.id).where(
        voip_subscribers.c.uuid == uuid, voip_subscribers.c.status != "terminated"
    )
    number = (await connection.execute(query)).scalar()
    if number is None:
        raise InvalidValue("uuid", uuid, "is nobody")
    execute = _SERVICES.get(order.service)
    if execute is None:
        raise InvalidValue("service", order.service, f"must be one of {', '.join(sorted(_SERVICES))}")
    await execute(connection, int(number), order)


async def _switch(connection: AsyncConnection, number: int, order: Order) -> None:
    await _set(connection, number, {SWITCHES[order.service]: order.is_on})


async def _forward(connection: AsyncConnection, number: int, order: Order) -> None:
    store, holder = CallForwardStore(), await holder_of(connection, number)
    await replace_mappings(connection, holder, (order.service,), ())  # there may be several by the API
    entity = await _find(store, connection, number)
    wanted = entity[order.service] | NONE
    if order.is_on:
        wanted["destinations"] = [{"destination": order.destination, "priority": 1, "timeout": RINGING}]
    if order.service == "cft":
        wanted["ringtimeout"] = order.seconds
    await store.change(connection, entity, entity | {order.service: wanted})


async def _forwards_off(connection: AsyncConnection, number: int, order: Order) -> None:
    store = CallForwardStore()
    await store.remove(connection, await _find(store, connection, number))


async def _dial(connection: AsyncConnection, number: int, order: Order) -> None:
    store = SpeedDialStore()
    entity = await _find(store, connection, number)
    others = [one for one in entity["speeddials"] if one["slot"] != order.slot]
    new = [{"slot": order.slot, "destination": order.destination}] if order.is_on else []
    await store.change(connection, entity, {"speeddials": [*others, *new]})


async def _remind(connection: AsyncConnection, number: int, order: Order) -> None:
    account = (
        select(accounts.c.id)
        .join(voip_subscribers, voip_subscribers.c.uuid == accounts.c.uuid)
        .where(voip_subscribers.c.id == number)
    )
    mine = voip_reminder.c.subscriber_id == account.scalar_subquery()
    await connection.execute(delete(voip_reminder).where(mine))
    if order.is_on:
        values = {"subscriber_id": number, "time": order.time, "recur": "never", "active": True}
        await ReminderStore().create(connection, values)


async def _everything_off(connection: AsyncConnection, number: int, order: Order) -> None:
    await _forwards_off(connection, number, order)
    await _remind(connection, number, order)
    await _set(connection, number, dict.fromkeys(SWITCHES.values(), False))


async def _set(connection: AsyncConnection, number: int, wanted: Mapping[str, bool]) -> None:
    texts: Mapping[str, Texts] = {name: ("1",) if is_on else () for name, is_on in wanted.items()}
    await put_internal(connection, SUBSCRIBER, number, texts)


async def _find(store: Store, connection: AsyncConnection, number: int) -> Entity:
    entity = await store.find(connection, number, lock=True)
    assert entity is not None, "whoever is not terminated has one"
    return entity


_SERVICES: Final[Mapping[str, Callable[[AsyncConnection, int, Order], Awaitable[None]]]] = {
    **dict.fromkeys(SWITCHES, _switch),
    **dict.fromkeys(FORWARDS, _forward),
    "forwards": _forwards_off,
    "speed_dial": _dial,
    "reminder": _remind,
    "all": _everything_off,
}
