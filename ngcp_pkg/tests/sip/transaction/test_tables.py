"""The tables as graphs: nothing unreachable, nothing that waits for ever, no timer that nobody hears."""

import pytest

from ngcp.sip.transaction.tables import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Do,
    State,
    Table,
    Trigger,
)
from ngcp.sip.transaction.timers import DURATIONS, Timer

TABLES = {
    "INVITE client": INVITE_CLIENT,
    "non-INVITE client": NON_INVITE_CLIENT,
    "INVITE server": INVITE_SERVER,
    "non-INVITE server": NON_INVITE_SERVER,
}
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def reachable(table: Table, start: State) -> set[State]:
    found, front = {start}, [start]
    while front:
        here = front.pop()
        for (state, _), arrow in table.items():
            if state is here and arrow.state not in found:
                found.add(arrow.state)
                front.append(arrow.state)
    return found


def started(table: Table, state: State) -> set[Timer]:
    return {timer for arrow in table.values() if arrow.state is state for timer in arrow.starts}


@every_table
def test_every_state_is_reachable_and_leads_to_the_end(table: Table) -> None:
    states = {state for state, _ in table}

    assert reachable(table, State.INITIAL) == states | {State.TERMINATED}
    assert all(State.TERMINATED in reachable(table, state) for state in states)
    assert State.TERMINATED not in states


@every_table
def test_a_timer_is_heard_in_the_state_that_it_is_started_in(table: Table) -> None:
    for arrow in table.values():
        for timer in arrow.starts:
            assert (arrow.state, timer) in table


@every_table
def test_every_timer_that_is_heard_is_started_on_the_way_there(table: Table) -> None:
    for state, event in table:
        if isinstance(event, Timer):
            sources = {before for (before, _), arrow in table.items() if arrow.state is state} | {state}
            assert any(event in started(table, source) for source in sources)


@pytest.mark.parametrize(
    ("table", "waits_for_others"),
    [
        (INVITE_CLIENT, {State.PROCEEDING}),  # the proxy's timer C
        (NON_INVITE_CLIENT, set()),
        (INVITE_SERVER, {State.PROCEEDING}),  # the TU
        (NON_INVITE_SERVER, {State.TRYING, State.PROCEEDING}),  # the TU
    ],
    ids=TABLES,
)
def test_only_a_state_that_waits_for_its_user_has_no_way_out_by_time(
    table: Table, waits_for_others: set[State]
) -> None:
    """Whatever is lost, a transaction ends by a timer, or can be abandoned or answered by its user."""
    states = {state for state, _ in table} - {State.INITIAL}
    leaving = {
        state
        for (state, event), arrow in table.items()
        if isinstance(event, Timer) and arrow.state is not state
    }

    assert states - leaving == waits_for_others
    assert all((state, Trigger.ABANDON) in table for state in waits_for_others)


@every_table
def test_retransmissions_come_from_timers_and_repeated_requests_only(table: Table) -> None:
    events = {event for (_, event), arrow in table.items() if Do.RESEND in arrow.does}

    assert events <= {Timer.A, Timer.E, Timer.G, Trigger.REQUEST}


@every_table
def test_each_arrow_has_a_meaning(table: Table) -> None:
    """An arrow that stays, does nothing and starts nothing would be noise: no arrow says the same."""
    for (state, _), arrow in table.items():
        assert arrow.state is not state or arrow.does or arrow.starts


def test_all_timers_of_the_rfc_are_used() -> None:
    heard = {event for table in TABLES.values() for _, event in table if isinstance(event, Timer)}

    assert heard == set(DURATIONS)
