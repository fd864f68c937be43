"""Preferences that list networks: kept as groups, as the platform's tools read them, and as the list."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_interface, ip_network
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.preferences.catalogue import CATALOGUE, Attribute
from ngcp.provisioning.preferences.levels import Level, Owner
from ngcp.provisioning.preferences.values import Texts, to_texts, wrong
from ngcp.provisioning.rows import add_row
from ngcp.provisioning.tables.preferences import (
    address,
    voip_aig_sequence,
    voip_allowed_ip_groups,
    voip_preferences,
)

#: Attributes that keep the numbers of groups.
GROUPS: Final = tuple(f"{name}_grp" for name, one in CATALOGUE.items() if one.access == "networks")


async def group(
    connection: AsyncConnection, level: Level, owner: Owner, attribute: Attribute, value: object
) -> Mapping[str, Texts]:
    """Make a group of the networks listed, instead of the former one; return what is kept."""
    networks = [_network(attribute, text) for text in to_texts(attribute, value)]
    await drop_groups(connection, level, owner, [f"{attribute.name}_grp"])
    if not networks:
        return {attribute.name: (), f"{attribute.name}_grp": ()}
    number = await add_row(connection, voip_aig_sequence)
    await connection.execute(insert(voip_allowed_ip_groups), [_row(number, one) for one in networks])
    await connection.execute(insert(address), [_address(number, one) for one in networks])
    return {attribute.name: tuple(map(str, networks)), f"{attribute.name}_grp": (str(number),)}


async def drop_groups(
    connection: AsyncConnection, level: Level, owner: Owner, attributes: Iterable[str] = GROUPS
) -> None:
    """Remove the groups that `owner` has."""
    truth = level.truth
    query = (
        select(truth.c.value)
        .join(voip_preferences, truth.c.attribute_id == voip_preferences.c.id)
        .where(level.owner_column == owner.number, voip_preferences.c.attribute.in_(list(attributes)))
    )
    numbers = [int(value) for value in (await connection.execute(query)).scalars()]
    if numbers:
        for column in (voip_allowed_ip_groups.c.group_id, address.c.grp):
            await connection.execute(delete(column.table).where(column.in_(numbers)))


def _network(attribute: Attribute, text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        problem = f"the network is {ip_interface(text).network}"
    except ValueError:
        problem = "an IP address or network expected"
    raise wrong(attribute, text, problem)


def _row(number: int, network: IPv4Network | IPv6Network) -> dict[str, object]:
    return {
        "group_id": number,
        "ipnet": str(network),
        "net_from": network.network_address.packed,
        "net_to": network.broadcast_address.packed,
    }


def _address(number: int, network: IPv4Network | IPv6Network) -> dict[str, object]:
    return {"grp": number, "ip_addr": str(network.network_address), "mask": network.prefixlen}
