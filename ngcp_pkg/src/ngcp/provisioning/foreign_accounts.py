"""Accounts that subscribers and peers have elsewhere (`peer_auth_*`), and `kamailio.sems_registrations`.

The B2BUA registers them; whose preference `peer_auth_register` is on and who has a user name is registered.
A subscriber's comes from his own preferences, his profile or his domain, the first of these that has one.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, delete, insert, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.tables import preferences as tables
from ngcp.provisioning.tables.kamailio import sems_registrations
from ngcp.provisioning.tables.peering import voip_peer_hosts
from ngcp.provisioning.tables.preferences import voip_preferences
from ngcp.provisioning.tables.provisioning import voip_subscribers

REGISTER: Final = "peer_auth_register"
ATTRIBUTES: Final = (
    REGISTER,
    *(f"peer_auth_{name}" for name in ("user", "pass", "realm", "registrar_server", "hf_user")),
)


class Owner(NamedTuple):
    """Whose an account is: one of them."""

    subscriber: int | None
    peer: int | None


@dataclass(frozen=True, slots=True)
class ForeignAccount:
    """An account that is to be registered."""

    owner: Owner
    uuid: str
    """The subscriber's, or the number of the peering server."""
    preferences: Mapping[str, str]
    """By attribute."""
    address: tuple[str, int] | None = None
    """The peering server's."""


async def read_accounts(connection: AsyncConnection) -> Sequence[ForeignAccount]:
    """Return the accounts that are to be registered."""
    found = [*await _of_subscribers(connection), *await _of_peers(connection)]
    return [one for one in found if one.preferences.get(REGISTER) == "1"]


async def read_rows(connection: AsyncConnection) -> Mapping[Owner, Mapping[str, Any]]:
    """Return the rows of `sems_registrations`, by column, with times in UTC."""
    rows = (await connection.execute(select(sems_registrations))).mappings()
    return {Owner(row["subscriber_id"], row["peer_host_id"]): {**row} for row in rows}


async def write_rows(
    connection: AsyncConnection, gone: Collection[Owner], rows: Mapping[Owner, Mapping[str, Any]]
) -> None:
    """Replace `rows` and remove those that are `gone`."""
    columns = sems_registrations.c
    subscribers = [one.subscriber for one in (*gone, *rows) if one.subscriber is not None]
    peers = [one.peer for one in (*gone, *rows) if one.peer is not None]
    mine = or_(columns.subscriber_id.in_(subscribers), columns.peer_host_id.in_(peers))
    await connection.execute(delete(sems_registrations).where(mine))
    values = [{"subscriber_id": one.subscriber, "peer_host_id": one.peer, **row} for one, row in rows.items()]
    if values:
        await connection.execute(insert(sems_registrations), values)


async def _of_subscribers(connection: AsyncConnection) -> Sequence[ForeignAccount]:
    accounts, own, names = voip_subscribers.c, tables.voip_usr_preferences.c, voip_preferences.c
    uuids: dict[int, str] = {}
    found: dict[int, dict[str, str]] = defaultdict(dict)
    query = (
        select(accounts.id, accounts.uuid, names.attribute, own.value)
        .join_from(tables.voip_usr_preferences, voip_preferences, own.attribute_id == names.id)
        .join(voip_subscribers, accounts.id == own.subscriber_id)
        .where(names.attribute.in_(ATTRIBUTES))
    )
    for number, uuid, attribute, value in await connection.execute(query):
        uuids[number], found[number][attribute] = uuid, value
    having = [number for number, values in found.items() if "peer_auth_user" in values]
    for number, value in await connection.execute(_inherited(having)):
        found[number].setdefault(REGISTER, value)
    return [ForeignAccount(Owner(number, None), uuids[number], found[number]) for number in having]


def _inherited(numbers: Collection[int]) -> Select[Any]:
    """Return the query of what profiles, and behind them domains, say of registering, by subscriber."""
    accounts, names = voip_subscribers.c, voip_preferences.c
    profile, domain = tables.voip_prof_preferences.c, tables.voip_dom_preferences.c
    registers = names.attribute == REGISTER
    by_profile = (
        select(accounts.id, profile.value, literal(0).label("rank"))
        .join_from(voip_subscribers, tables.voip_prof_preferences, profile.profile_id == accounts.profile_id)
        .join(voip_preferences, and_(names.id == profile.attribute_id, registers))
        .where(accounts.id.in_(numbers))
    )
    by_domain = (
        select(accounts.id, domain.value, literal(1).label("rank"))
        .join_from(voip_subscribers, tables.voip_dom_preferences, domain.domain_id == accounts.domain_id)
        .join(voip_preferences, and_(names.id == domain.attribute_id, registers))
        .where(accounts.id.in_(numbers))
    )
    both = by_profile.union_all(by_domain).subquery()
    return select(both.c.id, both.c.value).order_by(both.c.rank)


async def _of_peers(connection: AsyncConnection) -> Sequence[ForeignAccount]:
    peers, own, names = voip_peer_hosts.c, tables.voip_peer_preferences.c, voip_preferences.c
    query = (
        select(peers.id, peers.ip, peers.port, names.attribute, own.value)
        .join_from(tables.voip_peer_preferences, voip_preferences, own.attribute_id == names.id)
        .join(voip_peer_hosts, peers.id == own.peer_host_id)
        .where(names.attribute.in_(ATTRIBUTES), peers.enabled != 0)
    )
    addresses: dict[int, tuple[str, int]] = {}
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for number, ip, port, attribute, value in await connection.execute(query):
        addresses[number], found[number][attribute] = (ip, port), value
    return [
        ForeignAccount(Owner(None, number), str(number), values, addresses[number])
        for number, values in found.items()
        if "peer_auth_user" in values
    ]
