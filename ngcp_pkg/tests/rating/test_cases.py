"""What calls cost: the table in cases.txt."""

import pytest

from ngcp.rating.charge import charge
from rating.tables import Case, cases


@pytest.mark.parametrize("case", cases(), ids=lambda case: " ".join(case.line.split()))
def test_a_call_costs_what_the_table_says(case: Case) -> None:
    result = charge(case.fee, case.peaks, case.talk, case.account)

    left = case.account.balances[0].cash
    assert [result.real_cost, result.cost, result.free_time, left] == [*case.costs]
