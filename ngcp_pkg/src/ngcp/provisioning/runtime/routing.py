"""What routes calls, read whole: dialplans, peerings, classes of service, carriers, emergency numbers."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from ngcp.provisioning.line import Line, Row, tuple_of

from .layers import DEFAULTS, NO_LAYER
from .names import Name
from .numbers import Carrier, NcosLevel, Ported, RewriteRule
from .peering import InboundRule, Peer, PeerGroup, PeerGroups, PeerRule
from .preferences import Layer, Preferences

_DIALPLANS: Final = "SELECT dpid, match_exp, repl_exp FROM kamailio.dialplan ORDER BY dpid, pr, id"
_GROUPS: Final = """
SELECT id, name, priority, peering_contract_id FROM provisioning.voip_peer_groups ORDER BY priority, id"""
_PEERS: Final = """
SELECT group_id, id, name, ip, port, transport, host, weight, via_route, probe
FROM provisioning.voip_peer_hosts WHERE enabled ORDER BY id"""
_PEER_RULES: Final = """
SELECT group_id, callee_prefix, callee_pattern, caller_pattern, stopper
FROM provisioning.voip_peer_rules WHERE enabled ORDER BY id"""
_INBOUND_RULES: Final = """
SELECT group_id, field, pattern, reject_code, reject_reason
FROM provisioning.voip_peer_inbound_rules WHERE enabled ORDER BY priority, id"""
_LEVELS: Final = "SELECT id, level, mode = 'whitelist', local_ac, intra_pbx FROM billing.ncos_levels"
_PATTERNS: Final = "SELECT ncos_level_id, pattern FROM billing.ncos_pattern_list ORDER BY id"
_LEVEL_CARRIERS: Final = """
SELECT l.ncos_level_id, l.lnp_provider_id, p.pattern
FROM billing.ncos_lnp_list l LEFT JOIN billing.ncos_lnp_pattern_list p ON p.ncos_lnp_list_id = l.id
ORDER BY p.id"""
_SETS: Final = "SELECT ncos_set_id, ncos_level_id FROM billing.ncos_set_levels ORDER BY id"
_CARRIERS: Final = "SELECT id, name, prefix, authoritative, skip_rewrite FROM billing.lnp_providers"
_EMERGENCIES: Final = """
SELECT emergency_container_id, code, prefix, suffix FROM provisioning.emergency_mappings"""
_PORTED: Final = """
SELECT number, lnp_provider_id, routing_number, type FROM billing.lnp_numbers
WHERE (`start` IS NULL OR `start` <= NOW()) AND (`end` IS NULL OR `end` > NOW()) AND number IN """

TRANSPORTS: Final[Mapping[int, str]] = {1: "udp", 2: "tcp", 3: "tls"}


async def load_dialplans(line: Line) -> Mapping[int, tuple[RewriteRule, ...]]:
    """Return the rules of each dialplan, in order."""
    return {
        dpid: tuple(RewriteRule(str(match), str(replacement)) for match, replacement in rows)
        for dpid, rows in _by_owner(await line.fetch(_DIALPLANS)).items()
    }


async def load_peer_groups(line: Line, preferences: Mapping[int, Layer]) -> PeerGroups:
    """Return the peer groups by priority, with what is enabled; `preferences` are the peers', by number."""
    rules = _by_owner(await line.fetch(_PEER_RULES))
    inbound_rules = _by_owner(await line.fetch(_INBOUND_RULES))
    peers = _by_owner(await line.fetch(_PEERS))
    return PeerGroups(
        PeerGroup(
            int(number),
            str(name),
            int(priority),
            int(contract or 0),
            tuple(
                PeerRule(str(r[0] or ""), str(r[1] or ""), str(r[2] or ""), bool(r[3])) for r in rules[number]
            ),
            tuple(InboundRule(str(r[0]), str(r[1]), r[2], r[3]) for r in inbound_rules[number]),
            tuple(_peer(row, preferences) for row in peers[number]),
        )
        for number, name, priority, contract in _typed(await line.fetch(_GROUPS))
    )


async def load_levels(line: Line) -> Mapping[int, NcosLevel]:
    """Return the classes of service."""
    patterns = _by_owner(await line.fetch(_PATTERNS))
    carriers = _by_owner(await line.fetch(_LEVEL_CARRIERS))
    return {
        int(number): NcosLevel(
            str(level),
            bool(is_whitelist),
            tuple(str(row[0]) for row in patterns[number]),
            frozenset(int(carrier) for carrier, pattern in carriers[number] if pattern is None),
            tuple(
                (int(carrier), str(pattern)) for carrier, pattern in carriers[number] if pattern is not None
            ),
            bool(local_ac),
            bool(intra_pbx),
        )
        for number, level, is_whitelist, local_ac, intra_pbx in _typed(await line.fetch(_LEVELS))
    }


async def load_level_sets(line: Line) -> Mapping[int, tuple[int, ...]]:
    """Return the numbers of the levels in each set."""
    return {
        number: tuple(int(row[0]) for row in rows)
        for number, rows in _by_owner(await line.fetch(_SETS)).items()
    }


async def load_carriers(line: Line) -> Mapping[int, Carrier]:
    """Return the holders of ported numbers."""
    return {
        int(number): Carrier(int(number), str(name or ""), str(prefix), bool(authoritative), bool(skips))
        for number, name, prefix, authoritative, skips in _typed(await line.fetch(_CARRIERS))
    }


async def load_emergencies(line: Line) -> Mapping[int, Mapping[str, str]]:
    """Return what each code becomes, by container."""
    return {
        container: {str(code): f"{prefix or ''}{code}{suffix or ''}" for code, prefix, suffix in rows}
        for container, rows in _by_owner(await line.fetch(_EMERGENCIES)).items()
    }


async def load_ported(line: Line, numbers: Collection[str]) -> Mapping[Name, Ported]:
    """Return what holds now of those of `numbers` that were ported; if several do, what began last."""
    if not numbers:
        return {}
    rows = await line.fetch(f"{_PORTED}{tuple_of([*numbers])} ORDER BY `start`, id")
    return {
        Name(str(number), ""): Ported(int(carrier), routing_number or None, kind)
        for number, carrier, routing_number, kind in _typed(rows)
    }


def _peer(row: tuple[Any, ...], preferences: Mapping[int, Layer]) -> Peer:
    number, name, ip, port, transport, host, weight, via_route, probe = row
    return Peer(
        int(number),
        str(name),
        str(ip),
        int(port),
        TRANSPORTS.get(int(transport), "udp"),
        str(host or ""),
        int(weight),
        via_route or None,
        bool(probe),
        Preferences((preferences.get(int(number), NO_LAYER), DEFAULTS)),
    )


def _by_owner(rows: Iterable[Row]) -> Mapping[int, list[tuple[Any, ...]]]:
    """Return the rest of each row by its first column, a number."""
    owned: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        owned[int(row[0] or 0)].append(tuple(row[1:]))
    return owned


def _typed(rows: Iterable[Row]) -> Iterable[tuple[Any, ...]]:
    """Let the columns' types be those that their definitions promise."""
    return rows
