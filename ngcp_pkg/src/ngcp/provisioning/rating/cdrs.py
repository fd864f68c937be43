"""Call records that are to be rated, and what rating writes into them (table `accounting.cdr`)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from ngcp.provisioning.line import literal, tuple_of
from ngcp.provisioning.rating.profiles import Fetch
from ngcp.rating.charge import Charge, Talk
from ngcp.rating.shares import Party, RatableCall, Share

SIDES: Final = ("source", "destination")
PAYERS: Final = ("carrier", "reseller", "customer")
_WHAT: Final = ("cost", "free_time", "billing_fee_id", "billing_zone_id")

#: Rows that another rater is at work on are left to it.
_UNRATED: Final = """
SELECT id, start_time, duration, call_status = 'ok', call_id,
 source_account_id, source_provider_id, source_cli, source_domain,
 destination_account_id, destination_provider_id, destination_user_in, destination_domain
FROM accounting.cdr WHERE rating_status = 'unrated' ORDER BY id LIMIT {0} FOR UPDATE SKIP LOCKED"""

#: Columns that rating writes, and an expression of each one's type.
_RESULTS: Final[Mapping[str, str]] = {
    "id": "0",
    "start_time": "CAST(0 AS DECIMAL(13, 3))",
    **{
        f"{side}_{payer}_{what}": "CAST(0 AS DECIMAL(14, 6))" if what == "cost" else "0"
        for side in SIDES
        for payer in PAYERS
        for what in _WHAT
    },
    **{f"frag_{payer}_onpeak": "0" for payer in PAYERS},
    "is_fragmented": "0",
}
_UPDATE: Final = (
    "UPDATE accounting.cdr c JOIN (SELECT "
    + ", ".join(f"{expression} AS {name}" for name, expression in _RESULTS.items())
    + " FROM DUAL WHERE FALSE UNION ALL VALUES {0}) v ON v.id = c.id AND v.start_time = c.start_time SET "
    + ", ".join(f"c.{name} = v.{name}" for name in list(_RESULTS)[2:])
    + ", c.rating_status = 'ok', c.rated_at = FROM_UNIXTIME({1})"
)
_FAIL: Final = """
UPDATE accounting.cdr SET rating_status = 'failed', rated_at = FROM_UNIXTIME({1}) WHERE id IN {0}"""
_FAILURES: Final = "REPLACE INTO accounting.cdr_rating_failures (cdr_id, reason, failed_at) VALUES {0}"
_FORGIVE: Final = "DELETE FROM accounting.cdr_rating_failures WHERE cdr_id IN {0}"
_PREPAID: Final = """
INSERT INTO accounting.prepaid_costs (contract_id, call_id, cost, free_time_used, timestamp) VALUES {0}"""
#: Columns that are too wide for a reason are cut.
_LONGEST: Final = 255


@dataclass(slots=True)
class Record:
    """A call record on its way through rating."""

    call: RatableCall
    call_id: str
    start_time: Decimal
    charges: dict[Share, Charge] = field(default_factory=dict)


async def take_unrated(fetch: Fetch, most: int) -> list[Record]:
    """Return call records that nobody else rates until the transaction ends, the oldest first."""
    return [_record(row) for row in await fetch(_UNRATED.format(most))]


async def save_rated(fetch: Fetch, records: Collection[Record], now: float) -> None:
    """Write what these calls cost."""
    if not records:
        return
    await fetch(_UPDATE.format(",".join([_result(record) for record in records]), now))
    await fetch(_FORGIVE.format(tuple_of([record.call.id for record in records])))
    prepaid = [
        f"({share.contract}, {literal(record.call_id)}, {charge.real_cost:f}, {charge.free_time},"
        f" FROM_UNIXTIME({now}))"
        for record in records
        for share, charge in record.charges.items()
        if charge.is_prepaid and share.payer == "customer"
    ]
    if prepaid:
        await fetch(_PREPAID.format(",".join(prepaid)))


async def save_failures(fetch: Fetch, reasons: Mapping[int, str], now: float) -> None:
    """Note why these records cannot be rated; who sets them back to `unrated` has them tried again."""
    if not reasons:
        return
    await fetch(_FAIL.format(tuple_of([*reasons]), now))
    rows = [
        f"({number}, {literal(reason[:_LONGEST])}, FROM_UNIXTIME({now}))"
        for number, reason in reasons.items()
    ]
    await fetch(_FAILURES.format(",".join(rows)))


def _record(row: Sequence[Any]) -> Record:
    number, start, duration, is_answered, call_id, *ends = row
    talk = Talk(int(start * 1000), int(duration * 1000))
    source, destination = Party(*ends[:4]), Party(*ends[4:])
    return Record(RatableCall(number, bool(is_answered), talk, source, destination), call_id, start)


def _result(record: Record) -> str:
    by_column = {(share.side, share.payer): charge for share, charge in record.charges.items()}
    values: list[str] = [str(record.call.id), f"{record.start_time:f}"]
    for side in SIDES:
        for payer in PAYERS:
            values += _price(by_column.get((side, payer)))
    for payer in PAYERS:
        charge = by_column.get(("source", payer)) or by_column.get(("destination", payer))
        fragments = charge.fragments if charge else ()
        values.append(str(int(fragments[0].is_onpeak)) if fragments else "NULL")
    values.append(str(int(_is_fragmented(record.charges.values()))))
    return f"({','.join(values)})"


def _price(charge: Charge | None) -> tuple[str, str, str, str]:
    if charge is None:
        return "0", "0", "NULL", "NULL"
    zone = charge.fee.zone_id
    return (
        f"{charge.cost:f}",
        str(charge.free_time),
        str(charge.fee.id),
        "NULL" if zone is None else str(zone),
    )


def _is_fragmented(charges: Iterable[Charge]) -> bool:
    return any(len({fragment.is_onpeak for fragment in charge.fragments}) > 1 for charge in charges)
