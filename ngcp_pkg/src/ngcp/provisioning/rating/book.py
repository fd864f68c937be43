"""What one pass of rating knows of those who pay, and what it takes from them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from ngcp.provisioning.rating.cdrs import Record
from ngcp.provisioning.rating.contracts import Payer
from ngcp.provisioning.rating.limits import Spent, Sums
from ngcp.provisioning.rating.profiles import Known
from ngcp.rating.balance import Account, Balance, Holding
from ngcp.rating.charge import MS, charge
from ngcp.rating.errors import NoFee, NoProfile
from ngcp.rating.fees import Fee
from ngcp.rating.shares import RatableCall, Share, shares_of

_State: TypeAlias = tuple[Decimal, int, Decimal, int, Holding]
NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Due:
    """What somebody has to pay."""

    share: Share
    payer: Payer
    known: Known
    fee: Fee | None
    """None: nothing."""


class Book:
    """The accounts of a pass."""

    def __init__(
        self, payers: Mapping[int, Payer], profiles: Mapping[int, Known], accounts: Mapping[int, Account]
    ) -> None:
        self.sums = Sums()
        self._payers, self._profiles, self._accounts = payers, profiles, accounts
        self._before = {
            number: [_state(balance) for balance in account.balances] for number, account in accounts.items()
        }

    def rate(self, record: Record) -> None:
        """Charge everybody who pays for a call; raises RatingError, then nobody is charged."""
        call = record.call
        if not call.is_answered:
            return
        due = [self._due(call, share) for share in shares_of(call)]
        for one in due:
            if one.fee is not None:
                account = self._accounts[one.share.contract]
                account.is_prepaid = one.known.profile.is_prepaid
                peaks = one.known.peaks(one.payer.zone)
                record.charges[one.share] = charge(one.fee, peaks, call.talk, account)
        costs = {(one.side, one.payer): charged.cost for one, charged in record.charges.items()}
        for one in due:
            side = one.share.side
            if one.share.payer == "customer":
                spent = Spent(
                    record.start_time,
                    costs.get((side, "customer"), NOTHING),
                    costs.get((side, "reseller"), NOTHING),
                )
                self.sums.add(one.payer, one.known.profile, one.share.direction, spent)

    def changed(self) -> Iterator[tuple[int, Balance]]:
        """Yield the balances that calls have changed, and new ones, by contract."""
        for number, account in self._accounts.items():
            for before, balance in zip(self._before[number], account.balances, strict=True):
                if balance.is_new or before != _state(balance):
                    yield number, balance

    def _due(self, call: RatableCall, share: Share) -> _Due:
        payer = self._payers.get(share.contract)
        number = payer.contract.profile_at(call.talk.start / MS) if payer else None
        known = self._profiles.get(number) if number is not None else None
        if payer is None or known is None:
            raise NoProfile(share.contract)
        fee = known.profile.fee_of(call.source, call.destination, share.direction)
        if fee is None and share.direction == "out":
            raise NoFee(known.profile.id, call.source.number, call.destination.number)
        return _Due(share, payer, known, fee)


def _state(balance: Balance) -> _State:
    return balance.cash, balance.time, balance.spent_cash, balance.spent_time, balance.initial
