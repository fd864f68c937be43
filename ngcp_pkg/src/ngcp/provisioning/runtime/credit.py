"""What customers who pay in advance have left, and what calls cost them: read while the proxy runs."""

import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Final

from ngcp.provisioning.line import Line, tuple_of
from ngcp.provisioning.rating.balances import load_accounts
from ngcp.provisioning.rating.contracts import load_payers
from ngcp.provisioning.rating.profiles import Known, load_profiles

from .names import Name

#: Seconds for which it matters whether a balance has paid a call.
REMEMBERED: Final = 3600
_PAID: Final = f"""
SELECT contract_id, call_id FROM accounting.prepaid_costs
WHERE contract_id IN {{0}} AND timestamp > UTC_TIMESTAMP() - INTERVAL {REMEMBERED} SECOND"""


@dataclass(frozen=True, slots=True)
class Credit:
    """What a customer had left when it was read."""

    cash: Decimal
    time: int = 0
    """Free seconds."""
    zone: tzinfo | None = None
    """By which clock his off-peak times are."""
    paid: frozenset[str] = frozenset()
    """Call-IDs of late calls that are in it already."""


async def load_credits(line: Line, contracts: Collection[Name]) -> Mapping[Name, Credit]:
    """Return what these customers have; each name is a contract's number, without domain.

    Calls that are rated in between are counted twice until it is read again, never not at all.
    """
    numbers = _numbers(contracts)
    if not numbers:
        return {}
    paid: dict[int, set[str]] = defaultdict(set)
    for number, call_id in await line.fetch(_PAID.format(tuple_of([*numbers]))):
        paid[int(str(number))].add(str(call_id))
    now = int(time.time())
    payers = await load_payers(line.fetch, numbers)
    profiles = {mapping.profile for payer in payers.values() for mapping in payer.contract.mappings}
    known = await load_profiles(line.fetch, profiles, with_fees=False) if profiles else {}
    accounts = await load_accounts(line.fetch, payers, dict.fromkeys(payers, (now, now)), known)
    return {
        Name(str(number), ""): Credit(
            account.at(now).cash, account.at(now).time, payers[number].zone, frozenset(paid[number])
        )
        for number, account in accounts.items()
    }


async def load_tariffs(line: Line, profiles: Collection[Name]) -> Mapping[Name, Known]:
    """Return these billing profiles; each name is a profile's number, without domain."""
    numbers = _numbers(profiles)
    found = await load_profiles(line.fetch, numbers) if numbers else {}
    return {Name(str(number), ""): known for number, known in found.items()}


def _numbers(names: Collection[Name]) -> list[int]:
    return [int(name.user) for name in names if name.user.isascii() and name.user.isdigit()]
