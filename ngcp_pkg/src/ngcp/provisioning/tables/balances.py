"""What rating needs beside fees: off-peak times, balances, limits, sums (`billing`, `accounting`)."""

from typing import Any, Final

from sqlalchemy import Column, Date, DateTime, Index, Integer, String, Table, UniqueConstraint
from sqlalchemy.dialects.mysql import BIGINT, DECIMAL, ENUM, TIME, TINYINT

from ngcp.provisioning.tables import accounting, billing
from ngcp.provisioning.tables.columns import (
    TABLE_OPTIONS,
    created,
    exact,
    flag,
    primary_key,
    reference,
    unsigned,
)

#: Cents with all that a call may leave of them.
CASH: Final = DECIMAL(20, 6)
SECONDS: Final = DECIMAL(13, 3)


def _of_profile(constraint: str) -> Column[Any]:
    return reference("billing_profile_id", "billing.billing_profiles.id", constraint=constraint, cascade=True)


def _cash(name: str) -> Column[Any]:
    return Column(name, CASH, nullable=False, server_default="0")


def _time(name: str) -> Column[Any]:
    return Column(name, Integer, nullable=False, server_default="0")


#: Off-peak times; weekday 0 is Monday, `end` their last second; without both the whole day.
billing_peaktime_weekdays = Table(
    "billing_peaktime_weekdays",
    billing.metadata,
    primary_key(),
    _of_profile("b_p_w_profile_ref"),
    Column("weekday", TINYINT(unsigned=True), nullable=False),
    Column("start", TIME()),
    Column("end", TIME()),
    **TABLE_OPTIONS,
)

#: The same once, by the clock on the wall.
billing_peaktime_special = Table(
    "billing_peaktime_special",
    billing.metadata,
    primary_key(),
    _of_profile("b_p_s_profile_ref"),
    Column("start", DateTime, nullable=False),
    Column("end", DateTime, nullable=False),
    **TABLE_OPTIONS,
)

#: One row an interval, `end` its last second, both UTC. What `…_interval` says was spent in it, and what was
#: `granted` is lost at its end unless it was.
contract_balances = Table(
    "contract_balances",
    billing.metadata,
    primary_key(),
    reference("contract_id", "billing.contracts.id", constraint="c_b_contract_ref", cascade=True),
    _cash("cash_balance"),
    _cash("cash_balance_interval"),
    _time("free_time_balance"),
    _time("free_time_balance_interval"),
    _cash("initial_cash_balance"),
    _time("initial_free_time_balance"),
    _cash("granted_cash"),
    _time("granted_free_time"),
    Column("start", DateTime, nullable=False),
    Column("end", DateTime, nullable=False),
    UniqueConstraint("contract_id", "start", "end", name="balance_interval"),
    **TABLE_OPTIONS,
)

#: A customer's own limits; they come before those of the profile.
contract_fraud_preferences = Table(
    "contract_fraud_preferences",
    billing.metadata,
    primary_key(),
    reference("contract_id", "billing.contracts.id", constraint="c_f_p_contract_ref", cascade=True),
    *(
        Column(f"fraud_{name}_{what}", kind)
        for name in ("interval", "daily")
        for what, kind in (
            ("limit", unsigned()),
            ("lock", TINYINT(unsigned=True)),
            ("notify", String(255)),
        )
    ),
    UniqueConstraint("contract_id", name="contract_id"),
    **TABLE_OPTIONS,
)

#: Subscribers that a limit has locked, and what their lock was before.
contract_fraud_locks = Table(
    "contract_fraud_locks",
    billing.metadata,
    primary_key(),
    reference("contract_id", "billing.contracts.id", constraint="c_f_l_contract_ref", cascade=True),
    reference(
        "subscriber_id", "billing.voip_subscribers.id", constraint="c_f_l_subscriber_ref", cascade=True
    ),
    Column("period", ENUM("month", "day"), nullable=False),
    Column("lock_level", TINYINT(unsigned=True), nullable=False),
    Column("previous_level", TINYINT(unsigned=True)),
    Column("until", DateTime, nullable=False),
    UniqueConstraint("subscriber_id", "period", name="c_f_l_subscriber_idx"),
    Index("c_f_l_until_idx", "until"),
    **TABLE_OPTIONS,
)

#: What a customer's calls of a month or a day cost, by his clock.
cdr_period_costs = Table(
    "cdr_period_costs",
    accounting.metadata,
    primary_key(),
    Column("contract_id", unsigned(), nullable=False),
    Column("period", ENUM("month", "day"), nullable=False),
    Column("period_date", Date, nullable=False),
    Column("direction", ENUM("out", "in"), nullable=False),
    _cash("customer_cost"),
    _cash("reseller_cost"),
    Column("cdr_count", unsigned(), nullable=False, server_default="0"),
    flag("fraud_limit_exceeded"),
    Column("fraud_limit_type", ENUM("contract", "billing_profile")),
    Column("first_cdr_start_time", SECONDS, nullable=False),
    Column("last_cdr_start_time", SECONDS, nullable=False),
    UniqueConstraint("contract_id", "period", "period_date", "direction", name="cpc_idx"),
    **TABLE_OPTIONS,
)

#: Limits that were exceeded: somebody is told of each, once.
fraud_events = Table(
    "fraud_events",
    accounting.metadata,
    primary_key(),
    Column("contract_id", unsigned(), nullable=False),
    Column("period", ENUM("month", "day"), nullable=False),
    Column("period_date", Date, nullable=False),
    _cash("cost"),
    Column("fraud_limit", unsigned(), nullable=False),
    Column("fraud_lock", TINYINT(unsigned=True)),
    Column("notify", String(255), nullable=False, server_default=""),
    created(),
    Column("notified_at", DateTime),
    UniqueConstraint("contract_id", "period", "period_date", name="fe_idx"),
    Index("fe_notified_idx", "notified_at"),
    **TABLE_OPTIONS,
)

#: What prepaid calls have cost, for the proxy to know which ones a balance has paid.
prepaid_costs = Table(
    "prepaid_costs",
    accounting.metadata,
    primary_key(),
    Column("contract_id", unsigned(), nullable=False),
    Column("call_id", exact(255), nullable=False),
    _cash("cost"),
    _time("free_time_used"),
    Column("timestamp", DateTime, nullable=False),
    Index("pc_contract_idx", "contract_id", "timestamp"),
    Index("pc_timestamp_idx", "timestamp"),
    **TABLE_OPTIONS,
)

#: Why a call record has rating status `failed`.
cdr_rating_failures = Table(
    "cdr_rating_failures",
    accounting.metadata,
    Column("cdr_id", BIGINT(unsigned=True), primary_key=True, autoincrement=False),
    Column("reason", String(255), nullable=False),
    Column("failed_at", DateTime, nullable=False),
    **TABLE_OPTIONS,
)
