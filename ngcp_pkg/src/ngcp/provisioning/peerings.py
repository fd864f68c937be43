"""Peering groups, their servers and rules, and the proxy's copies (`lcr_*`, `dispatcher`)."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ngcp.provisioning.preferences.levels import PEER
from ngcp.provisioning.preferences.truth import sweep
from ngcp.provisioning.records import RecordStore
from ngcp.provisioning.refusals import InvalidValue
from ngcp.provisioning.store import Entity, Values
from ngcp.provisioning.tables.billing import contracts, products
from ngcp.provisioning.tables.peering import (
    dispatcher,
    lcr_gw,
    lcr_rule,
    lcr_rule_target,
    voip_peer_groups,
    voip_peer_hosts,
    voip_peer_inbound_rules,
    voip_peer_rules,
)

#: All routes are in one table of least-cost routing.
LCR_ID: Final = 1
#: Set of destinations that are probed, and what tells peers in it from others.
PROBED_SET: Final = 100
TRANSPORTS: Final[Mapping[int, str]] = {1: "udp", 2: "tcp", 3: "tls"}
_SIP: Final = 1


class PeeringGroupStore(RecordStore):
    """Peers that take each other's place, under a contract of class sippeering or pstnpeering."""

    table = voip_peer_groups
    renamed: ClassVar[Mapping[str, str]] = {"peering_contract_id": "contract_id"}
    hidden = frozenset({"has_inbound_rules", "time_set_id"})

    async def prepare(self, connection: AsyncConnection, values: Values, entity: Entity | None) -> Values:
        """Check that the contract is one with a peer."""
        number = values["contract_id"]
        query = (
            select(products.c["class"])
            .join_from(contracts, products, contracts.c.product_id == products.c.id)
            .where(contracts.c.id == number, contracts.c.status != "terminated")
        )
        sold = (await connection.execute(query)).scalar()
        if sold not in ("sippeering", "pstnpeering"):
            raise InvalidValue("contract_id", number, "does not exist, or is no contract with a peer")
        return values

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """See `RecordStore`."""
        await _publish(connection, entity["id"])
        await super().publish(connection, entity)


class _OfGroup(RecordStore):
    """What belongs to a group."""

    fixed = ("group_id",)

    async def publish(self, connection: AsyncConnection, entity: Values) -> None:
        """See `RecordStore`."""
        await _publish(connection, entity["group_id"])
        await super().publish(connection, entity)


class PeeringServerStore(_OfGroup):
    """Servers of a group."""

    table = voip_peer_hosts


class PeeringRuleStore(_OfGroup):
    """Rules for calls that a group takes."""

    table = voip_peer_rules


class PeeringInboundRuleStore(_OfGroup):
    """Rules for calls from a group's servers."""

    table = voip_peer_inbound_rules


async def _publish(connection: AsyncConnection, group: int) -> None:
    """Make the proxy's copies of a group what it is now; of one that is gone nothing is left."""
    await sweep(connection, PEER, voip_peer_hosts)
    await connection.execute(delete(dispatcher).where(dispatcher.c.attrs.like(f"group={group};%")))
    for table in (lcr_rule, lcr_gw):  # their targets go with them
        await connection.execute(delete(table).where(table.c.group_id == group))
    here = voip_peer_groups.c.id == group
    priority = (await connection.execute(select(voip_peer_groups.c.priority).where(here))).scalar()
    if priority is None:
        return
    inbound = exists().where(voip_peer_inbound_rules.c.group_id == group, voip_peer_inbound_rules.c.enabled)
    await connection.execute(update(voip_peer_groups).where(here).values(has_inbound_rules=inbound))
    hosts = await _enabled(connection, voip_peer_hosts, group)
    rules = await _enabled(connection, voip_peer_rules, group)
    targets = [_target(rule, host, priority) for rule in rules for host in hosts]
    probed = [_probe(host) for host in hosts if host["probe"]]
    for table, rows in (
        (lcr_gw, [_gateway(host) for host in hosts]),
        (lcr_rule, [_rule(rule) for rule in rules]),
        (lcr_rule_target, targets),
        (dispatcher, probed),
    ):
        if rows:
            await connection.execute(insert(table), rows)


async def _enabled(connection: AsyncConnection, table: Any, group: int) -> list[Mapping[str, Any]]:  # noqa: ANN401 - either table
    query = select(table).where(table.c.group_id == group, table.c.enabled).order_by(table.c.id)
    return [dict(row) for row in (await connection.execute(query)).mappings()]


def _gateway(host: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": host["id"],
        "lcr_id": LCR_ID,
        "gw_name": host["name"],
        "ip_addr": host["ip"],
        "hostname": host["host"],
        "port": host["port"],
        "uri_scheme": _SIP,
        "transport": host["transport"],
        "flags": host["id"],
        "group_id": host["group_id"],
    }


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": rule["id"],
        "lcr_id": LCR_ID,
        "prefix": rule["callee_prefix"],
        "request_uri": rule["callee_pattern"] or "",
        "from_uri": rule["caller_pattern"],
        "stopper": rule["stopper"],
        "enabled": 1,
        "group_id": rule["group_id"],
    }


def _target(rule: Mapping[str, Any], host: Mapping[str, Any], priority: int) -> dict[str, Any]:
    weight = host["weight"]
    return {
        "lcr_id": LCR_ID,
        "rule_id": rule["id"],
        "gw_id": host["id"],
        "priority": priority,
        "weight": weight,
    }


def _probe(host: Mapping[str, Any]) -> dict[str, Any]:
    ip = f"[{host['ip']}]" if ":" in host["ip"] else host["ip"]
    return {
        "setid": PROBED_SET,
        "destination": f"sip:{ip}:{host['port']};transport={TRANSPORTS[host['transport']]}",
        "attrs": f"group={host['group_id']};peerid={host['id']}",
        "description": host["name"],
    }
