"""Database `accounting`: what became of calls, what they cost, and who has been told so."""

from typing import Any, Final

from sqlalchemy import Column, DateTime, Index, MetaData, String, Table, UniqueConstraint
from sqlalchemy.dialects.mysql import BIGINT, CHAR, DECIMAL, ENUM, TINYINT

from ngcp.provisioning.tables.columns import TABLE_OPTIONS, exact, flag, primary_key, unsigned, uuid

metadata = MetaData(schema="accounting")

#: Unix time, or seconds, with milliseconds.
SECONDS: Final = DECIMAL(13, 3)
#: The last partition takes what the mediator has made no month for; MariaDB wants a whole number.
MONTHLY: Final = "RANGE (floor(`start_time`)) (PARTITION `pmax` VALUES LESS THAN MAXVALUE ENGINE = InnoDB)"
SIDES: Final = ("source", "destination")
#: Whose price it is: what the provider pays, what a reseller does, what a customer does.
PAYERS: Final = ("carrier", "reseller", "customer")
CALL_TYPES: Final = ("call", "cfu", "cft", "cfb", "cfna", "cfs", "cfr", "cfo", "sms")
CALL_STATUSES: Final = ("ok", "busy", "noanswer", "cancel", "offline", "timeout", "other", "failed")
#: What became of a call, and of its price.
OUTCOME: Final = ("call_status", "call_type", "rating_status")
#: How a call without a stop record is known to have ended.
CLOSINGS: Final = ("dialog", "session", "maximum")


def _owner(side: str) -> tuple[Column[Any], ...]:
    """Return the columns that say whose side it is."""
    return (
        Column(f"{side}_user_id", uuid(), nullable=False),
        Column(f"{side}_provider_id", unsigned(), nullable=False),
        Column(f"{side}_external_subscriber_id", exact(255), nullable=False, server_default=""),
        Column(f"{side}_external_contract_id", exact(255), nullable=False, server_default=""),
        Column(f"{side}_account_id", unsigned(), nullable=False),
        Column(f"{side}_user", exact(255), nullable=False),
        Column(f"{side}_domain", exact(190), nullable=False),
    )


def _extra(side: str) -> tuple[Column[Any], ...]:
    """Return the columns that a provider uses as he likes, and those of ported numbers."""
    return (
        *(Column(f"{side}_gpp{number}", String(255)) for number in range(10)),
        Column(f"{side}_lnp_prefix", exact(64), nullable=False, server_default=""),
        Column(f"{side}_lnp_type", exact(64), nullable=False, server_default=""),
        Column(f"{side}_user_out", exact(255), nullable=False, server_default=""),
    )


def _prices(side: str) -> tuple[Column[Any], ...]:
    return tuple(
        Column(f"{side}_{payer}_{what}", kind)
        for payer in PAYERS
        for what, kind in (
            ("cost", DECIMAL(14, 6)),
            ("free_time", unsigned()),
            ("billing_fee_id", unsigned()),
            ("billing_zone_id", unsigned()),
        )
    )


def _search_indexes() -> tuple[Index, ...]:
    """Return the indexes by which the calls of a side's subscriber, customer or reseller are found.

    The row number gives an order to legs of one moment, without sorting; what became of a call is there to be
    filtered by, without reading the row.
    """
    return tuple(
        Index(f"{side[0]}{short}_start_idx", f"{side}_{column}", "start_time", "id", *OUTCOME)
        for column, short in (("user_id", "uid"), ("account_id", "aid"), ("provider_id", "pid"))
        for side in SIDES
    )


