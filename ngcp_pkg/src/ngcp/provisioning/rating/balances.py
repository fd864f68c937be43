"""Balances of contracts (table `contract_balances`), one row an interval, without gaps."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from ngcp.provisioning.line import tuple_of
from ngcp.provisioning.rating.contracts import Payer
from ngcp.provisioning.rating.profiles import Fetch, Known
from ngcp.rating.balance import NO_ALLOWANCE, Account, Allowance, Balance, Holding
from ngcp.rating.intervals import Span, interval_of

#: First and last second that matter.
Times: TypeAlias = tuple[int, int]

_COLUMNS: Final = (
    "contract_id, start, end, cash_balance, cash_balance_interval, free_time_balance,"
    " free_time_balance_interval, initial_cash_balance, initial_free_time_balance,"
    " granted_cash, granted_free_time"
)
_BALANCES: Final = """
SELECT b.contract_id, UNIX_TIMESTAMP(b.start), UNIX_TIMESTAMP(b.end), b.cash_balance, b.cash_balance_interval,
 b.free_time_balance, b.free_time_balance_interval, b.initial_cash_balance, b.initial_free_time_balance,
 b.granted_cash, b.granted_free_time
FROM billing.contract_balances b WHERE b.contract_id IN {0} AND b.end >= LEAST(FROM_UNIXTIME({1}),
 (SELECT MAX(l.end) FROM billing.contract_balances l WHERE l.contract_id = b.contract_id))
ORDER BY b.contract_id, b.start"""
_SAVE: Final = f"INSERT INTO billing.contract_balances ({_COLUMNS}) VALUES {{0}} ON DUPLICATE KEY UPDATE " + (
    ", ".join(f"{name} = VALUES({name})" for name in _COLUMNS.split(", ")[3:])
)


async def load_accounts(
    fetch: Fetch, payers: Mapping[int, Payer], times: Mapping[int, Times], profiles: Mapping[int, Known]
) -> Mapping[int, Account]:
    """Return the accounts of contracts, each with all intervals from the first to the last of its `times`."""
    rows: dict[int, list[Balance]] = defaultdict(list)
    if times:
        earliest = min(first for first, _ in times.values())
        for row in await fetch(_BALANCES.format(tuple_of([*times]), earliest)):
            rows[row[0]].append(_balance(row))
    return {
        number: Account(_continued(rows[number], payers[number], times[number], profiles)) for number in times
    }


def save_statement(accounts: Iterable[tuple[int, Balance]]) -> str | None:
    """Return the statement that stores these balances of contracts; None if there is nothing to store."""
    rows = [_row(contract, balance) for contract, balance in accounts]
    return _SAVE.format(",".join(rows)) if rows else None


def _continued(
    stored: list[Balance], payer: Payer, times: Times, profiles: Mapping[int, Known]
) -> list[Balance]:
    """Return the balances, up to the last of `times`: each interval as the profile of its beginning says."""
    balances = list(stored)
    first, last = times
    while not balances or balances[-1].span.end <= last:
        begins = balances[-1].span.end if balances else first
        number = payer.contract.profile_at(begins)
        known = profiles.get(number) if number is not None else None
        profile = known.profile if known else None
        unit, count = (profile.unit, profile.count) if profile else ("month", 1)
        span = interval_of(begins, unit, count, payer.zone)
        allowance = profile.allowance if profile else NO_ALLOWANCE
        balances.append(
            balances[-1].following(span.end, allowance) if balances else Balance.opened(span, allowance)
        )
    return balances


def _balance(row: Any) -> Balance:  # noqa: ANN401 - a row of the driver
    _, start, end, cash, spent_cash, time, spent_time, had_cash, had_time, given_cash, given_time = row
    return Balance(
        Span(int(start), int(end) + 1),
        Allowance(Decimal(given_cash), int(given_time)),
        Decimal(cash),
        int(time),
        Decimal(spent_cash),
        int(spent_time),
        Holding(Decimal(had_cash), int(had_time)),
        is_new=False,
    )


def _row(contract: int, balance: Balance) -> str:
    start, end = balance.span
    return (
        f"({contract}, FROM_UNIXTIME({start}), FROM_UNIXTIME({end - 1}), {balance.cash:f},"
        f" {balance.spent_cash:f}, {balance.time}, {balance.spent_time}, {balance.initial.cash:f},"
        f" {balance.initial.time}, {balance.allowance.cash:f}, {balance.allowance.time})"
    )
