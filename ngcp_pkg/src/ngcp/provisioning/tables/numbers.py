"""What is done with numbers: rewriting, restriction, portability, emergency; truth and the proxy's copy."""

from sqlalchemy import Column, DateTime, Index, String, Table, Text, UniqueConstraint
from sqlalchemy.dialects.mysql import ENUM, INTEGER

from ngcp.provisioning.tables import billing, kamailio, provisioning
from ngcp.provisioning.tables.columns import (
    TABLE_OPTIONS,
    exact,
    flag,
    primary_key,
    reference,
    unsigned,
)

#: The six dialplans of a set, by direction and field.
DPIDS = (
    "caller_in_dpid",
    "callee_in_dpid",
    "caller_out_dpid",
    "callee_out_dpid",
    "caller_lnp_dpid",
    "callee_lnp_dpid",
)

#: Numbers of dialplans; a row is one that was given away.
voip_rwrs_sequence = Table("voip_rwrs_sequence", provisioning.metadata, primary_key(), **TABLE_OPTIONS)

voip_rewrite_rule_sets = Table(
    "voip_rewrite_rule_sets",
    provisioning.metadata,
    primary_key(),
    reference("reseller_id", billing.resellers.c.id, constraint="vrwrs_reseller_ref"),
    Column("name", exact(32), nullable=False),
    Column("description", String(255)),
    *(Column(name, unsigned()) for name in DPIDS),
    UniqueConstraint("name", name="rwrs_name_idx"),
    **TABLE_OPTIONS,
)

voip_rewrite_rules = Table(
    "voip_rewrite_rules",
    provisioning.metadata,
    primary_key(),
    reference("set_id", "provisioning.voip_rewrite_rule_sets.id", constraint="v_rwr_setid_ref", cascade=True),
    Column("match_pattern", exact(255), nullable=False, server_default=""),
    Column("replace_pattern", exact(255), nullable=False),
    Column("description", String(127), nullable=False, server_default=""),
    Column("direction", ENUM("in", "out", "lnp"), nullable=False, server_default="in"),
    Column("field", ENUM("caller", "callee"), nullable=False, server_default="caller"),
    Column("priority", INTEGER(unsigned=True), nullable=False, server_default="50"),
    flag("enabled", default=True),
    Index("dirfieldidx", "direction", "field"),
    **TABLE_OPTIONS,
)

dialplan = Table(
    "dialplan",
    kamailio.metadata,
    primary_key(),
    Column("dpid", unsigned(), nullable=False),
    Column("pr", INTEGER(unsigned=True), nullable=False),
    Column("match_op", INTEGER(unsigned=True), nullable=False),
    Column("match_exp", exact(255), nullable=False),
    Column("match_len", INTEGER(unsigned=True), nullable=False),
    Column("subst_exp", exact(255), nullable=False),
    Column("repl_exp", exact(255), nullable=False),
    Column("attrs", String(64), nullable=False),
    Index("dpid_idx", "dpid", "pr"),
    **TABLE_OPTIONS,
)

ncos_levels = Table(
    "ncos_levels",
    billing.metadata,
    primary_key(),
    reference("reseller_id", "billing.resellers.id", constraint="c_l_resellerid_ref", nullable=True),
    Column("level", exact(31), nullable=False),
    Column("mode", ENUM("blacklist", "whitelist"), nullable=False, server_default="blacklist"),
    flag("local_ac"),
    flag("intra_pbx"),
    Column("description", Text),
    Column("time_set_id", unsigned()),
    flag("expose_to_customer"),
    UniqueConstraint("reseller_id", "level", name="reslev_idx"),
    **TABLE_OPTIONS,
)

ncos_pattern_list = Table(
    "ncos_pattern_list",
    billing.metadata,
    primary_key(),
    reference("ncos_level_id", "billing.ncos_levels.id", constraint="c_p_l_ncoslevid_ref", cascade=True),
    Column("pattern", exact(255), nullable=False),
    Column("description", Text),
    UniqueConstraint("ncos_level_id", "pattern", name="levpat_idx"),
    **TABLE_OPTIONS,
)

