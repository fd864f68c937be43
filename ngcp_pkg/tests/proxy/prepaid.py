"""Customers who pay in advance, and what calls cost them."""

from datetime import UTC
from decimal import Decimal

from ngcp.provisioning.rating.profiles import Known
from ngcp.provisioning.runtime import Credit
from ngcp.rating.fees import Fee, FeeTable, Rate, Tariff
from ngcp.rating.profile import Profile


def fee(destination: str, rate: str, interval: int, number: int = 1) -> Fee:
    part = Rate(Decimal(rate), interval)
    tariff = Tariff(part, part)
    return Fee(number, None, "out", ".", destination, tariff, tariff, uses_free_time=True)


def tariff(rate: str = "1", interval: int = 60, destination: str = ".", *others: Fee) -> Known:
    """Return a profile by which calls cost a rate in cents per second."""
    table = FeeTable([fee(destination, rate, interval), *others])
    return Known(Profile(5, table, is_prepaid=True), 0, (), (), {})


def credit(cash: str, time: int = 0, *paid: str) -> Credit:
    """Return cents and free seconds that a customer has."""
    return Credit(Decimal(cash), time, UTC, frozenset(paid))
