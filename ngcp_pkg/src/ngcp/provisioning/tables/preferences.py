"""Preferences: which there are, what is set at each level, subscriber profiles, and the proxy's copy."""

from typing import Any, Final

from sqlalchemy import Column, DateTime, Index, Integer, String, Table, Text, UniqueConstraint
from sqlalchemy.dialects.mysql import ENUM, INTEGER, MEDIUMBLOB, TINYINT, VARBINARY

from ngcp.provisioning.tables import billing, kamailio, provisioning
from ngcp.provisioning.tables.columns import (
    NOW,
    TABLE_OPTIONS,
    exact,
    flag,
    modified,
    primary_key,
    reference,
    unsigned,
    uuid,
)
from ngcp.provisioning.tables.peering import voip_peer_hosts

voip_preference_groups = Table(
    "voip_preference_groups",
    provisioning.metadata,
    primary_key(),
    Column("name", exact(80), nullable=False),
    UniqueConstraint("name", name="vpg_name_idx"),
    **TABLE_OPTIONS,
)

#: `max_occur` 0: any number of values. `internal` 1: only we write it; -1: it is written by name.
voip_preferences = Table(
    "voip_preferences",
    provisioning.metadata,
    primary_key(),
    reference(
        "voip_preference_groups_id", "provisioning.voip_preference_groups.id", constraint="vp_group_ref"
    ),
    Column("attribute", exact(31), nullable=False),
    Column("label", String(255), nullable=False, server_default=""),
    Column("type", TINYINT(1), nullable=False, server_default="0"),
    Column("max_occur", TINYINT(unsigned=True), nullable=False),
    flag("usr_pref"),
    flag("prof_pref"),
    flag("dom_pref"),
    flag("peer_pref"),
    flag("contract_pref"),
    flag("reseller_pref"),
    Column("internal", TINYINT(1), nullable=False, server_default="0"),
    flag("expose_to_customer"),
    Column(
        "data_type", ENUM("boolean", "int", "string", "enum", "blob"), nullable=False, server_default="string"
    ),
    flag("read_only"),
    Column("description", Text),
    UniqueConstraint("attribute", name="attribute_idx"),
    **TABLE_OPTIONS,
)

voip_preferences_enum = Table(
    "voip_preferences_enum",
    provisioning.metadata,
    primary_key(),
    reference("preference_id", "provisioning.voip_preferences.id", constraint="v_p_e_pref_ref", cascade=True),
    Column("label", String(64)),
    Column("value", exact(64)),
    flag("default_val"),
    UniqueConstraint("preference_id", "value", name="pref_value_idx"),
    **TABLE_OPTIONS,
)

voip_subscriber_profile_sets = Table(
    "voip_subscriber_profile_sets",
    provisioning.metadata,
    primary_key(),
    reference("reseller_id", billing.resellers.c.id, constraint="vsps_reseller_ref"),
    Column("name", exact(255), nullable=False),
    Column("description", String(255), nullable=False, server_default=""),
    UniqueConstraint("reseller_id", "name", name="vsps_resname_idx"),
    **TABLE_OPTIONS,
)

#: `catchall`: its subscribers may change whatever customers may, not `attributes` alone.
voip_subscriber_profiles = Table(
    "voip_subscriber_profiles",
    provisioning.metadata,
    primary_key(),
    reference(
        "set_id",
        "provisioning.voip_subscriber_profile_sets.id",
        constraint="vsp_setid_ref",
        cascade=True,
    ),
    Column("name", exact(255), nullable=False),
    Column("description", String(255), nullable=False, server_default=""),
    flag("set_default"),
    flag("catchall"),
    UniqueConstraint("set_id", "name", name="vsp_setname_idx"),
    **TABLE_OPTIONS,
)

voip_subscriber_profile_attributes = Table(
    "voip_subscriber_profile_attributes",
    provisioning.metadata,
    primary_key(),
    reference(
        "profile_id", "provisioning.voip_subscriber_profiles.id", constraint="vspa_profile_ref", cascade=True
    ),
    reference(
        "attribute_id", "provisioning.voip_preferences.id", constraint="vspa_attribute_ref", cascade=True
    ),
    UniqueConstraint("profile_id", "attribute_id", name="vspa_profattr_idx"),
    **TABLE_OPTIONS,
)


