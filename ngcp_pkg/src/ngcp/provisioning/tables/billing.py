"""Database `billing`: who buys what, and from whom."""

from typing import Any

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, String, Table, UniqueConstraint
from sqlalchemy.dialects.mysql import BIGINT, DECIMAL, ENUM, TEXT, TINYINT

from ngcp.provisioning.tables.columns import (
    TABLE_OPTIONS,
    created,
    exact,
    flag,
    modified,
    primary_key,
    reference,
    status,
    unsigned,
    uuid,
)

metadata = MetaData(schema="billing")

acl_roles = Table(
    "acl_roles",
    metadata,
    primary_key(),
    Column("role", exact(64), nullable=False),
    UniqueConstraint("role", name="aclr_role_idx"),
    **TABLE_OPTIONS,
)

#: A contact without reseller is the provider's own ("system contact").
contacts = Table(
    "contacts",
    metadata,
    primary_key(),
    Column("reseller_id", unsigned()),
    Column("firstname", String(127)),
    Column("lastname", String(127)),
    Column("comregnum", String(31)),
    Column("company", String(127)),
    Column("street", String(127)),
    Column("postcode", String(16)),
    Column("city", String(127)),
    Column("country", String(2)),
    Column("phonenumber", String(31)),
    Column("mobilenumber", String(31)),
    Column("faxnumber", String(31)),
    Column("email", String(255)),
    Column("iban", String(34)),
    Column("bic", String(11)),
    Column("vatnum", String(127)),
    Column("bankname", String(255)),
    Column("timezone", String(80)),
    status("active", "terminated"),
    modified(),
    created(),
    Column("terminate_timestamp", DateTime),
    Index("c_reseller_idx", "reseller_id"),
    Index("c_email_idx", "email"),
    **TABLE_OPTIONS,
)

products = Table(
    "products",
    metadata,
    primary_key(),
    Column(
        "class", ENUM("sippeering", "pstnpeering", "reseller", "sipaccount", "pbxaccount"), nullable=False
    ),
    Column("handle", exact(63), nullable=False),
    Column("name", String(127), nullable=False),
    flag("on_sale"),
    UniqueConstraint("handle", name="p_handle_idx"),
    **TABLE_OPTIONS,
)

contracts = Table(
    "contracts",
    metadata,
    primary_key(),
    reference("contact_id", "billing.contacts.id", constraint="co_contact_ref"),
    reference("product_id", "billing.products.id", constraint="co_product_ref"),
    status("pending", "active", "locked", "terminated", default="pending"),
    Column("external_id", String(255)),
    Column("max_subscribers", Integer),
    modified(),
    created(),
    Column("activate_timestamp", DateTime),
    Column("terminate_timestamp", DateTime),
    Index("externalid_idx", "external_id"),
    **TABLE_OPTIONS,
)

resellers = Table(
    "resellers",
    metadata,
    primary_key(),
    reference("contract_id", "billing.contracts.id", constraint="r_contract_ref"),
    Column("name", String(63), nullable=False),
    status("active", "locked", "terminated"),
    UniqueConstraint("contract_id", name="r_contract_idx"),
    UniqueConstraint("name", name="r_name_idx"),
    **TABLE_OPTIONS,
)

billing_profiles = Table(
    "billing_profiles",
    metadata,
    primary_key(),
    reference("reseller_id", "billing.resellers.id", constraint="b_p_reseller_ref", nullable=True),
    Column("handle", exact(63), nullable=False),
    Column("name", String(31), nullable=False),
    Column("currency", String(31)),
    status("active", "terminated"),
    flag("prepaid"),
    Column("interval_charge", DECIMAL(14, 6), nullable=False, server_default="0"),
    Column("interval_free_time", Integer, nullable=False, server_default="0"),
    Column("interval_free_cash", DECIMAL(14, 6), nullable=False, server_default="0"),
    Column("interval_unit", ENUM("week", "month"), nullable=False, server_default="month"),
    Column("interval_count", TINYINT(unsigned=True), nullable=False, server_default="1"),
    flag("fraud_use_reseller_rates"),
    Column("fraud_interval_limit", unsigned()),
    Column("fraud_interval_lock", TINYINT(unsigned=True)),
    Column("fraud_interval_notify", String(255)),
    Column("fraud_daily_limit", unsigned()),
    Column("fraud_daily_lock", TINYINT(unsigned=True)),
    Column("fraud_daily_notify", String(255)),
    Column("revision", unsigned(), nullable=False, server_default="0"),
    UniqueConstraint("reseller_id", "handle", name="b_p_handle_idx"),
    **TABLE_OPTIONS,
)

