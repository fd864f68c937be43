"""What one call costs by one fee, and what that leaves of a balance."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from .balance import NOTHING, Account, Balance
from .fees import Fee, Rate
from .peaks import Peaks

#: Calls are measured in milliseconds.
MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Talk:
    """When a call was answered, and how long it lasted: milliseconds."""

    start: int
    duration: int


@dataclass(slots=True)
class Fragment:
    """A part of a call for which one time of the day and one billing interval hold."""

    offset: int
    """Seconds after the call's start."""
    is_onpeak: bool
    billing_start: int
    """When the billing interval began."""
    seconds: int = 0
    """Whole intervals: the last one may be longer than the call."""
    cost: Decimal = NOTHING
    covered: Decimal = NOTHING
    free_time: int = 0


@dataclass(slots=True)
class Charge:
    """What a call costs."""

    fee: Fee
    is_prepaid: bool
    fragments: list[Fragment] = field(default_factory=list)

    @property
    def real_cost(self) -> Decimal:
        """What is to be paid for it, one way or another: all but what free time took."""
        return sum([fragment.cost for fragment in self.fragments], NOTHING)

    @property
    def cost(self) -> Decimal:
        """What the call record says: of a postpaid call what free cash did not pay."""
        if self.is_prepaid:
            return self.real_cost
        return sum([fragment.cost - fragment.covered for fragment in self.fragments], NOTHING)

    @property
    def free_time(self) -> int:
        """Seconds."""
        return sum([fragment.free_time for fragment in self.fragments])


def charge(fee: Fee, peaks: Peaks, talk: Talk, account: Account) -> Charge:
    """Return what a call costs, and take it from the balances of the intervals that it touches."""
    before = [balance.carried for balance in account.balances]
    result, offset = Charge(fee, account.is_prepaid), 0
    while offset * MS < talk.duration:
        begun = talk.start + offset * MS
        balance, (is_onpeak, until) = account.at(begun // MS), peaks.at(begun // MS)
        tariff = fee.onpeak if is_onpeak else fee.offpeak
        rate, count = tariff.init, 1
        if offset:
            rate = tariff.follow
            if balance is not account.balances[-1]:
                until = min(until, balance.span.end)
            count = _begun(min(talk.duration - offset * MS, until * MS - begun), rate)
        fragment = _fragment(result, offset, is_onpeak, balance)
        fragment.seconds += count * rate.interval
        _Till(balance, fragment, account.is_prepaid).take(rate, count, use_time=fee.uses_free_time)
        offset += count * rate.interval
    if len(before) > 1:
        account.carry_over(before)
    return result


def _begun(milliseconds: int, rate: Rate) -> int:
    """Return how many intervals begin in that time."""
    return -(-milliseconds // (rate.interval * MS))


def _fragment(result: Charge, offset: int, is_onpeak: bool, balance: Balance) -> Fragment:
    last = result.fragments[-1] if result.fragments else None
    if last is None or last.is_onpeak != is_onpeak or last.billing_start != balance.span.start:
        last = Fragment(offset, is_onpeak, balance.span.start)
        result.fragments.append(last)
    return last


@dataclass(frozen=True, slots=True)
class _Till:
    """Where a part of a call is paid."""

    balance: Balance
    fragment: Fragment
    is_prepaid: bool

    def take(self, rate: Rate, count: int, *, use_time: bool) -> None:
        """Take `count` intervals: free time as far as it goes, then cash."""
        balance, length = self.balance, rate.interval
        if use_time and balance.time:
            free = min(balance.time, count * length)
            balance.time -= free
            balance.spent_time += free
            self.fragment.free_time += free
            whole, part = divmod(free, length)
            count -= whole
            if part:  # what is left of that interval costs by the second
                count -= 1
                self._take_cash(rate.per_second * (length - part), 1)
        if count:
            self._take_cash(rate.per_second * length, count)

    def _take_cash(self, price: Decimal, count: int) -> None:
        """Take cash for whole intervals as far as it goes; of who pays in advance, all of it."""
        if not price:
            return
        cost = price * count
        fragment, balance = self.fragment, self.balance
        fragment.cost += cost
        balance.spent_cash += cost
        paid = cost
        if not self.is_prepaid:
            paid = price * min(count, int(balance.cash // price)) if balance.cash > 0 else NOTHING
        balance.cash -= paid
        fragment.covered += paid
