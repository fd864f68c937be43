"""Announcements and music (database `provisioning`): which there are, and what they say in a set."""

from sqlalchemy import Column, ForeignKey, String, Table, UniqueConstraint
from sqlalchemy.dialects.mysql import LONGBLOB

from ngcp.provisioning.tables import billing
from ngcp.provisioning.tables.columns import TABLE_OPTIONS, exact, flag, primary_key, reference, unsigned
from ngcp.provisioning.tables.provisioning import metadata

voip_sound_groups = Table(
    "voip_sound_groups",
    metadata,
    primary_key(),
    Column("name", exact(190), nullable=False),
    UniqueConstraint("name", name="sound_group_idx"),
    **TABLE_OPTIONS,
)

voip_sound_handles = Table(
    "voip_sound_handles",
    metadata,
    primary_key(),
    Column("name", exact(190), nullable=False),
    reference("group_id", "provisioning.voip_sound_groups.id", constraint="v_s_h_group_ref"),
    flag("expose_to_customer"),
    UniqueConstraint("name", "group_id", name="sound_handle_idx"),
    **TABLE_OPTIONS,
)

voip_sound_sets = Table(
    "voip_sound_sets",
    metadata,
    primary_key(),
    reference("reseller_id", billing.resellers.c.id, constraint="vss_reseller_ref"),
    reference("contract_id", billing.contracts.c.id, constraint="vss_contract_ref", nullable=True),
    Column("name", exact(255), nullable=False),
    Column("description", String(255)),
    flag("contract_default"),
    Column(
        "parent_id",
        unsigned(),
        ForeignKey("provisioning.voip_sound_sets.id", name="vss_parent_id_ref", ondelete="SET NULL"),
    ),
    flag("expose_to_customer"),
    UniqueConstraint("reseller_id", "contract_id", "name", name="sound_set_idx"),
    **TABLE_OPTIONS,
)

#: `data` is a WAV file; without it the set's parent is asked (`use_parent`), or nothing is played.
voip_sound_files = Table(
    "voip_sound_files",
    metadata,
    primary_key(),
    Column("filename", String(255), nullable=False),
    Column("data", LONGBLOB),
    reference("handle_id", "provisioning.voip_sound_handles.id", constraint="handle_id_ref"),
    reference("set_id", "provisioning.voip_sound_sets.id", constraint="set_id_ref", cascade=True),
    flag("loopplay"),
    Column("codec", exact(16), nullable=False, server_default=""),
    flag("use_parent"),
    UniqueConstraint("set_id", "handle_id", name="handle_set_id_idx"),
    **TABLE_OPTIONS,
)
