"""What customers spend in a month and a day, and what happens when that is more than they may.

Their subscribers are locked until the month, or the day, is over by the customer's clock; whoever is to be
told is told by an event, once a period.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ngcp.provisioning.line import literal
from ngcp.provisioning.rating.contracts import Payer
from ngcp.provisioning.rating.profiles import Fetch
from ngcp.rating.profile import Limits, Profile


class Period(NamedTuple):
    """A customer's month or day."""

    contract: int
    kind: str
    begins: date
    direction: str


class Spent(NamedTuple):
    """What a call costs a customer and his reseller."""

    start: Decimal
    """Unix time."""
    customer: Decimal
    reseller: Decimal


@dataclass(slots=True)
class Sum:
    """What calls of a period cost."""

    customer: Decimal = Decimal(0)
    reseller: Decimal = Decimal(0)
    count: int = 0
    first: Decimal = Decimal("Infinity")
    last: Decimal = Decimal(0)
    limits: Limits | None = None
    is_own_limit: bool = False
    by_reseller: bool = False
    until: int = 0
    """When the period is over: Unix time."""
    was_exceeded: bool = False

    def add(self, spent: Spent) -> None:
        """Count a call."""
        self.customer += spent.customer
        self.reseller += spent.reseller
        self.count += 1
        self.first, self.last = min(self.first, spent.start), max(self.last, spent.start)

    @property
    def is_exceeded(self) -> bool:
        """Whether a limit is reached."""
        spent = self.reseller if self.by_reseller else self.customer
        return self.limits is not None and self.limits.cash is not None and spent >= self.limits.cash


_KEY: Final = "contract_id, period, period_date, direction"
_VALUES: Final = (
    "customer_cost, reseller_cost, cdr_count, first_cdr_start_time, last_cdr_start_time,"
    " fraud_limit_exceeded, fraud_limit_type"
)
_SUMS: Final = f"""
SELECT {_KEY}, customer_cost, reseller_cost, cdr_count, first_cdr_start_time, last_cdr_start_time,
 fraud_limit_exceeded FROM accounting.cdr_period_costs WHERE ({_KEY}) IN ({{0}})"""
_SAVE: Final = (
    f"INSERT INTO accounting.cdr_period_costs ({_KEY}, {_VALUES}) VALUES {{0}} ON DUPLICATE KEY UPDATE "
    + ", ".join(f"{name} = VALUES({name})" for name in _VALUES.split(", "))
)
_EVENTS: Final = """
INSERT IGNORE INTO accounting.fraud_events
 (contract_id, period, period_date, cost, fraud_limit, fraud_lock, notify, create_timestamp) VALUES {0}"""


class Sums:
    """What the calls of one pass add to the periods of customers."""

    def __init__(self) -> None:
        self._sums: dict[Period, Sum] = {}

    def add(self, payer: Payer, profile: Profile, direction: str, spent: Spent) -> None:
        """Count what a call costs a customer, and his reseller."""
        day = datetime.fromtimestamp(int(spent.start), payer.zone).date()
        for kind, begins, own, limits in (
            ("month", day.replace(day=1), payer.month, profile.month),
            ("day", day, payer.day, profile.day),
        ):
            period = Period(payer.contract.id, kind, begins, direction)
            known = self._sums.get(period)
            if known is None:
                known = self._sums[period] = Sum()
            known.add(spent)
            if direction == "out":
                known.limits, known.is_own_limit = own or limits, own is not None
                known.by_reseller = profile.by_reseller
                known.until = _end_of(kind, begins, payer.zone)

    async def save(self, fetch: Fetch, now: float) -> list[tuple[Period, Sum]]:
        """Add up and store; return the periods whose limit these calls have reached."""
        if not self._sums:
            return []
        keys = ",".join(map(_key, self._sums))
        for contract, kind, begins, direction, *values in await fetch(_SUMS.format(keys)):
            self._recall(Period(contract, kind, begins, direction), values)
        await fetch(_SAVE.format(",".join(_row(period, one) for period, one in self._sums.items())))
        reached = [
            (period, one) for period, one in self._sums.items() if one.is_exceeded and not one.was_exceeded
        ]
        if reached:
            await fetch(_EVENTS.format(",".join(_event(period, one, now) for period, one in reached)))
        return reached

    def _recall(self, period: Period, values: Sequence[Any]) -> None:
        customer, reseller, count, first, last, was_exceeded = values
        known = self._sums[period]
        known.customer += customer
        known.reseller += reseller
        known.count += count
        known.first, known.last = min(known.first, first), max(known.last, last)
        known.was_exceeded = bool(was_exceeded)


def _end_of(kind: str, begins: date, zone: tzinfo) -> int:
    ends = begins + timedelta(days=1) if kind == "day" else (begins + timedelta(days=31)).replace(day=1)
    return int(datetime(ends.year, ends.month, ends.day, tzinfo=zone).timestamp())


def _key(period: Period) -> str:
    return f"({period.contract}, '{period.kind}', '{period.begins}', '{period.direction}')"


def _row(period: Period, one: Sum) -> str:
    is_exceeded = one.is_exceeded or one.was_exceeded
    kind = ("'contract'" if one.is_own_limit else "'billing_profile'") if is_exceeded else "NULL"
    return (
        f"({_key(period)[1:-1]}, {one.customer:f}, {one.reseller:f}, {one.count},"
        f" {one.first:f}, {one.last:f}, {int(is_exceeded)}, {kind})"
    )


def _event(period: Period, one: Sum, now: float) -> str:
    limits = one.limits
    assert limits is not None, "a limit was reached"
    lock = "NULL" if limits.lock is None else limits.lock
    cost = one.reseller if one.by_reseller else one.customer
    return (
        f"({period.contract}, '{period.kind}', '{period.begins}', {cost:f}, {limits.cash}, {lock},"
        f" {literal(limits.notify)}, FROM_UNIXTIME({now}))"
    )


def describe(period: Period, spent: Sum) -> str:
    """Say whose limit was reached, for the log."""
    limits = spent.limits
    assert limits is not None, "a limit was reached"
    cost = spent.reseller if spent.by_reseller else spent.customer
    lock = "locks nobody" if limits.lock is None else f"locks his subscribers (level {limits.lock})"
    told = f", to be told: {limits.notify}" if limits.notify else ""
    return (
        f"customer {period.contract}: calls of the {period.kind} from {period.begins} on cost {cost:f},"
        f" the limit of {limits.cash} {lock}{told}"
    )


def locking(reached: Iterable[tuple[Period, Sum]], now: float) -> list[tuple[Period, Sum]]:
    """Return those of the reached limits that lock subscribers: of periods that are not over."""
    return [one for one in reached if one[1].limits and one[1].limits.lock and one[1].until > now]
