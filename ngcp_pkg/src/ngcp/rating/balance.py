"""A contract's balance by intervals: what it may spend, what calls have spent, what is carried over."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from .intervals import Span

NOTHING: Final = Decimal(0)


class Allowance(NamedTuple):
    """What a profile gives for each interval."""

    cash: Decimal = NOTHING
    time: int = 0
    """Seconds."""


class Holding(NamedTuple):
    """What a contract has to spend."""

    cash: Decimal = NOTHING
    time: int = 0


NO_ALLOWANCE: Final = Allowance()
EMPTY: Final = Holding()


@dataclass(slots=True)
class Balance:
    """One interval of a contract."""

    span: Span
    allowance: Allowance = NO_ALLOWANCE
    """What the interval began with that is lost at its end unless it is spent."""
    cash: Decimal = NOTHING
    """What is left; below zero where a prepaid call cost more than there was."""
    time: int = 0
    """Free seconds that are left."""
    spent_cash: Decimal = NOTHING
    """What calls of the interval cost."""
    spent_time: int = 0
    initial: Holding = EMPTY
    """What it began with."""
    is_new: bool = True
    """Whether nobody has stored it yet."""

    @property
    def carried(self) -> Holding:
        """What goes into the next interval: all but what was given for this one and was not spent."""
        lost_cash = min(max(self.allowance.cash - self.spent_cash, NOTHING), max(self.cash, NOTHING))
        lost_time = min(max(self.allowance.time - self.spent_time, 0), self.time)
        return Holding(self.cash - lost_cash, self.time - lost_time)

    def following(self, end: int, allowance: Allowance) -> "Balance":
        """Return the next interval, as it begins."""
        carried = self.carried
        return Balance.opened(Span(self.span.end, end), allowance, carried)

    @classmethod
    def opened(cls, span: Span, allowance: Allowance, carried: Holding = EMPTY) -> "Balance":
        """Return an interval as it begins."""
        initial = Holding(carried.cash + allowance.cash, carried.time + allowance.time)
        return cls(span, allowance, *initial, initial=initial)


class Account:
    """The intervals of a contract that a call may touch, one after the other; at least one."""

    def __init__(self, balances: Iterable[Balance], *, is_prepaid: bool = False) -> None:
        self.balances = list(balances)
        self.is_prepaid = is_prepaid

    def at(self, instant: int) -> Balance:
        """Return the interval of an instant; the nearest one if it lies in none."""
        for balance in self.balances:
            if instant < balance.span.end:
                return balance
        return self.balances[-1]

    def carry_over(self, before: Iterable[Holding]) -> None:
        """Let later intervals know what has changed in earlier ones, which carried over `before`."""
        difference = EMPTY
        for balance, carried in zip(self.balances, before, strict=True):
            balance.cash += difference.cash
            time = max(balance.time + difference.time, 0)
            initial = balance.initial
            balance.time, balance.initial = (
                time,
                Holding(initial.cash + difference.cash, initial.time + difference.time),
            )
            now = balance.carried
            difference = Holding(now.cash - carried.cash, now.time - carried.time)
