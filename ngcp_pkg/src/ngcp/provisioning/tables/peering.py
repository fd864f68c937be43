"""Peerings with other networks (database `provisioning`), and what the proxy's tools know of them."""

from sqlalchemy import Column, Index, Integer, String, Table, UniqueConstraint
from sqlalchemy.dialects.mysql import INTEGER, SMALLINT, TINYINT

from ngcp.provisioning.tables import billing, kamailio, provisioning
from ngcp.provisioning.tables.columns import (
    TABLE_OPTIONS,
    exact,
    flag,
    primary_key,
    reference,
    unsigned,
)

voip_peer_groups = Table(
    "voip_peer_groups",
    provisioning.metadata,
    primary_key(),
    Column("name", exact(127), nullable=False),
    Column("priority", TINYINT(unsigned=True), nullable=False, server_default="1"),
    Column("description", String(255)),
    reference("peering_contract_id", billing.contracts.c.id, constraint="vpg_contract_ref", nullable=True),
    flag("has_inbound_rules"),
    Column("time_set_id", unsigned()),
    UniqueConstraint("name", name="peer_group_idx"),
    **TABLE_OPTIONS,
)

#: `transport`: 1 is UDP, 2 is TCP, 3 is TLS.
voip_peer_hosts = Table(
    "voip_peer_hosts",
    provisioning.metadata,
    primary_key(),
    reference("group_id", "provisioning.voip_peer_groups.id", constraint="v_ps_groupid_ref", cascade=True),
    Column("name", exact(64), nullable=False),
    Column("ip", exact(64), nullable=False),
    Column("host", exact(190)),
    Column("port", SMALLINT(unsigned=True), nullable=False, server_default="5060"),
    Column("transport", TINYINT(unsigned=True), nullable=False, server_default="1"),
    Column("weight", TINYINT(unsigned=True), nullable=False, server_default="0"),
    Column("via_route", exact(255)),
    flag("via_lb"),
    flag("enabled", default=True),
    flag("probe"),
    UniqueConstraint("group_id", "name", name="grpname"),
    **TABLE_OPTIONS,
)

voip_peer_rules = Table(
    "voip_peer_rules",
    provisioning.metadata,
    primary_key(),
    reference("group_id", "provisioning.voip_peer_groups.id", constraint="v_pg_groupid_ref", cascade=True),
    Column("callee_prefix", exact(64), nullable=False, server_default=""),
    Column("callee_pattern", exact(255)),
    Column("caller_pattern", exact(255)),
    Column("description", String(255), nullable=False, server_default=""),
    flag("enabled", default=True),
    flag("stopper"),
    **TABLE_OPTIONS,
)

voip_peer_inbound_rules = Table(
    "voip_peer_inbound_rules",
    provisioning.metadata,
    primary_key(),
    reference("group_id", "provisioning.voip_peer_groups.id", constraint="v_pig_groupid_ref", cascade=True),
    Column("field", exact(255), nullable=False),
    Column("pattern", exact(1023), nullable=False),
    Column("reject_code", Integer),
    Column("reject_reason", exact(64)),
    Column("priority", INTEGER(unsigned=True), nullable=False, server_default="50"),
    flag("enabled", default=True),
    **TABLE_OPTIONS,
)

lcr_gw = Table(
    "lcr_gw",
    kamailio.metadata,
    primary_key(),
    Column("lcr_id", SMALLINT(unsigned=True), nullable=False),
    Column("gw_name", exact(128)),
    Column("ip_addr", exact(64)),
    Column("hostname", exact(190)),
    Column("port", SMALLINT(unsigned=True)),
    Column("params", exact(64)),
    Column("uri_scheme", TINYINT(unsigned=True)),
    Column("transport", TINYINT(unsigned=True)),
    Column("strip", TINYINT(unsigned=True)),
    Column("tag", exact(64)),
    Column("flags", unsigned(), nullable=False, server_default="0"),
    Column("defunct", unsigned()),
    Column("group_id", unsigned(), nullable=False),
    Column("prefix", exact(16)),
    Index("group_idx", "group_id"),
    Index("lcr_id_ip_addr_idx", "lcr_id", "ip_addr"),
    **TABLE_OPTIONS,
)

lcr_rule = Table(
    "lcr_rule",
    kamailio.metadata,
    primary_key(),
    Column("lcr_id", SMALLINT(unsigned=True), nullable=False),
    Column("prefix", exact(64)),
    Column("request_uri", exact(255)),
    Column("mt_tvalue", exact(128)),
    Column("from_uri", exact(255)),
    Column("stopper", unsigned(), nullable=False, server_default="0"),
    Column("enabled", unsigned(), nullable=False, server_default="1"),
    Column("group_id", unsigned(), nullable=False),
    Index("group_idx", "group_id"),
    **TABLE_OPTIONS,
)

lcr_rule_target = Table(
    "lcr_rule_target",
    kamailio.metadata,
    primary_key(),
    Column("lcr_id", SMALLINT(unsigned=True), nullable=False),
    reference("rule_id", "kamailio.lcr_rule.id", constraint="l_r_t_ruleid_ref", cascade=True),
    reference("gw_id", "kamailio.lcr_gw.id", constraint="l_r_t_gwid_ref", cascade=True),
    Column("priority", TINYINT(unsigned=True), nullable=False),
    Column("weight", unsigned(), nullable=False, server_default="1"),
    UniqueConstraint("rule_id", "gw_id", name="rule_id_gw_id_idx"),
    **TABLE_OPTIONS,
)

#: What is probed by OPTIONS; peers are set 100, and `attrs` says which.
dispatcher = Table(
    "dispatcher",
    kamailio.metadata,
    primary_key(),
    Column("setid", Integer, nullable=False),
    Column("destination", exact(255), nullable=False),
    Column("flags", Integer, nullable=False, server_default="0"),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("attrs", exact(128), nullable=False, server_default=""),
    Column("description", String(64), nullable=False, server_default=""),
    Index("setid_idx", "setid"),
    **TABLE_OPTIONS,
)
