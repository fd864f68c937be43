"""Which call forward takes a call, as tables."""

from datetime import datetime

import pytest

from ngcp.provisioning.forwarding import ANONYMOUS, choose, is_for
from ngcp.provisioning.patterns import LONGEST
from ngcp.provisioning.runtime import Destination, Forward, PatternSet, Period

WHEN = datetime(2026, 11, 26, 20, 15)
EVENING, MORNING = Period(hour="18-22"), Period(hour="6-11")
HOME = (Destination("sip:bob@example.org"),)


def sources(*patterns: str, white: bool = True, regex: bool = False) -> Forward:
    return Forward("cfu", HOME, sources=PatternSet(patterns, white, regex))


@pytest.mark.parametrize(
    ("forward", "caller"),
    [
        (Forward("cfu", HOME), "4311001"),
        (sources("4311001"), "4311001"),
        (sources("4312*", "4311*"), "4311001"),
        (sources("431100[0-4]"), "4311001"),
        (sources("431100?"), "4311001"),
        (sources("*"), ANONYMOUS),
        (sources(ANONYMOUS), ANONYMOUS),
        (sources("4312*", white=False), "4311001"),
        (sources(ANONYMOUS, white=False), "4311001"),
        (sources(white=False), "4311001"),
        (sources("^4311", regex=True), "4311001"),
        (sources("001$", regex=True), "4311001"),
        (sources("^4311$", white=False, regex=True), "4311001"),
        (sources("^(a+)+$", white=False, regex=True), "aaaa"),  # unsafe: matches nothing
    ],
)
def test_a_caller_it_is_for(forward: Forward, caller: str) -> None:
    assert is_for(forward, caller, "4311002", WHEN)


@pytest.mark.parametrize(
    ("forward", "caller"),
    [
        (sources("4311"), "4311001"),
        (sources("4311*"), ANONYMOUS),
        (sources("4311*", white=False), "4311001"),
        (sources(ANONYMOUS, white=False), ANONYMOUS),
        (sources(), "4311001"),
        (sources("^4312", regex=True), "4311001"),
        (sources("4311*", regex=True), "0"),
        (sources("*"), "1" * (LONGEST + 1)),
        (sources("(", regex=True), "("),
    ],
)
def test_a_caller_it_is_not_for(forward: Forward, caller: str) -> None:
    assert not is_for(forward, caller, "4311002", WHEN)


@pytest.mark.parametrize(
    ("forward", "applies"),
    [
        (Forward("cfu", HOME, bnumbers=PatternSet(("4311002",))), True),
        (Forward("cfu", HOME, bnumbers=PatternSet(("4311001",))), False),
        (Forward("cfu", HOME, periods=(MORNING, EVENING)), True),
        (Forward("cfu", HOME, periods=(MORNING,)), False),
        (Forward("cfu", HOME, periods=()), False),
        (Forward("cfu", HOME, (EVENING,), PatternSet(("4311001",)), PatternSet(("4311002",))), True),
        (Forward("cfu", HOME, (MORNING,), PatternSet(("4311001",)), PatternSet(("4311002",))), False),
    ],
)
def test_all_its_sets_must_agree(forward: Forward, applies: bool) -> None:
    assert is_for(forward, "4311001", "4311002", WHEN) is applies


def test_the_first_one_of_its_kind_counts() -> None:
    busy, morning, always, later = (
        Forward("cfb", HOME),
        Forward("cfu", HOME, periods=(MORNING,)),
        Forward("cfu", HOME),
        Forward("cfu", HOME, periods=(EVENING,)),
    )
    assert choose((busy, morning, always, later), "cfu", "1", "2", WHEN) is always
    assert choose((busy, morning), "cfu", "1", "2", WHEN) is None
    assert choose((), "cfu", "1", "2", WHEN) is None
