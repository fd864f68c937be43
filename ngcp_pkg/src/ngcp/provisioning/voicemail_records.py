"""Voicemail as operators know it: messages, settings and greetings of subscribers, flat fields by name."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Select, String, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.belongings import holder_of
from ngcp.provisioning.blobs import uploaded
from ngcp.provisioning.call_forwards import OfSubscriberStore
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Ended, Entity, Store, Values
from ngcp.provisioning.tables.billing import voip_subscribers
from ngcp.provisioning.tables.kamailio import voicemail_spool, voicemail_users
from ngcp.provisioning.voicemail import (
    Folder,
    Greeting,
    change_mailbox,
    delete_message,
    find_greetings,
    keep_greeting,
    move_message,
)

_spool, _users = voicemail_spool.c, voicemail_users.c
#: The last part of `dir`: a folder, or a kind of greeting.
_KIND: Final = func.substring_index(_spool.dir, "/", -1, type_=String)
_FLAGS: Final = ("attach", "delete")


class VoicemailStore(Store):
    """Messages: their folder can be changed, and they can be removed."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return _of_subscribers(
            select(
                _spool.id,
                voip_subscribers.c.id.label("subscriber_id"),
                _KIND.label("folder"),
                _spool.callerid.label("caller"),
                _spool.origtime.label("time"),
                _spool.duration,
                _spool.call_id,
            ),
            Folder,
        )

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Tell times as such."""
        return [one | {"time": datetime.fromtimestamp(one["time"], UTC)} for one in entities]

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """Put the message into another folder."""
        folder = Folder(values["folder"])
        if folder != entity["folder"]:
            holder = await holder_of(connection, entity["subscriber_id"])
            await move_message(connection, holder.uuid, entity["id"], folder)
        return ()

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Remove the message for good."""
        holder = await holder_of(connection, entity["subscriber_id"])
        await delete_message(connection, holder.uuid, entity["id"])
        return ()

    async def sound(self, connection: AsyncConnection, number: int) -> bytes:
        """Return the WAV file."""
        return await _sound(connection, number)


class VoicemailSettingStore(OfSubscriberStore):
    """How subscribers' mailboxes are; each has one."""

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add the settings."""
        columns = (_users.attach, _users.delete, _users.email, _users.password.label("pin"))
        uuids = [one["uuid"] for one in entities]
        query = select(_users.customer_id, *columns).where(_users.customer_id.in_(uuids))
        found = {row["customer_id"]: row for row in (await connection.execute(query)).mappings()}
        shown = []
        for entity in entities:
            row = found.get(entity["uuid"])
            if row is not None:
                settings = {name: row[name] == "yes" for name in _FLAGS} | {
                    "email": row["email"] or None,
                    "pin": row["pin"],
                }
                shown.append({"id": entity["id"], "subscriber_id": entity["id"]} | settings)
        return shown

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return super().selection().join(voicemail_users, _users.customer_id == voip_subscribers.c.uuid)

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; without a new PIN the old one stays."""
        holder = await holder_of(connection, entity["id"])
        if values["delete"] and not values["attach"]:
            raise InvalidValue("attach", False, "must be set if delete is: the message would be lost")
        columns: dict[str, Any] = {name: "yes" if values[name] else "no" for name in _FLAGS}
        columns["email"] = values["email"] or ""
        if values["pin"] is not None:
            columns["password"] = values["pin"]
        await change_mailbox(connection, holder.uuid, columns)
        return ()


class VoicemailGreetingStore(Store):
    """What subscribers have spoken for those who reach their mailboxes: one of a kind."""

    def selection(self) -> Select[Any]:
        """See `Store`."""
        return _of_subscribers(
            select(_spool.id, voip_subscribers.c.id.label("subscriber_id"), _KIND.label("dir")), Greeting
        )

    async def create(self, connection: AsyncConnection, values: Values) -> int:
        """See `Creator`; `data` is the WAV file."""
        holder = await holder_of(connection, values["subscriber_id"])
        kind, data = Greeting(values["dir"]), _needed(values)
        if kind in await find_greetings(connection, holder.uuid):
            raise InvalidValue("dir", values["dir"], "exists already")
        await keep_greeting(connection, holder.uuid, kind, data, datetime.now(UTC).timestamp())
        newest = select(func.max(_spool.id)).where(_spool.mailboxuser == holder.uuid)
        return int((await connection.execute(newest)).scalar_one())

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`: another sound of the same kind; without `data` the old one stays."""
        for field in ("subscriber_id", "dir"):
            if values[field] != entity[field]:
                raise InvalidValue(field, values[field], "cannot be changed")
        if values.get("data") is not None:
            here = update(voicemail_spool).where(_spool.id == entity["id"])
            async with uploaded(connection, values["data"]) as sound:
                await connection.execute(here.values(recording=sound, origtime=func.unix_timestamp()))
        return ()

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Let callers hear the platform's own words again."""
        await connection.execute(delete(voicemail_spool).where(_spool.id == entity["id"]))
        return ()

    async def sound(self, connection: AsyncConnection, number: int) -> bytes:
        """Return the WAV file."""
        return await _sound(connection, number)


def _of_subscribers(query: Select[Any], kinds: type[Folder] | type[Greeting]) -> Select[Any]:
    subscribers = voip_subscribers.c
    return query.join_from(voicemail_spool, voip_subscribers, subscribers.uuid == _spool.mailboxuser).where(
        subscribers.status != "terminated", _KIND.in_([str(kind) for kind in kinds])
    )


async def _sound(connection: AsyncConnection, number: int) -> bytes:
    query = select(_spool.recording).where(_spool.id == number)
    return bytes((await connection.execute(query)).scalar_one())


def _needed(values: Values) -> bytes:
    data = values.get("data")
    if data is None:
        raise InvalidValue("greetingfile", "", "a WAV file expected")
    return bytes(data)