#: One leg of one call. `call_id`, `branch_id` and `start_time` are those of its start record, of which it is
#: the only row; `branch_id` also has what the B2BUA put behind the Call-ID.
cdr = Table(
    "cdr",
    metadata,
    Column("id", BIGINT(unsigned=True), primary_key=True, autoincrement=True),
    *_owner("source"),
    Column("source_cli", exact(255), nullable=False),
    flag("source_clir"),
    Column("source_ip", exact(64), nullable=False, server_default=""),
    *_extra("source"),
    *_owner("destination"),
    Column("destination_user_dialed", exact(255), nullable=False),
    Column("destination_user_in", exact(255), nullable=False),
    Column("destination_domain_in", exact(190), nullable=False),
    *_extra("destination"),
    Column("peer_auth_user", exact(255), nullable=False, server_default=""),
    Column("peer_auth_realm", exact(255), nullable=False, server_default=""),
    Column("call_type", ENUM(*CALL_TYPES), nullable=False, server_default="call"),
    Column("call_status", ENUM(*CALL_STATUSES), nullable=False),
    Column("call_code", CHAR(3), nullable=False),
    Column("init_time", SECONDS, nullable=False),
    Column("start_time", SECONDS, primary_key=True, autoincrement=False),
    Column("duration", SECONDS, nullable=False),
    Column("call_id", exact(255), nullable=False),
    Column("branch_id", exact(128), nullable=False, server_default="0"),
    Column("closed_by", ENUM(*CLOSINGS)),
    *_prices("source"),
    *_prices("destination"),
    *(Column(f"frag_{payer}_onpeak", TINYINT(1)) for payer in PAYERS),
    flag("is_fragmented"),
    flag("split"),
    Column("rated_at", DateTime),
    Column("rating_status", ENUM("unrated", "ok", "failed"), nullable=False, server_default="unrated"),
    Column("exported_at", DateTime),
    Column("export_status", ENUM("unexported", "ok", "failed"), nullable=False, server_default="unexported"),
    UniqueConstraint("call_id", "branch_id", "start_time", name="leg_idx"),
    *_search_indexes(),
    Index("start_idx", "start_time"),
    Index("rating_idx", "rating_status", "id"),
    Index("export_idx", "export_status", "id"),
    mysql_partition_by=MONTHLY,
    **TABLE_OPTIONS,
)


def _of_cdr() -> tuple[Column[Any], ...]:
    """Return the columns that name a row of `cdr`; MariaDB knows no references to partitions."""
    return (
        Column("cdr_id", BIGINT(unsigned=True), primary_key=True, autoincrement=False),
        Column("cdr_start_time", SECONDS, primary_key=True, autoincrement=False),
    )


#: How a call sounded (1 to 5), its lost packets (percent), jitter and round-trip time (ms).
cdr_mos_data = Table(
    "cdr_mos_data",
    metadata,
    *_of_cdr(),
    *(
        Column(f"mos_average{what}", DECIMAL(7, 2), nullable=False)
        for what in ("", "_packetloss", "_jitter", "_roundtrip")
    ),
    **TABLE_OPTIONS,
)

#: Who takes CDRs out, each with a status of his own.
cdr_export_status = Table(
    "cdr_export_status",
    metadata,
    primary_key(),
    Column("type", exact(64), nullable=False),
    UniqueConstraint("type", name="ces_type_idx"),
    **TABLE_OPTIONS,
)

cdr_export_status_data = Table(
    "cdr_export_status_data",
    metadata,
    *_of_cdr(),
    Column("status_id", unsigned(), primary_key=True, autoincrement=False),
    Column("exported_at", DateTime),
    Column("export_status", ENUM("unexported", "ok", "failed"), nullable=False, server_default="unexported"),
    Index("cesd_status_idx", "status_id", "export_status"),
    **TABLE_OPTIONS,
)

#: How far somebody has come who takes records out: the highest row number.
mark = Table(
    "mark",
    metadata,
    primary_key(),
    Column("collector", exact(255), nullable=False),
    Column("acc_id", BIGINT(unsigned=True), nullable=False, server_default="0"),
    UniqueConstraint("collector", name="mark_collector_idx"),
    **TABLE_OPTIONS,
)
