"""Who is charged by which profile when, and by whose clock."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from ngcp.provisioning.line import tuple_of
from ngcp.provisioning.rating.profiles import LIMITS, Fetch, limits_of
from ngcp.provisioning.zones import zone_or_home
from ngcp.rating.profile import EVER, Contract, Limits
from ngcp.rating.profile import Mapping as ProfileMapping

_CONTRACTS: Final = f"""
SELECT c.id, COALESCE(own.timezone, theirs.timezone, ''), f.id, {LIMITS.format("f")}
FROM billing.contracts c JOIN billing.contacts own ON own.id = c.contact_id
LEFT JOIN billing.resellers r ON r.id = own.reseller_id
LEFT JOIN billing.contracts rc ON rc.id = r.contract_id
LEFT JOIN billing.contacts theirs ON theirs.id = rc.contact_id
LEFT JOIN billing.contract_fraud_preferences f ON f.contract_id = c.id WHERE c.id IN """
_LOCK: Final = "SELECT id FROM billing.contracts WHERE id IN {0} ORDER BY id FOR UPDATE"
_MAPPINGS: Final = """
SELECT contract_id, billing_profile_id, UNIX_TIMESTAMP(start_date), UNIX_TIMESTAMP(end_date)
FROM billing.billing_mappings WHERE contract_id IN {0} ORDER BY start_date DESC, id DESC"""


@dataclass(frozen=True, slots=True)
class Payer:
    """A contract with what rating has to know of it."""

    contract: Contract
    zone: tzinfo
    month: Limits | None = None
    """Its own limits instead of the profile's."""
    day: Limits | None = None


async def lock_contracts(fetch: Fetch, numbers: Collection[int]) -> None:
    """Let nobody else change the balances of these contracts until the transaction ends."""
    if numbers:
        await fetch(_LOCK.format(tuple_of(sorted(numbers))))


async def load_payers(fetch: Fetch, numbers: Collection[int]) -> Mapping[int, Payer]:
    """Return those of these contracts that there are, terminated ones, too."""
    if not numbers:
        return {}
    asked = tuple_of([*numbers])
    mappings: dict[int, list[ProfileMapping]] = defaultdict(list)
    for contract, profile, start, end in await fetch(_MAPPINGS.format(asked)):
        begins, ends = (-EVER if start is None else float(start)), (EVER if end is None else float(end))
        mappings[contract].append(ProfileMapping(profile, begins, ends))
    payers: dict[int, Payer] = {}
    for number, timezone, own, *columns in await fetch(_CONTRACTS + asked):
        month, day = limits_of(columns) if own is not None else (None, None)
        contract = Contract(number, tuple(mappings[number]))
        payers[number] = Payer(contract, zone_or_home(timezone), _set(month), _set(day))
    return payers


def _set(limits: Limits | None) -> Limits | None:
    return limits if limits is not None and limits.cash is not None else None