def _truth(level: str, owner: str, target: str | Column[Any]) -> Table:
    """Return the table of what is set at `level` for the rows of `target`."""
    return Table(
        f"voip_{level}_preferences",
        provisioning.metadata,
        primary_key(),
        reference(owner, target, constraint=f"v_{level}_p_owner_ref", cascade=True),
        reference(
            "attribute_id",
            "provisioning.voip_preferences.id",
            constraint=f"v_{level}_p_attribute_ref",
            cascade=True,
        ),
        Column("value", exact(128), nullable=False),
        modified(),
        Index("owner_attribute_idx", owner, "attribute_id"),
        Index("attribute_value_idx", "attribute_id", "value"),
        **TABLE_OPTIONS,
    )


def _blobs(level: str) -> Table:
    """Return the table of values that are documents; the row that they belong to has an empty value."""
    return Table(
        f"voip_{level}_preferences_blob",
        provisioning.metadata,
        primary_key(),
        reference(
            "preference_id",
            f"provisioning.voip_{level}_preferences.id",
            constraint=f"v_{level}_p_b_pref_ref",
            cascade=True,
        ),
        Column("content_type", exact(128), nullable=False, server_default="text/plain"),
        Column("value", MEDIUMBLOB, nullable=False),
        UniqueConstraint("preference_id", name="preference_idx"),
        **TABLE_OPTIONS,
    )


voip_usr_preferences = _truth("usr", "subscriber_id", "provisioning.voip_subscribers.id")
voip_dom_preferences = _truth("dom", "domain_id", "provisioning.voip_domains.id")
voip_peer_preferences = _truth("peer", "peer_host_id", voip_peer_hosts.c.id)
voip_contract_preferences = _truth("contract", "contract_id", billing.contracts.c.id)
voip_prof_preferences = _truth("prof", "profile_id", "provisioning.voip_subscriber_profiles.id")
voip_reseller_preferences = _truth("reseller", "reseller_id", billing.resellers.c.id)

LEVELS: Final = ("usr", "dom", "peer", "contract", "prof", "reseller")
BLOBS: Final = {level: _blobs(level) for level in LEVELS}

#: Numbers of groups of networks; a row is one that was given away.
voip_aig_sequence = Table("voip_aig_sequence", provisioning.metadata, primary_key(), **TABLE_OPTIONS)

#: `net_from`, `net_to`: the first and the last address, as bytes.
voip_allowed_ip_groups = Table(
    "voip_allowed_ip_groups",
    provisioning.metadata,
    primary_key(),
    Column("group_id", unsigned(), nullable=False),
    Column("ipnet", exact(46), nullable=False),
    Column("net_from", VARBINARY(16), nullable=False),
    Column("net_to", VARBINARY(16), nullable=False),
    UniqueConstraint("group_id", "ipnet", name="groupnet_idx"),
    **TABLE_OPTIONS,
)

#: Groups of networks as the SIP proxy's `permissions` has them.
address = Table(
    "address",
    kamailio.metadata,
    primary_key(),
    Column("grp", unsigned(), nullable=False, server_default="1"),
    Column("ip_addr", exact(50), nullable=False),
    Column("mask", Integer, nullable=False, server_default="32"),
    Column("port", INTEGER(unsigned=True), nullable=False, server_default="0"),
    Column("tag", exact(64)),
    Index("grp_idx", "grp"),
    **TABLE_OPTIONS,
)


def _copy(level: str, key: str) -> Table:
    """Return the proxy's copy of what is set at `level`; `key` is the column that says for whom."""
    return Table(
        f"{level}_preferences",
        kamailio.metadata,
        primary_key(),
        Column("uuid", uuid(), nullable=False, server_default=""),
        Column("username", exact(128), nullable=False, server_default="0"),
        Column("domain", exact(190), nullable=False, server_default=""),
        Column("attribute", exact(32), nullable=False),
        Column("type", Integer, nullable=False, server_default="0"),
        Column("value", exact(128), nullable=False),
        Column("last_modified", DateTime, nullable=False, server_default=NOW),
        Index("ua_idx", key, "attribute"),
        **TABLE_OPTIONS,
    )


dom_preferences = _copy("dom", "domain")
peer_preferences = _copy("peer", "uuid")
contract_preferences = _copy("contract", "uuid")
prof_preferences = _copy("prof", "uuid")
reseller_preferences = _copy("reseller", "uuid")
