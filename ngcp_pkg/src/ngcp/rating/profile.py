"""A billing profile as rating sees it, and who is charged by which one when."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from .balance import NO_ALLOWANCE, Allowance
from .fees import Fee, FeeTable
from .shares import Party

EVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a contract may spend until its subscribers are locked; None: as much as it likes."""

    cash: int | None = None
    lock: int | None = None
    """The lock level that its subscribers get; None: they are not locked, somebody is told."""
    notify: str = ""
    """Addresses, with commas between them."""


UNLIMITED: Final = Limits()


@dataclass(frozen=True, slots=True)
class Profile:
    """How contracts are charged."""

    id: int
    fees: FeeTable
    is_prepaid: bool = False
    allowance: Allowance = NO_ALLOWANCE
    unit: str = "month"
    count: int = 1
    """Billing intervals are so many of these units."""
    by_reseller: bool = False
    """Whether limits count what calls cost the reseller."""
    month: Limits = UNLIMITED
    day: Limits = UNLIMITED

    def fee_of(self, source: Party, destination: Party, direction: str) -> Fee | None:
        """Return the fee of a call, by the full names of both ends or by their numbers."""
        full = f"{source.number}@{source.domain}", f"{destination.number}@{destination.domain}"
        return self.fees.find(direction, *full) or self.fees.find(
            direction, source.number, destination.number
        )


class Mapping(NamedTuple):
    """A time in which a contract is charged by a profile."""

    profile: int
    start: float = -EVER
    end: float = EVER


@dataclass(frozen=True, slots=True)
class Contract:
    """Who is charged."""

    id: int
    mappings: Sequence[Mapping]
    """Those that began last come first."""

    def profile_at(self, instant: float) -> int | None:
        """Return the number of the profile that holds at that time."""
        return next((one.profile for one in self.mappings if one.start <= instant <= one.end), None)
