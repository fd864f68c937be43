"""Database `provisioning`: what the platform does for a subscriber."""

from sqlalchemy import Column, Index, MetaData, Table, UniqueConstraint

from ngcp.provisioning.tables.columns import (
    TABLE_OPTIONS,
    created,
    exact,
    flag,
    modified,
    primary_key,
    reference,
    uuid,
)

metadata = MetaData(schema="provisioning")

voip_domains = Table(
    "voip_domains",
    metadata,
    primary_key(),
    Column("domain", exact(190), nullable=False),
    UniqueConstraint("domain", name="domain_idx"),
    **TABLE_OPTIONS,
)

voip_subscribers = Table(
    "voip_subscribers",
    metadata,
    primary_key(),
    Column("username", exact(127), nullable=False),
    reference("domain_id", "provisioning.voip_domains.id", constraint="v_s_domain_ref"),
    Column("uuid", uuid(), nullable=False),
    Column("password", exact(128), nullable=False),
    flag("admin"),
    Column("webusername", exact(127)),
    Column("webpassword", exact(60)),
    reference(
        "profile_set_id",
        "provisioning.voip_subscriber_profile_sets.id",
        constraint="v_s_profile_set_ref",
        nullable=True,
    ),
    reference(
        "profile_id", "provisioning.voip_subscriber_profiles.id", constraint="v_s_profile_ref", nullable=True
    ),
    created(),
    modified(),
    UniqueConstraint("username", "domain_id", name="user_dom_idx"),
    UniqueConstraint("uuid", name="uuid_idx"),
    UniqueConstraint("domain_id", "webusername", name="webuser_dom_idx"),
    **TABLE_OPTIONS,
)

voip_dbaliases = Table(
    "voip_dbaliases",
    metadata,
    primary_key(),
    Column("username", exact(127), nullable=False),
    reference("domain_id", "provisioning.voip_domains.id", constraint="v_da_domain_ref"),
    reference("subscriber_id", "provisioning.voip_subscribers.id", constraint="v_da_subid_ref", cascade=True),
    flag("is_primary"),
    flag("is_devid"),
    UniqueConstraint("username", name="number_idx"),
    Index("domain_idx", "domain_id", "username"),
    **TABLE_OPTIONS,
)
