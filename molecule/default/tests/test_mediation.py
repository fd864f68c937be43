"""Records of many calls at once, beside what the phones counted themselves."""

from contextlib import ExitStack
from typing import Final

import pytest

from lab import sipp
from lab.call import register
from lab.machines import Machine
from lab.process import wait_until
from lab.rest import Json, RestClient
from lab.settings import PHONES
from lab.sipp import Phone
from lab.subscribers import provision

ANSWERED: Final = 60
#: Calls each that a busy phone gets, and that their callers give up.
FAILED: Final = 15
#: Calls a second.
RATE: Final = 6
#: Seconds until the mediator is through with calls that are over.
PATIENCE: Final = 60.0
#: Seconds between what passes the proxy and what passes a phone, at most, on a busy machine.
DISTANCE: Final = 0.5
#: Seconds by which SIPp's clock is late, which it reads once a round.
BLUR: Final = 0.1


@pytest.fixture
def six(machine: Machine, rest: RestClient) -> list[Phone]:
    """Register phones of six subscribers of one customer."""
    phones = provision(rest, PHONES[2:8])
    for phone in phones:
        register(phone, machine.address)
    return phones


def records_of(rest: RestClient, phones: list[Phone]) -> list[Json]:
    """Return the CDRs of their customer."""
    [one] = rest.find("subscribers", f"username={phones[0].user}")
    return rest.find("calls", f"customer_id={one['customer_id']}")


def test_durations_of_an_afternoon_are_those_the_phones_counted(
    machine: Machine, rest: RestClient, six: list[Phone]
) -> None:
    """Answered, busy and given up, all at the same time: a record for each, and no second too many."""
    kinds = (
        ("call_timed", "answer", ANSWERED),
        ("call_busy", "busy", FAILED),
        ("call_cancel", "ring", FAILED),
    )
    with ExitStack() as stack:
        playing = []
        for (calling, called, calls), caller, callee in zip(kinds, six[::2], six[1::2], strict=True):
            node, some = machine.address, {"calls": calls, "rate": RATE}
            playing.append(stack.enter_context(sipp.playing(called, callee, node, **some)))
            playing.append(
                stack.enter_context(sipp.playing(calling, caller, node, service=callee.user, **some))
            )
        for scenario in playing:
            scenario.finish()
        talks = playing[1].talks()
    assert len(talks) == ANSWERED

    found: list[Json] = []

    def are_there() -> bool:
        found[:] = records_of(rest, six)
        return len(found) >= ANSWERED + 2 * FAILED

    assert wait_until(are_there, PATIENCE, interval=1.0), len(found)
    statuses = sorted(record["call_status"] for record in found)
    assert statuses == ["busy"] * FAILED + ["cancel"] * FAILED + ["ok"] * ANSWERED
    durations = {
        record["call_id"]: float(record["duration"]) for record in found if record["call_status"] == "ok"
    }
    assert durations.keys() == talks.keys()
    # The proxy sees an answer before the caller does, and a BYE after him.
    for call_id, seconds in talks.items():
        assert -BLUR <= durations[call_id] - seconds <= DISTANCE, call_id
    assert sum(durations.values()) == pytest.approx(sum(talks.values()), rel=0.01)
    assert sum(float(record["duration"]) for record in found if record["call_status"] != "ok") == 0
