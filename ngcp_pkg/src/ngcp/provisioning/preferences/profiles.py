"""Subscriber profiles: preferences that subscribers share, and which they may change themselves."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.preferences.catalogue import at_level, suggestion
from ngcp.provisioning.preferences.levels import PROFILE, SUBSCRIBER
from ngcp.provisioning.preferences.networks import drop_groups
from ngcp.provisioning.preferences.truth import sweep
from ngcp.provisioning.records import RecordStore, ResellerRecordStore
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Ended, Entity, Values
from ngcp.provisioning.tables.billing import voip_subscribers
from ngcp.provisioning.tables.preferences import (
    voip_preferences,
    voip_subscriber_profile_attributes,
    voip_subscriber_profile_sets,
    voip_subscriber_profiles,
)
from ngcp.provisioning.tables.provisioning import voip_subscribers as accounts

_ATTRIBUTES: Final = {**at_level(PROFILE.name), **at_level(SUBSCRIBER.name)}


class ProfileSetStore(ResellerRecordStore):
    """Sets of profiles, each of one reseller; a subscriber has one of a set's profiles."""

    table = voip_subscriber_profile_sets

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Remove a set that no subscriber has, with its profiles."""
        columns = voip_subscriber_profiles.c
        mine = select(columns.id).where(columns.set_id == entity["id"])
        for number in (await connection.execute(mine)).scalars():
            await drop_groups(connection, PROFILE, await PROFILE.owner(connection, number))
        ended = await super().remove(connection, entity)
        await sweep(connection, PROFILE, voip_subscriber_profiles)
        return ended


class ProfileStore(RecordStore):
    """Profiles of a set; the first one, or the one that says so, is the set's default."""

    table = voip_subscriber_profiles
    fixed = ("set_id",)

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add the names of the attributes."""
        links, names = voip_subscriber_profile_attributes.c, voip_preferences.c
        query = (
            select(links.profile_id, names.attribute)
            .join_from(voip_subscriber_profile_attributes, voip_preferences, links.attribute_id == names.id)
            .where(links.profile_id.in_([entity["id"] for entity in entities]))
            .order_by(names.attribute)
        )
        attributes: dict[int, list[str]] = {entity["id"]: [] for entity in entities}
        for profile, attribute in await connection.execute(query):
            attributes[profile].append(attribute)
        plain = await super().complete(connection, entities)
        return [entity | {"attributes": attributes[entity["id"]]} for entity in plain]

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """Check the attributes' names; see that the set has one default."""
        for name in values["attributes"]:
            if name not in _ATTRIBUTES:
                problem = f"is no preference of subscribers{suggestion(name, _ATTRIBUTES)}"
                raise InvalidValue("attributes", name, problem)
        columns = voip_subscriber_profiles.c
        others = columns.set_id == values["set_id"]
        if entity is not None:
            others &= columns.id != entity["id"]
        if values["set_default"]:
            await connection.execute(update(voip_subscriber_profiles).where(others).values(set_default=False))
            return values
        default = select(columns.id).where(others, columns.set_default).limit(1)
        is_first = (await connection.execute(default)).first() is None
        return {**values, "set_default": is_first}

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Remove a profile that no subscriber has."""
        await drop_groups(connection, PROFILE, await PROFILE.owner(connection, entity["id"]))
        ended = await super().remove(connection, entity)
        await sweep(connection, PROFILE, voip_subscriber_profiles)
        return ended

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """Replace the attributes of a profile that is still there."""
        columns = voip_subscriber_profiles.c
        there = select(columns.id).where(columns.id == entity["id"])
        if (await connection.execute(there)).first() is not None:
            await _replace_attributes(connection, entity["id"], entity["attributes"])
        await super().publish(connection, entity)


async def _replace_attributes(connection: AsyncConnection, profile: int, names: Collection[str]) -> None:
    links = voip_subscriber_profile_attributes
    await connection.execute(delete(links).where(links.c.profile_id == profile))
    query = select(voip_preferences.c.id).where(voip_preferences.c.attribute.in_(list(names)))
    rows = [
        {"profile_id": profile, "attribute_id": number}
        for number in (await connection.execute(query)).scalars()
    ]
    if rows:
        await connection.execute(insert(links), rows)


async def choose_profile(connection: AsyncConnection, values: Values, reseller: int) -> Mapping[str, Any]:
    """Return the set and the profile that a subscriber of `reseller` is to have; raises InvalidValue.

    A set alone means its default; a profile alone is of its own set.
    """
    wanted, profile = values["profile_set_id"], values["profile_id"]
    if wanted is None and profile is None:
        return {"profile_set_id": None, "profile_id": None}
    columns, sets = voip_subscriber_profiles.c, voip_subscriber_profile_sets.c
    query = (
        select(columns.set_id.label("profile_set_id"), columns.id.label("profile_id"))
        .join_from(voip_subscriber_profiles, voip_subscriber_profile_sets, columns.set_id == sets.id)
        .where(sets.reseller_id == reseller)
    )
    if wanted is not None:
        query = query.where(sets.id == wanted)
    query = query.where(columns.set_default if profile is None else columns.id == profile)
    row = (await connection.execute(query)).mappings().first()
    if row is None and profile is None:
        raise InvalidValue("profile_set_id", wanted, "does not exist, or has no profile")
    if row is None:
        raise InvalidValue("profile_id", profile, "does not exist, or is of another set")
    return dict(row)


async def allowed_by_profile(connection: AsyncConnection, subscriber: int) -> Collection[str] | None:
    """Return what a subscriber's profile lets him change; None: nothing is forbidden."""
    profiles, links, names = voip_subscriber_profiles, voip_subscriber_profile_attributes, voip_preferences
    query = (
        select(profiles.c.id)
        .join_from(profiles, accounts, accounts.c.profile_id == profiles.c.id)
        .join(voip_subscribers, voip_subscribers.c.uuid == accounts.c.uuid)
        .where(voip_subscribers.c.id == subscriber, profiles.c.catchall == 0)
    )
    profile = (await connection.execute(query)).scalar()
    if profile is None:
        return None
    chosen = select(names.c.attribute).join_from(names, links, links.c.attribute_id == names.c.id)
    return set((await connection.execute(chosen.where(links.c.profile_id == profile))).scalars())
