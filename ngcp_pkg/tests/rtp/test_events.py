"""Telephone keys as events (RFC 4733)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngcp.rtp.errors import RtpError
from ngcp.rtp.events import KEYS, Event, EventFollower, press

EVENTS = st.builds(Event, st.integers(0, 255), st.integers(0, 0xFFFF), st.booleans(), st.integers(0, 63))


@given(EVENTS)
def test_what_is_written_is_read(event: Event) -> None:
    assert Event.parse(bytes(event)) == event


def test_bytes_on_the_wire() -> None:
    assert Event.parse(bytes.fromhex("0b 8a 0320")) == Event(11, 800, is_ending=True, volume=10)
    assert Event(11, 800).key == "#"
    assert Event(16, 800).key is None
    with pytest.raises(RtpError):
        Event.parse(b"\x0b\x8a\x03")


def test_a_key_is_pressed_and_let_go_three_times() -> None:
    """§2.5.1.4: the end is said three times, so that one loss does not matter."""
    events = list(press("5", 400, 160))

    assert [(event.key, event.duration, event.is_ending) for event in events] == [
        ("5", 160, False),
        ("5", 320, False),
        ("5", 400, True),
        ("5", 400, True),
        ("5", 400, True),
    ]


@pytest.mark.parametrize("lost", [(), (0,), (1,), (0, 1), (2,), (2, 3), (0, 1, 2, 3)])
def test_losses_do_not_shorten_a_key(lost: tuple[int, ...]) -> None:
    follower = EventFollower()
    events = [event for place, event in enumerate(press("5", 400, 160)) if place not in lost]

    ticks = [tick for event in events for tick in follower.follow(1000, event)]

    assert ticks == list(range(400))
    assert not follower.is_pressed


def test_the_next_key_is_another_one() -> None:
    follower = EventFollower()
    for event in press("5", 160, 160):
        follower.follow(1000, event)

    assert follower.follow(2000, Event(5, 160)) == range(160)
    assert follower.is_pressed
    assert follower.follow(2000, Event(5, 80)) == range(0)  # late


def test_keys_are_the_events_of_the_table() -> None:
    """§3.2."""
    assert KEYS.index("*") == 10
    assert KEYS.index("D") == 15
