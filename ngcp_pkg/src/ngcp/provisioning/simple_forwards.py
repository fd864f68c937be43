"""Call forwards as most people want them: at most one of each kind, told in one piece, without named sets.

The sets behind it are named `quickset_` and the kind.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.belongings import Holder, domains_of, holder_of
from ngcp.provisioning.call_forwards import SETS, OfSubscriberStore, mappings_of, replace_mappings
from ngcp.provisioning.destinations import simple, word_of
from ngcp.provisioning.forward_preferences import ring_timeouts, set_ring_timeout
from ngcp.provisioning.forward_sets import SetStore
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Ended, Entity, Values
from ngcp.provisioning.tables.features import KINDS, voip_cf_mappings

#: What a kind of forwards looks like that there is none of.
NONE: Final[dict[str, Any]] = {
    "destinations": [],
    "times": [],
    "sources": [],
    "sources_mode": "whitelist",
    "sources_is_regex": False,
    "bnumbers": [],
    "bnumbers_mode": "whitelist",
    "bnumbers_is_regex": False,
    "enabled": True,
    "use_redirection": False,
}
#: Sets of numbers also say how they are meant.
_MEANT: Final = ("mode", "is_regex")


class CallForwardStore(OfSubscriberStore):
    """A subscriber's forwards in one piece."""

    async def complete(self, connection: AsyncConnection, entities: Sequence[Entity]) -> Sequence[Entity]:
        """Add the forwards; of several of a kind the first one is shown."""
        mappings = await mappings_of(connection, entities)
        rings = await ring_timeouts(connection, [entity["uuid"] for entity in entities])
        domains = await domains_of(connection, list(mappings))
        first = [kinds[0] for of_one in mappings.values() for kinds in of_one.values() if kinds]
        sets = {field: await _contents(connection, store, first) for field, store in SETS.items()}
        whole = []
        for entity in entities:
            number = entity["id"]
            shown = {
                kind: _shown(found[0], sets, domains[number]) if found else deepcopy(NONE)
                for kind, found in mappings[number].items()
            }
            shown["cft"]["ringtimeout"] = rings.get(entity["uuid"])
            whole.append({"id": number, "subscriber_id": number} | shown)
        return whole

    async def change(self, connection: AsyncConnection, entity: Entity, values: Values) -> Ended:
        """See `Changer`; kinds that stay as they are keep their named sets, and whatever else they have."""
        holder = await holder_of(connection, entity["id"])
        mappings = (await mappings_of(connection, [entity]))[entity["id"]]
        for kind in KINDS:
            wanted = values[kind]
            if _plain(wanted) == _plain(entity[kind]):
                continue
            if len(mappings[kind]) > 1:
                raise InvalidValue(kind, "", "is no simple call forward: there are several, see cfmappings")
            try:
                await _replace(connection, holder, kind, wanted)
            except InvalidValue as error:
                raise error.within(kind) from error
        await set_ring_timeout(connection, holder, values["cft"]["ringtimeout"])
        return ()

    async def remove(self, connection: AsyncConnection, entity: Entity) -> Ended:
        """Let a subscriber's calls be forwarded no more; named sets stay."""
        holder = await holder_of(connection, entity["id"])
        await replace_mappings(connection, holder, KINDS, ())
        for kind in KINDS:
            await _clear(connection, holder, kind)
        await set_ring_timeout(connection, holder, None)
        return ()


def _plain(forward: Values) -> Entity:
    """Return what is compared: what clients write."""
    plain = {name: forward[name] for name in NONE}
    for field in ("destinations", "times", "sources", "bnumbers"):
        plain[field] = [
            {name: value for name, value in one.items() if name != "simple_destination" and value is not None}
            for one in forward[field]
        ]
    return plain


async def _contents(
    connection: AsyncConnection, store: SetStore, mappings: Sequence[Entity]
) -> Mapping[int, Entity]:
    """Return the sets of one kind that mappings name, with what is in them, by their numbers."""
    wanted = {mapping[store.key] for mapping in mappings} - {None}
    members = await store.members_of(connection, wanted)
    rows = await connection.execute(select(store.table).where(store.table.c.id.in_(wanted)))
    return {row["id"]: {**row, store.field: members[row["id"]]} for row in rows.mappings()}


def _shown(mapping: Entity, sets: Mapping[str, Mapping[int, Entity]], domain: str) -> Entity:
    shown = deepcopy(NONE) | {name: bool(mapping[name]) for name in ("enabled", "use_redirection")}
    for field, store in SETS.items():
        found = sets[field].get(mapping[store.key])
        if found is None:
            continue
        shown[store.field] = found[store.field]
        if "mode" in found:
            shown |= {
                f"{store.field}_mode": found["mode"],
                f"{store.field}_is_regex": bool(found["is_regex"]),
            }
    shown["destinations"] = [
        {
            **one,
            "destination": word_of(one["destination"]) or one["destination"],
            "simple_destination": simple(one["destination"], domain),
        }
        for one in shown["destinations"]
    ]
    return shown


async def _replace(connection: AsyncConnection, holder: Holder, kind: str, wanted: Values) -> None:
    """Let `wanted` be the only forward of its kind."""
    limits = [store.field for store in SETS.values() if wanted[store.field]]
    if limits and "destinations" not in limits:
        raise InvalidValue("destinations", "", f"is required with {', '.join(limits)}")
    row = {name: wanted[name] for name in ("enabled", "use_redirection")}
    for store in SETS.values():
        row[store.key] = None
        if wanted[store.field]:
            values = {name: wanted.get(f"{store.field}_{name}") for name in _MEANT}
            content = {**values, store.field: wanted[store.field], "kind": kind}
            row[store.key] = await store.put(connection, holder, _quick(kind), content)
    rows = [row | {"subscriber_id": holder.account, "type": kind}] if limits else []
    await replace_mappings(connection, holder, (kind,), rows)
    await _clear(connection, holder, kind)


async def _clear(connection: AsyncConnection, holder: Holder, kind: str) -> None:
    """Remove the sets behind a kind that no mapping needs any more."""
    for store in SETS.values():
        columns, key = store.table.c, voip_cf_mappings.c[store.key]
        needed = select(key).where(key.is_not(None), voip_cf_mappings.c.subscriber_id == holder.account)
        mine = columns.subscriber_id == holder.account, columns.name == _quick(kind)
        await connection.execute(delete(store.table).where(*mine, columns.id.not_in(needed)))


def _quick(kind: str) -> str:
    return f"quickset_{kind}"
