"""What counts for subscribers at run time: own preferences, else the profile's, else the domain's."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import CHAR, and_, cast, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.tables import kamailio
from ngcp.provisioning.tables.preferences import dom_preferences, prof_preferences
from ngcp.provisioning.tables.provisioning import voip_subscribers


async def preferences_of(
    connection: AsyncConnection, uuids: Collection[str], attributes: Collection[str]
) -> Mapping[str, Mapping[str, str]]:
    """Return which values of these attributes subscribers have, by UUID; of a list, one."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    if not uuids:
        return found
    accounts, copy = voip_subscribers.c, kamailio.subscriber.c
    own, profile, domain = kamailio.usr_preferences.c, prof_preferences.c, dom_preferences.c
    layers = union_all(
        select(own.uuid, own.attribute, own.value, literal(0).label("rank")).where(
            own.uuid.in_(uuids), own.attribute.in_(attributes)
        ),
        select(accounts.uuid, profile.attribute, profile.value, literal(1))
        .join_from(voip_subscribers, prof_preferences, profile.uuid == cast(accounts.profile_id, CHAR(36)))
        .where(and_(accounts.uuid.in_(uuids), profile.attribute.in_(attributes))),
        select(copy.uuid, domain.attribute, domain.value, literal(2))
        .join_from(kamailio.subscriber, dom_preferences, domain.domain == copy.domain)
        .where(and_(copy.uuid.in_(uuids), domain.attribute.in_(attributes))),
    ).subquery()
    query = select(layers.c.uuid, layers.c.attribute, layers.c.value).order_by(layers.c.rank)
    for uuid, attribute, value in await connection.execute(query):
        found[uuid].setdefault(attribute, value)
    return found
