"""What customers who pay in advance have left: whether a call may be, and when it must end.

All calls of a customer spend the same credit at the same time, and it ends for all of them at once. What it
was when memory learnt it pays for the calls that are in the books, and for those that are over and that the
rating has not taken from it yet (decision 45).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from decimal import Decimal
from typing import Final, NamedTuple

from ngcp.provisioning.rating.profiles import Known
from ngcp.provisioning.runtime import Credit, Subscriber
from ngcp.rating.balance import Account, Balance
from ngcp.rating.charge import MS, Talk, charge
from ngcp.rating.fees import Fee
from ngcp.rating.intervals import Span
from ngcp.rating.peaks import Peaks
from ngcp.rating.shares import Party

from .call import Call
from .directory import Directory
from .legs import Leg
from .records import billed_names

#: Seconds before the credit ends at which the B2BUA ends a call: ending takes a moment, and no further
#: interval is to begin in it. Where it cannot know, as another call has begun since, the proxy does it.
MARGIN: Final = 1.0
NET: Final = 0.5
#: Seconds after which a call counts no more that nobody has rated.
FORGOTTEN: Final = 3600.0
#: Seconds: no call lasts longer.
_LONGEST: Final = 2**17
_EVER: Final = Span(0, 2**40)
_NOTHING: Final = Credit(Decimal(0))


@dataclass(slots=True)
class Spending:
    """A leg of a call that a customer pays in advance."""

    contract: int
    call_id: str
    fee: Fee
    peaks: Peaks
    answered: float = 0.0
    """Unix time; 0 while it rings."""
    ends: float = math.inf
    """When it ends if money is no matter."""
    ended: float | None = None

    def talk(self, now: float, seconds: int) -> Talk:
        """Return how long it will have lasted in some seconds; one that rings, as if it were answered now."""
        begun = int((self.answered or now) * MS)
        until = int((now + seconds if self.ended is None else self.ended) * MS)
        return Talk(begun, max(until - begun, 1))


class Grant(NamedTuple):
    """What a call may cost."""

    lasts: float = math.inf
    """Seconds that the credit lasts if the call is answered now, and all others go on."""
    alone: float = math.inf
    """The same if all others end now."""
    spendings: tuple[Spending, ...] = ()
    refused: int | None = None
    """The leg that nobody can pay for."""


FREE: Final = Grant()


@dataclass(slots=True)
class _Purse:
    """A customer who pays in advance."""

    credit: Credit
    tariff: Known
    spendings: dict[str, list[Spending]] = field(default_factory=dict)
    """By the name of the call."""

    def lasts(self, now: float, others: Sequence[Spending]) -> float:
        """Return for how many seconds it pays for these spendings; below zero: for nothing."""
        if not self._pays(now, 0, others):
            return -1.0
        if self._pays(now, _LONGEST, others):
            return math.inf
        enough, too_much = 0, _LONGEST
        while too_much - enough > 1:
            middle = (enough + too_much) // 2
            if self._pays(now, middle, others):
                enough = middle
            else:
                too_much = middle
        return float(enough)

    def _pays(self, now: float, seconds: int, spendings: Sequence[Spending]) -> bool:
        balance = Balance(_EVER, cash=self.credit.cash, time=self.credit.time)
        account = Account([balance], is_prepaid=True)
        for one in spendings:
            charge(one.fee, one.peaks, one.talk(now, seconds), account)
        return balance.cash >= 0

    def all(self, but: str = "") -> list[Spending]:
        """Return the spendings of all calls but one."""
        return [one for name, spent in self.spendings.items() if name != but for one in spent]

    def forget(self, now: float) -> None:
        """Forget calls that are in the credit already."""
        for name, spent in [*self.spendings.items()]:
            paid = [one.ended for one in spent if one.call_id in self.credit.paid]
            if all(one.ended is not None for one in spent) and (
                paid or max(one.ended or 0.0 for one in spent) < now - FORGOTTEN
            ):
                del self.spendings[name]


class Credits:
    """Everybody who pays in advance, and calls at the moment."""

    def __init__(self) -> None:
        self._purses: dict[int, _Purse] = {}
        self._contracts: dict[str, tuple[int, ...]] = {}
        """Who pays, by the name of a call that goes on."""

    def learn(self, call: Call, directory: Directory) -> None:
        """Ask memory about those who pay for a call in advance; raises `Unknown` before it does anything."""
        facts = [
            (contract, directory.credit(contract), directory.tariff(profile))
            for contract, profile in _payers(call)
        ]
        for contract, credit, tariff in facts:
            if tariff is None:
                continue
            purse = self._purses.get(contract)
            if purse is None:
                purse = self._purses[contract] = _Purse(_NOTHING, tariff)
            purse.credit, purse.tariff = credit or _NOTHING, tariff
            purse.forget(call.now)

    def grant(self, call: Call, legs: Sequence[Leg], name: str, now: float) -> Grant:
        """Return for how long a call may last; `name` is that of the call whose next attempt it is."""
        if call.is_emergency:
            return FREE
        lasts, alone, wanted = math.inf, math.inf, list[Spending]()
        for index, leg in enumerate(legs):
            payer = leg.caller.subscriber
            if payer is None or payer.prepaid is None:
                continue
            purse = self._purses.get(payer.account_id or 0)
            fee = None if purse is None else _fee(purse.tariff, call, leg)
            if purse is None or fee is None:
                return Grant(refused=index)
            if _is_free(fee):
                continue
            zone = purse.credit.zone
            peaks = purse.tariff.peaks(zone) if zone is not None else Peaks(UTC)
            wanted.append(Spending(payer.account_id or 0, call.request.call_id, fee, peaks))
            own = [one for one in wanted if one.contract == payer.account_id]
            others = purse.all(but=name)
            lasts = min(lasts, purse.lasts(now, [*others, *own]))
            if lasts <= MARGIN:
                return Grant(refused=index)
            over = [replace(one, ended=one.ended or now) for one in others if one.answered]
            alone = min(alone, purse.lasts(now, [*over, *own]) if others else lasts)
        return Grant(lasts, alone, tuple(wanted)) if wanted else FREE

    def take(self, name: str, grant: Grant) -> None:
        """Let a call spend what it was granted, instead of what it was before."""
        for purse in self._purses_of(name):
            del purse.spendings[name]
        self._contracts.pop(name, None)
        if grant.spendings:
            self._contracts[name] = tuple({one.contract for one in grant.spendings})
        for one in grant.spendings:
            self._purses[one.contract].spendings.setdefault(name, []).append(one)

    def answer(self, name: str, now: float, ends: float) -> Mapping[str, float]:
        """Learn that a call begins to cost; return when it, and others by their names, must end."""
        purses = self._purses_of(name)
        for purse in purses:
            for one in purse.spendings[name]:
                one.answered, one.ends = now, ends
        return self._deadlines(purses, now)

    def end(self, name: str, now: float) -> Mapping[str, float]:
        """Learn that a call is over; return when others of who paid for it must end."""
        purses = self._purses_of(name)
        for purse in purses:
            spent = purse.spendings.pop(name)
            if any(one.answered for one in spent):
                for one in spent:
                    one.ended = now
                purse.spendings[f"{name} {now}"] = spent
        self._contracts.pop(name, None)
        return self._deadlines(purses, now)

    def _purses_of(self, name: str) -> list[_Purse]:
        contracts = self._contracts.get(name, ())
        return [self._purses[one] for one in contracts if name in self._purses[one].spendings]

    def _deadlines(self, purses: Sequence[_Purse], now: float) -> Mapping[str, float]:
        deadlines: dict[str, float] = {}
        for purse in purses:
            until = now + max(purse.lasts(now, purse.all()) - NET, 0.0)
            for name, spent in purse.spendings.items():
                if spent[0].answered and spent[0].ended is None:
                    deadlines[name] = min(until, spent[0].ends, deadlines.get(name, math.inf))
        return deadlines


def _payers(call: Call) -> Iterator[tuple[int, int]]:
    """Yield contract and profile of those who pay for a call in advance."""
    parties: list[Subscriber | None] = [call.caller.subscriber]
    parties += [diversion.subscriber for diversion in call.diversions]
    for one in parties:
        if one is not None and one.prepaid is not None and one.account_id is not None:
            yield one.account_id, one.prepaid


def _fee(tariff: Known, call: Call, leg: Leg) -> Fee | None:
    source, destination = (Party(0, 0, *name) for name in billed_names(call, leg))
    return tariff.profile.fee_of(source, destination, "out")


def _is_free(fee: Fee) -> bool:
    return not any(rate.per_second for tariff in (fee.onpeak, fee.offpeak) for rate in tariff)