billing_zones = Table(
    "billing_zones",
    metadata,
    primary_key(),
    reference(
        "billing_profile_id", "billing.billing_profiles.id", constraint="b_z_profile_ref", cascade=True
    ),
    Column("zone", exact(127), nullable=False),
    Column("detail", exact(127)),
    UniqueConstraint("billing_profile_id", "zone", "detail", name="profnamdes_idx"),
    **TABLE_OPTIONS,
)


def _rates(time: str) -> tuple[Column[Any], ...]:
    """Return what calls cost at a time of the day: first interval, following ones (seconds)."""
    return tuple(
        column
        for part in ("init", "follow")
        for column in (
            Column(f"{time}_{part}_rate", DECIMAL(14, 6), nullable=False, server_default="0"),
            Column(f"{time}_{part}_interval", unsigned(), nullable=False, server_default="60"),
        )
    )


billing_fees = Table(
    "billing_fees",
    metadata,
    primary_key(),
    reference(
        "billing_profile_id", "billing.billing_profiles.id", constraint="b_f_profile_ref", cascade=True
    ),
    reference("billing_zone_id", "billing.billing_zones.id", constraint="b_f_zone_ref", nullable=True),
    Column("source", exact(255), nullable=False, server_default="."),
    Column("destination", exact(255), nullable=False),
    Column("direction", ENUM("in", "out"), nullable=False, server_default="out"),
    Column(
        "match_mode",
        ENUM("regex_longest_pattern", "regex_longest_match", "prefix", "exact_destination"),
        nullable=False,
        server_default="regex_longest_pattern",
    ),
    *_rates("onpeak"),
    *_rates("offpeak"),
    flag("use_free_time"),
    UniqueConstraint("billing_profile_id", "source", "destination", "direction", name="profsrcdes_idx"),
    **TABLE_OPTIONS,
)

#: Which profile a contract is charged by; the mapping without dates is the one that always applies.
billing_mappings = Table(
    "billing_mappings",
    metadata,
    primary_key(),
    Column("start_date", DateTime),
    Column("end_date", DateTime),
    reference("billing_profile_id", "billing.billing_profiles.id", constraint="b_m_profile_ref"),
    reference("contract_id", "billing.contracts.id", constraint="b_m_contract_ref", cascade=True),
    Index("b_m_contract_idx", "contract_id", "start_date", "end_date"),
    **TABLE_OPTIONS,
)

domains = Table(
    "domains",
    metadata,
    primary_key(),
    Column("domain", exact(190), nullable=False),
    reference("reseller_id", "billing.resellers.id", constraint="dom_reseller_ref"),
    UniqueConstraint("domain", name="domain_idx"),
    **TABLE_OPTIONS,
)

voip_subscribers = Table(
    "voip_subscribers",
    metadata,
    primary_key(),
    reference("contract_id", "billing.contracts.id", constraint="v_s_contract_ref"),
    Column("uuid", uuid(), nullable=False),
    Column("username", exact(127), nullable=False),
    reference("domain_id", "billing.domains.id", constraint="v_s_domain_ref"),
    status("active", "locked", "terminated"),
    Column("primary_number_id", unsigned()),
    Column("external_id", String(255)),
    UniqueConstraint("uuid", name="uuid_idx"),
    Index("username_idx", "username", "domain_id"),
    Index("externalid_idx", "external_id"),
    Index("pnum_idx", "primary_number_id"),
    **TABLE_OPTIONS,
)

voip_numbers = Table(
    "voip_numbers",
    metadata,
    primary_key(),
    Column("cc", unsigned(), nullable=False),
    Column("ac", exact(7), nullable=False),
    Column("sn", exact(31), nullable=False),
    reference("subscriber_id", "billing.voip_subscribers.id", constraint="v_n_subscriber_ref"),
    status("active", "reserved", "locked", "deported"),
    flag("ported"),
    UniqueConstraint("cc", "ac", "sn", name="number_idx"),
    **TABLE_OPTIONS,
)

admins = Table(
    "admins",
    metadata,
    primary_key(),
    reference("reseller_id", "billing.resellers.id", constraint="a_reseller_ref", nullable=True),
    Column("login", exact(31), nullable=False),
    Column("saltedpass", exact(60), nullable=False),
    flag("is_active", default=True),
    flag("read_only"),
    flag("show_passwords", default=True),
    Column("email", String(255)),
    reference("role_id", "billing.acl_roles.id", constraint="a_role_ref"),
    flag("is_master"),
    flag("call_data"),
    flag("billing_data", default=True),
    Column("ssl_client_m_serial", BIGINT(unsigned=True)),
    Column("ssl_client_certificate", TEXT()),
    UniqueConstraint("login", name="login_idx"),
    UniqueConstraint("ssl_client_m_serial", name="a_serial_idx"),
    **TABLE_OPTIONS,
)
