"""Database `kamailio`: what the SIP proxy reads at run time, its registrations and call records."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.mysql import BIGINT, DECIMAL, ENUM, FLOAT, LONGBLOB, TIMESTAMP, TINYINT

from ngcp.provisioning.tables.columns import NOW, TABLE_OPTIONS, exact, flag, primary_key, unsigned, uuid

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
    Index("timezone_idx", "timezone"),
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


def _records(name: str, *columns: Column[Any]) -> Table:
    """Return a table of call records, each of which it has once."""
    return Table(
        name,
        metadata,
        Column("id", BIGINT(unsigned=True), primary_key=True),
        Column("method", exact(16), nullable=False, server_default=""),
        Column("from_tag", exact(128), nullable=False, server_default=""),
        Column("to_tag", exact(128), nullable=False, server_default=""),
        Column("callid", exact(255), nullable=False, server_default=""),
        Column("sip_code", exact(3), nullable=False, server_default=""),
        Column("sip_reason", exact(128), nullable=False, server_default=""),
        Column("time", DateTime, nullable=False),
        Column("time_hires", DECIMAL(13, 3), nullable=False),
        Column("src_leg", Text),
        Column("dst_leg", Text),
        Column("dst_user", exact(128), nullable=False, server_default=""),
        Column("dst_ouser", exact(128), nullable=False, server_default=""),
        Column("dst_domain", exact(190), nullable=False, server_default=""),
        Column("src_user", exact(128), nullable=False, server_default=""),
        Column("src_domain", exact(190), nullable=False, server_default=""),
        Column("branch_id", exact(64), nullable=False, server_default=""),
        *columns,
        UniqueConstraint("callid", "method", "time_hires", "branch_id", name="record_idx"),
        **TABLE_OPTIONS,
    )


#: One that is sent twice, since its first answer got lost, is stored once.
acc = _records("acc")
#: What the mediator is done with: a record that comes once more is known by it.
acc_backup = _records("acc_backup")
#: What it could make nothing of, and why.
acc_trash = _records("acc_trash", Column("reason", String(255), nullable=False, server_default=""))

#: How the B2BUA stands with foreign registrars; a row is a subscriber's or a peering server's.
sems_registrations = Table(
    "sems_registrations",
    metadata,
    primary_key(),
    Column("subscriber_id", unsigned()),
    Column("peer_host_id", unsigned()),
    Column("registration_status", TINYINT(1), nullable=False, server_default="0"),
    Column("last_registration", DateTime),
    Column("expiry", DateTime),
    Column("last_code", SmallInteger),
    Column("last_reason", String(256)),
    Column("contacts", String(512)),
    UniqueConstraint("subscriber_id", name="sr_subscriber_idx"),
    UniqueConstraint("peer_host_id", name="sr_peer_host_idx"),
    **TABLE_OPTIONS,
)


def _choice(name: str, *, default: str) -> Column[Any]:
    """Return a column that says yes or no in words."""
    return Column(name, ENUM("yes", "no"), nullable=False, server_default=default)


#: Whose mailbox is how; a mailbox has the UUID of its subscriber.
voicemail_users = Table(
    "voicemail_users",
    metadata,
    Column("uniqueid", unsigned(), primary_key=True),
    Column("customer_id", uuid(), nullable=False),
    Column("context", String(63), nullable=False, server_default="default"),
    Column("mailbox", uuid(), nullable=False),
    Column("password", exact(31), nullable=False),
    Column("fullname", String(255), nullable=False, server_default=""),
    Column("email", String(255), nullable=False, server_default=""),
    Column("pager", String(255), nullable=False, server_default=""),
    Column("tz", String(64), nullable=False, server_default=""),
    _choice("attach", default="yes"),
    _choice("saycid", default="yes"),
    _choice("review", default="no"),
    _choice("operator", default="no"),
    _choice("envelope", default="no"),
    _choice("sayduration", default="no"),
    Column("saydurationm", TINYINT(unsigned=True), nullable=False, server_default="1"),
    _choice("sendvoicemail", default="no"),
    _choice("delete", default="no"),
    _choice("nextaftercmd", default="yes"),
    _choice("forcename", default="no"),
    _choice("forcegreetings", default="no"),
    _choice("hidefromdir", default="yes"),
    Column("dialout", String(10)),
    Column("callback", String(10)),
    Column(
        "stamp",
        TIMESTAMP,
        nullable=False,
        server_default=text("CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"),
    ),
    UniqueConstraint("customer_id", name="customer_idx"),
    UniqueConstraint("mailbox", "context", name="mailbox_idx"),
    **TABLE_OPTIONS,
)

#: Messages, and greetings: what was spoken, as WAV.
voicemail_spool = Table(
    "voicemail_spool",
    metadata,
    primary_key(),
    Column("msgnum", Integer, nullable=False, server_default="0"),
    Column("dir", exact(127), nullable=False),
    Column("context", String(63), nullable=False, server_default=""),
    Column("macrocontext", String(63), nullable=False, server_default=""),
    Column("callerid", String(255), nullable=False, server_default=""),
    Column("origtime", BIGINT(unsigned=True), nullable=False),
    Column("duration", unsigned(), nullable=False, server_default="0"),
    Column("mailboxuser", uuid(), nullable=False),
    Column("mailboxcontext", String(63), nullable=False, server_default="default"),
    Column("recording", LONGBLOB, nullable=False),
    Column("flag", String(128), nullable=False, server_default=""),
    Column("msg_id", exact(40)),
    Column("call_id", exact(255), nullable=False, server_default=""),
    Column(
        "transcript_status", ENUM("none", "pending", "done", "failed"), nullable=False, server_default="none"
    ),
    Column("transcript", Text),
    UniqueConstraint("msg_id", name="msg_id_idx"),
    Index("dir_idx", "dir", "msgnum"),
    Index("mailboxuser_idx", "mailboxuser"),
    Index("origtime_idx", "origtime"),
    **TABLE_OPTIONS,
)
