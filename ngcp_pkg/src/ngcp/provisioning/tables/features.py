"""What subscribers have calls do (database `provisioning`): forwards, speed dials, locations, trust."""

from typing import Any, Final

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Time,
    UniqueConstraint,
)
from sqlalchemy.dialects.mysql import ENUM

from ngcp.provisioning.tables import kamailio
from ngcp.provisioning.tables.columns import (
    TABLE_OPTIONS,
    exact,
    flag,
    primary_key,
    reference,
    unsigned,
    uuid,
)
from ngcp.provisioning.tables.provisioning import metadata, voip_subscribers
from ngcp.provisioning.tables.sounds import voip_sound_handles

#: Kinds of call forwards: unconditional, busy, timeout, not available, SMS, response, overflow.
KINDS: Final = ("cfu", "cfb", "cft", "cfna", "cfs", "cfr", "cfo")
#: What location mappings do with the places where a subscriber has registered.
MODES: Final = ("add", "replace", "offline", "forward")
#: On which days a wake-up call comes: once, Monday to Friday, every day.
RECURRENCES: Final = ("never", "weekdays", "always")
PROTOCOLS: Final = ("UDP", "TCP", "TLS", "ANY")


def _owner(constraint: str) -> Column[Any]:
    """Return the column that says whose a row is."""
    return reference("subscriber_id", voip_subscribers.c.id, constraint=constraint, cascade=True)


def _set(name: str, prefix: str, *columns: Column[Any]) -> Table:
    """Return the table of a kind of sets, each of which a subscriber knows by a name."""
    return Table(
        name,
        metadata,
        primary_key(),
        _owner(f"{prefix}_subscriber_ref"),
        Column("name", exact(255), nullable=False),
        *columns,
        UniqueConstraint("subscriber_id", "name", name=f"{prefix}_name_idx"),
        **TABLE_OPTIONS,
    )


def _members(name: str, parent: Table, column: str, constraint: str, *columns: Column[Any]) -> Table:
    """Return the table of what is in sets of table `parent`."""
    key = reference(column, parent.c.id, constraint=constraint, cascade=True)
    return Table(name, metadata, primary_key(), key, *columns, **TABLE_OPTIONS)


def _of_numbers() -> tuple[Column[Any], ...]:
    """Return the columns of a set of numbers."""
    mode: Column[Any] = Column(
        "mode", ENUM("whitelist", "blacklist"), nullable=False, server_default="whitelist"
    )
    return mode, flag("is_regex")


voip_cf_destination_sets = _set("voip_cf_destination_sets", "cfds")
voip_cf_destinations = _members(
    "voip_cf_destinations",
    voip_cf_destination_sets,
    "destination_set_id",
    "cfd_dset_ref",
    Column("destination", exact(255), nullable=False),
    Column("priority", unsigned(), nullable=False, server_default="1"),
    Column("timeout", unsigned(), nullable=False, server_default="300"),
    reference("announcement_id", voip_sound_handles.c.id, constraint="cfd_announcement_ref", nullable=True),
)

voip_cf_time_sets = _set("voip_cf_time_sets", "cfts")
voip_cf_periods = _members(
    "voip_cf_periods",
    voip_cf_time_sets,
    "time_set_id",
    "cfp_tset_ref",
    *(Column(name, exact(255)) for name in ("year", "month", "mday", "wday", "hour", "minute")),
)

voip_cf_source_sets = _set("voip_cf_source_sets", "cfss", *_of_numbers())
voip_cf_sources = _members(
    "voip_cf_sources",
    voip_cf_source_sets,
    "source_set_id",
    "cfs_sset_ref",
    Column("source", exact(255), nullable=False),
)

voip_cf_bnumber_sets = _set("voip_cf_bnumber_sets", "cfbs", *_of_numbers())
voip_cf_bnumbers = _members(
    "voip_cf_bnumbers",
    voip_cf_bnumber_sets,
    "bnumber_set_id",
    "cfb_bset_ref",
    Column("bnumber", exact(255), nullable=False),
)


