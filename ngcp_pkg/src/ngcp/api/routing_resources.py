"""Resources of routing: where calls go, under which numbers, and who may call what."""

from typing import Final

from ngcp.api import routing_models as models
from ngcp.api.resource import Resource
from ngcp.provisioning.carriers import CarrierStore
from ngcp.provisioning.emergencies import EmergencyContainerStore, EmergencyMappingStore
from ngcp.provisioning.peerings import (
    PeeringGroupStore,
    PeeringInboundRuleStore,
    PeeringRuleStore,
    PeeringServerStore,
)
from ngcp.provisioning.restrictions import (
    NcosCarrierPatternStore,
    NcosCarrierStore,
    NcosLevelStore,
    NcosPatternStore,
    NcosSetStore,
)
from ngcp.provisioning.rewrite_rules import RewriteRuleSetStore, RewriteRuleStore

PEERING: Final = (
    Resource(
        "peeringgroups",
        "peering group",
        "Peers that take each other's place; priority 1 is tried first",
        PeeringGroupStore(),
        models.PeeringGroup,
        links={"contract_id": "contracts"},
    ),
    Resource(
        "peeringservers",
        "peering server",
        "Servers of peering groups",
        PeeringServerStore(),
        models.PeeringServer,
        links={"group_id": "peeringgroups"},
    ),
    Resource(
        "peeringrules",
        "peering rule",
        "Which calls a peering group takes",
        PeeringRuleStore(),
        models.PeeringRule,
        links={"group_id": "peeringgroups"},
    ),
    Resource(
        "peeringinboundrules",
        "peering inbound rule",
        "Which calls that come from a peering group's servers are its own",
        PeeringInboundRuleStore(),
        models.PeeringInboundRule,
        links={"group_id": "peeringgroups"},
    ),
)
NUMBERS: Final = (
    Resource(
        "rewriterulesets",
        "rewrite rule set",
        "Sets of rewrite rules, which preferences refer to",
        RewriteRuleSetStore(),
        models.RewriteRuleSet,
        links={"reseller_id": "resellers"},
    ),
    Resource(
        "rewriterules",
        "rewrite rule",
        "Rules that rewrite callers' and callees' numbers; the first one that matches is applied",
        RewriteRuleStore(),
        models.RewriteRule,
        links={"set_id": "rewriterulesets"},
    ),
    Resource(
        "lnpcarriers",
        "LNP carrier",
        "Holders of ported numbers",
        CarrierStore(),
        models.LnpCarrier,
    ),
    Resource(
        "emergencymappingcontainers",
        "emergency mapping container",
        "Sets of emergency mappings, which preferences refer to",
        EmergencyContainerStore(),
        models.EmergencyMappingContainer,
        links={"reseller_id": "resellers"},
    ),
    Resource(
        "emergencymappings",
        "emergency mapping",
        "What emergency numbers become",
        EmergencyMappingStore(),
        models.EmergencyMapping,
        links={"emergency_container_id": "emergencymappingcontainers"},
    ),
)
RESTRICTIONS: Final = (
    Resource(
        "ncoslevels",
        "NCOS level",
        "Classes of service: black or white lists of numbers",
        NcosLevelStore(),
        models.NcosLevel,
        links={"reseller_id": "resellers"},
    ),
    Resource(
        "ncospatterns",
        "NCOS pattern",
        "Patterns of NCOS levels",
        NcosPatternStore(),
        models.NcosPattern,
        links={"ncos_level_id": "ncoslevels"},
    ),
    Resource(
        "ncoslnpcarriers",
        "NCOS LNP carrier",
        "Carriers of ported numbers that NCOS levels are for",
        NcosCarrierStore(),
        models.NcosCarrier,
        links={"ncos_level_id": "ncoslevels", "carrier_id": "lnpcarriers"},
    ),
    Resource(
        "ncoslnppatterns",
        "NCOS LNP pattern",
        "Patterns that narrow NCOS LNP carriers down",
        NcosCarrierPatternStore(),
        models.NcosCarrierPattern,
        links={"ncos_lnp_carrier_id": "ncoslnpcarriers"},
    ),
    Resource(
        "ncossets",
        "NCOS set",
        "NCOS levels that hold together",
        NcosSetStore(),
        models.NcosSet,
        links={"reseller_id": "resellers"},
    ),
)
ROUTING: Final = (*PEERING, *NUMBERS, *RESTRICTIONS)
