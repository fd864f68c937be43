"""Database `kamailio`: the copy that the SIP proxy reads at run time, and its registrations."""

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, MetaData, String, Table, UniqueConstraint
from sqlalchemy.dialects.mysql import BIGINT, FLOAT

from ngcp.provisioning.tables.columns import NOW, TABLE_OPTIONS, exact, flag, primary_key, uuid

metadata = MetaData(schema="kamailio")

domain = Table(
    "domain",
    metadata,
    primary_key(),
    Column("domain", exact(190), nullable=False),
    Column("did", exact(190)),
    Column("last_modified", DateTime, nullable=False, server_default=NOW),
    UniqueConstraint("domain", name="domain_idx"),
    **TABLE_OPTIONS,
)

subscriber = Table(
    "subscriber",
    metadata,
    primary_key(),
    Column("username", exact(127), nullable=False),
    Column("domain", exact(190), nullable=False),
    Column("password", exact(128), nullable=False),
    Column("ha1", exact(128), nullable=False),
    Column("ha1b", exact(128), nullable=False),
    Column("uuid", uuid(), nullable=False),
    Column("timezone", String(64), nullable=False, server_default=""),
    Column("datetime_created", DateTime, nullable=False, server_default=NOW),
    UniqueConstraint("username", "domain", name="user_dom_idx"),
    UniqueConstraint("uuid", name="uuid_idx"),
    **TABLE_OPTIONS,
)

dbaliases = Table(
    "dbaliases",
    metadata,
    primary_key(),
    Column("alias_username", exact(127), nullable=False),
    Column("alias_domain", exact(190), nullable=False),
    Column("username", exact(127), nullable=False),
    Column("domain", exact(190), nullable=False),
    flag("is_primary"),
    flag("is_devid"),
    Column("devid_alias", exact(127)),
    UniqueConstraint("alias_username", "alias_domain", name="alias_idx"),
    Index("target_idx", "username", "domain"),
    **TABLE_OPTIONS,
)

usr_preferences = Table(
    "usr_preferences",
    metadata,
    primary_key(),
    Column("uuid", uuid(), nullable=False),
    Column("username", exact(128), nullable=False, server_default="0"),
    Column("domain", exact(190), nullable=False, server_default=""),
    Column("attribute", exact(32), nullable=False),
    Column("type", Integer, nullable=False, server_default="0"),
    Column("value", exact(128), nullable=False),
    Column("last_modified", DateTime, nullable=False, server_default=NOW),
    Index("ua_idx", "uuid", "attribute"),
    **TABLE_OPTIONS,
)

location = Table(
    "location",
    metadata,
    Column("id", BIGINT(unsigned=True), primary_key=True),
    Column("ruid", exact(64), nullable=False),
    Column("username", exact(127), nullable=False),
    Column("domain", exact(190)),
    Column("contact", exact(512), nullable=False),
    Column("received", exact(255)),
    Column("path", exact(512)),
    Column("expires", BigInteger, nullable=False),
    Column("q", FLOAT(10, 2), nullable=False),
    Column("callid", exact(255), nullable=False),
    Column("cseq", BigInteger, nullable=False),
    Column("last_modified", BigInteger, nullable=False),
    Column("flags", Integer, nullable=False, server_default="0"),
    Column("cflags", Integer, nullable=False, server_default="0"),
    Column("user_agent", exact(255), nullable=False, server_default=""),
    Column("socket", exact(128)),
    Column("methods", Integer),
    Column("instance", exact(255)),
    Column("reg_id", Integer, nullable=False, server_default="0"),
    Column("server_id", Integer, nullable=False, server_default="0"),
    Column("connection_id", Integer, nullable=False, server_default="0"),
    Column("keepalive", Integer, nullable=False, server_default="0"),
    Column("partition", Integer, nullable=False, server_default="0"),
    UniqueConstraint("ruid", name="ruid_idx"),
    Index("account_contact_idx", "username", "domain"),
    Index("expires_idx", "expires"),
    **TABLE_OPTIONS,
)