def _in_set(column: str, parent: Table, constraint: str) -> Column[Any]:
    """Return a mapping's column for a set; without the set there is no mapping."""
    return reference(column, parent.c.id, constraint=constraint, nullable=True, cascade=True)


voip_cf_mappings = Table(
    "voip_cf_mappings",
    metadata,
    primary_key(),
    _owner("cfm_subscriber_ref"),
    Column("type", ENUM(*KINDS), nullable=False, server_default="cfu"),
    _in_set("destination_set_id", voip_cf_destination_sets, "cfm_dset_ref"),
    _in_set("time_set_id", voip_cf_time_sets, "cfm_tset_ref"),
    _in_set("source_set_id", voip_cf_source_sets, "cfm_sset_ref"),
    _in_set("bnumber_set_id", voip_cf_bnumber_sets, "cfm_bset_ref"),
    flag("enabled", default=True),
    flag("use_redirection"),
    **TABLE_OPTIONS,
)

voip_speed_dial = Table(
    "voip_speed_dial",
    metadata,
    primary_key(),
    _owner("v_sd_subscriber_ref"),
    Column("slot", exact(64), nullable=False),
    Column("destination", exact(255), nullable=False),
    UniqueConstraint("subscriber_id", "slot", name="sd_slot_idx"),
    **TABLE_OPTIONS,
)

voip_reminder = Table(
    "voip_reminder",
    metadata,
    primary_key(),
    _owner("v_rem_subscriber_ref"),
    Column("time", Time(), nullable=False),
    Column("recur", ENUM(*RECURRENCES), nullable=False, server_default="never"),
    flag("active", default=True),
    UniqueConstraint("subscriber_id", name="vrem_subid_idx"),
    Index("vrem_time_idx", "time", "active"),
    **TABLE_OPTIONS,
)

#: Wake-up calls that are due, are made, or were: the last one of each reminder.
voip_reminder_calls = Table(
    "voip_reminder_calls",
    metadata,
    Column(
        "reminder_id",
        unsigned(),
        ForeignKey(voip_reminder.c.id, name="vrc_reminder_ref", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("due", DateTime, nullable=False),
    Column("attempts", unsigned(), nullable=False, server_default="0"),
    Column("next_attempt", DateTime),
    Index("vrc_next_idx", "next_attempt"),
    **TABLE_OPTIONS,
)

#: One row: until when wake-up calls were looked for.
voip_reminder_rounds = Table(
    "voip_reminder_rounds",
    metadata,
    Column("id", unsigned(), primary_key=True, autoincrement=False),
    Column("checked", DateTime),
    **TABLE_OPTIONS,
)

voip_trusted_sources = Table(
    "voip_trusted_sources",
    metadata,
    primary_key(),
    _owner("v_ts_subscriber_ref"),
    Column("src_ip", exact(50), nullable=False),
    Column("protocol", ENUM(*PROTOCOLS), nullable=False, server_default="ANY"),
    Column("from_pattern", exact(64)),
    Column("uuid", uuid(), nullable=False),
    **TABLE_OPTIONS,
)

voip_subscriber_location_mappings = Table(
    "voip_subscriber_location_mappings",
    metadata,
    primary_key(),
    _owner("v_slm_subscriber_ref"),
    Column("location", exact(255), nullable=False),
    Column("caller_pattern", exact(255)),
    Column("callee_pattern", exact(255)),
    Column("mode", ENUM(*MODES), nullable=False, server_default="replace"),
    Column("to_username", exact(255)),
    Column("external_id", String(255)),
    flag("enabled", default=True),
    **TABLE_OPTIONS,
)

#: The proxy's copy of the trusted sources; `tag` is whose calls they are.
trusted = Table(
    "trusted",
    kamailio.metadata,
    primary_key(),
    Column("src_ip", exact(50), nullable=False),
    Column("proto", exact(4), nullable=False),
    Column("from_pattern", exact(64)),
    Column("ruri_pattern", exact(64)),
    Column("tag", exact(64)),
    Column("priority", Integer, nullable=False, server_default="0"),
    Index("peer_idx", "src_ip"),
    Index("tag_idx", "tag"),
    **TABLE_OPTIONS,
)