ncos_sets = Table(
    "ncos_sets",
    billing.metadata,
    primary_key(),
    reference("reseller_id", "billing.resellers.id", constraint="ns_reseller_id_ref", nullable=True),
    Column("name", exact(127), nullable=False),
    Column("description", Text),
    flag("expose_to_customer"),
    UniqueConstraint("reseller_id", "name", name="ns_name_idx"),
    **TABLE_OPTIONS,
)

ncos_set_levels = Table(
    "ncos_set_levels",
    billing.metadata,
    primary_key(),
    reference("ncos_set_id", "billing.ncos_sets.id", constraint="nlm_ncos_set_id_ref", cascade=True),
    reference("ncos_level_id", "billing.ncos_levels.id", constraint="nlm_ncos_level_id_ref", cascade=True),
    UniqueConstraint("ncos_set_id", "ncos_level_id", name="set_level_idx"),
    **TABLE_OPTIONS,
)

lnp_providers = Table(
    "lnp_providers",
    billing.metadata,
    primary_key(),
    Column("name", String(255)),
    Column("prefix", exact(32), nullable=False, server_default=""),
    flag("authoritative"),
    flag("skip_rewrite"),
    **TABLE_OPTIONS,
)

#: A number may have been ported several times: `start` and `end` say when each holds.
lnp_numbers = Table(
    "lnp_numbers",
    billing.metadata,
    primary_key(),
    Column("number", exact(31), nullable=False),
    Column("routing_number", exact(31)),
    reference("lnp_provider_id", "billing.lnp_providers.id", constraint="l_n_lnpproid_ref"),
    Column("start", DateTime),
    Column("end", DateTime),
    Column("type", String(255)),
    Index("lnp_number_idx", "number"),
    Index("l_n_start_idx", "start"),
    **TABLE_OPTIONS,
)

#: Carriers of ported numbers that a level is for, by their patterns if there are any.
ncos_lnp_list = Table(
    "ncos_lnp_list",
    billing.metadata,
    primary_key(),
    reference("ncos_level_id", "billing.ncos_levels.id", constraint="c_l_l_ncoslevid_ref", cascade=True),
    reference("lnp_provider_id", "billing.lnp_providers.id", constraint="c_l_l_lnpproid_ref"),
    Column("description", Text),
    UniqueConstraint("ncos_level_id", "lnp_provider_id", name="levpro_idx"),
    **TABLE_OPTIONS,
)

ncos_lnp_pattern_list = Table(
    "ncos_lnp_pattern_list",
    billing.metadata,
    primary_key(),
    reference(
        "ncos_lnp_list_id", "billing.ncos_lnp_list.id", constraint="c_p_l_ncoslnplist_ref", cascade=True
    ),
    Column("pattern", exact(255), nullable=False),
    Column("description", Text),
    UniqueConstraint("ncos_lnp_list_id", "pattern", name="listpat_idx"),
    **TABLE_OPTIONS,
)

emergency_containers = Table(
    "emergency_containers",
    provisioning.metadata,
    primary_key(),
    reference("reseller_id", billing.resellers.c.id, constraint="ec_reseller_ref"),
    Column("name", exact(255), nullable=False),
    UniqueConstraint("reseller_id", "name", name="res_name_idx"),
    **TABLE_OPTIONS,
)

emergency_mappings = Table(
    "emergency_mappings",
    provisioning.metadata,
    primary_key(),
    reference(
        "emergency_container_id",
        "provisioning.emergency_containers.id",
        constraint="container_fk",
        cascade=True,
    ),
    Column("code", exact(32), nullable=False),
    Column("prefix", exact(32)),
    Column("suffix", exact(32)),
    UniqueConstraint("emergency_container_id", "code", name="ec_code_idx"),
    **TABLE_OPTIONS,
)
