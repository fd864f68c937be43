"""Loss and jitter from the packets themselves (RFC 3550 A.3, A.8)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.rtp.reception import Reception

STEP = 160


def receive(sequences: list[int], late: dict[int, int] | None = None) -> Reception:
    """Take packets in time, but those that are `late` by some ticks."""
    reception = Reception()
    for sequence in sequences:
        timestamp = sequence * STEP & 0xFFFFFFFF
        arrived = sequence * STEP + 1_000_000 + (late or {}).get(sequence, 0)
        reception.take(sequence & 0xFFFF, timestamp, arrived)
    return reception


def test_nothing_is_lost_or_jitters_on_a_quiet_line() -> None:
    reception = receive(list(range(65_000, 66_000)))

    assert (reception.expected, reception.received, reception.lost) == (1000, 1000, 0)
    assert reception.jitter == 0
    assert reception.highest == 65_999  # 463 in the second round
    assert reception.lost_since() == 0


@given(st.sets(st.integers(1, 98)), st.integers(0, 0xFFFF))
def test_losses_are_counted_wherever_the_numbers_begin(lost: set[int], first: int) -> None:
    reception = receive([first + place for place in range(100) if place not in lost])

    assert reception.lost == len(lost)
    assert reception.lost_since() == pytest.approx(len(lost) / 100)
    assert reception.lost_since() == 0


def test_disorder_is_no_loss() -> None:
    order = list(range(100))
    order[10], order[12] = order[12], order[10]

    assert receive(order).lost == 0


def test_jitter_follows_what_the_network_does() -> None:
    """Delays that differ by 5 ms on average: 40 ticks at 8 kHz."""
    source = random.Random(1)
    late = {sequence: source.choice([0, 80]) for sequence in range(500)}

    assert receive(list(range(500)), late).jitter == pytest.approx(40, rel=0.5)


def test_a_source_that_begins_anew_lost_nothing() -> None:
    reception = receive([*range(100), *range(40_000, 40_100)])

    assert (reception.received, reception.lost) == (200, 0)
    assert reception.jitter < 1 << 20
