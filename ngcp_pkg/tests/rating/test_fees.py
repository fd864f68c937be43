"""Which fee a call has."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.rating.fees import Fee, FeeTable, Mode, literal_of
from rating.tables import tariff

FREE = tariff("0/1 0/1")


def fee(
    number: int,
    destination: str,
    source: str = ".",
    *,
    mode: Mode = Mode.LONGEST_PATTERN,
    direction: str = "out",
) -> Fee:
    return Fee(number, None, direction, source, destination, FREE, FREE, mode=mode)


def found(fees: list[Fee], destination: str, source: str = "431001") -> int | None:
    match = FeeTable(fees).find("out", source, destination)
    return match.id if match else None


def test_the_longest_pattern_wins() -> None:
    fees = [fee(1, "."), fee(2, "^43"), fee(3, "^43(1|2).+$"), fee(4, "^49")]

    assert [found(fees, number) for number in ("431234", "436641", "491", "1")] == [3, 2, 4, 1]


def test_callers_decide_what_callees_leave_open() -> None:
    fees = [fee(1, "^43"), fee(2, "^43", "^431"), fee(3, "^43", "^4310")]

    assert found(fees, "431", "4310") == 3
    assert found(fees, "431", "4311") == 2
    assert found(fees, "431", "49") == 1


def test_of_equal_ones_the_older_wins() -> None:
    assert found([fee(2, "^4[3]", "a|."), fee(1, "^43.", "..|.")], "4311", "aa") == 2
    assert found([fee(9, "^43"), fee(3, "^43")], "4311") == 3


def test_exact_prefix_match_pattern_in_that_order() -> None:
    every = [
        fee(1, "43123", mode=Mode.EXACT),
        fee(2, "4312", mode=Mode.PREFIX),
        fee(3, "431", mode=Mode.PREFIX),
        fee(4, "^4", mode=Mode.LONGEST_MATCH),
        fee(5, "^43|[0-9]+7", mode=Mode.LONGEST_MATCH),
        fee(6, "^.......................", mode=Mode.LONGEST_PATTERN),
    ]
    assert found(every, "43123") == 1
    assert found(every, "431234") == 2
    assert found(every, "43199") == 3
    assert found(every, "49") == 4
    assert found(every, "43997") == 5
    assert found(every, "5" * 30) == 6
    assert found(every, "5") is None


def test_a_prefix_can_want_a_caller() -> None:
    fees = [fee(1, "43", "431", mode=Mode.PREFIX), fee(2, "4", mode=Mode.PREFIX)]

    assert found(fees, "4399", "4315") == 1
    assert found(fees, "4399", "495") == 2


def test_directions_are_apart() -> None:
    table = FeeTable([fee(1, "^43"), fee(2, "^43", direction="in")])

    match = table.find("in", "1", "43")
    assert match is not None and match.id == 2


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("^4312", "4312"),
        ("^4312?", "431"),
        ("^431*", "43"),
        ("^43{2}", "4"),
        ("^43(1|2).*$", "43"),
        ("^43|^49", ""),
        ("^43(1|2)|9", ""),
        ("^43[(]|9", ""),
        ("43", ""),
        (".", ""),
        (r"^\+43", ""),
        ("^43.+@example[.]org$", "43"),
    ],
)
def test_what_all_matches_begin_with(pattern: str, literal: str) -> None:
    assert literal_of(pattern) == literal


@given(
    st.from_regex(r"\^?[0-3]{0,3}[?*+]?[(]?[0-3]{1,2}[|]?[0-3][)]?[.|]{0,2}[0-3]?", fullmatch=True), st.data()
)
def test_the_literal_is_never_wrong(pattern: str, data: st.DataObject) -> None:
    try:
        compiled = re.compile(pattern)
    except re.error:
        return
    text = data.draw(st.text("0123", max_size=7))
    if compiled.search(text):
        assert text.startswith(literal_of(pattern))
