"""Who gets a slot when there are none left."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from ngcp.net.admission import Admission, Limits
from ngcp.sip.transport.flow import Flow

LOCAL = ("192.0.2.1", 5060)


@dataclass(eq=False)
class Guest:
    """A connection without a socket."""

    admission: Admission
    flow: Flow
    is_closed: bool = field(default=False, init=False)

    def close(self) -> None:
        self.is_closed = True
        self.admission.release(self)


def guest(admission: Admission, number: int, port: int = 5060) -> Guest:
    return Guest(admission, Flow("tcp", LOCAL, (f"198.51.{number // 256}.{number % 256}", port)))


def test_ten_thousand_silent_connections_push_out_each_other_and_no_phone() -> None:
    admission = Admission(Limits(connections=1000), Counter())
    phones = [guest(admission, number) for number in range(900)]
    for phone in phones:
        assert admission.admit(phone)
        admission.prove(phone)

    flood = [guest(admission, 1000 + number) for number in range(10_000)]
    assert all(admission.admit(silent) for silent in flood)

    assert not any(phone.is_closed for phone in phones)
    assert [silent.is_closed for silent in flood] == [True] * 9900 + [False] * 100, "the oldest first"
    assert (admission.taken, admission.counters) == (1000, {"connections.evicted": 9900})

    newcomer = guest(admission, 20_000)
    assert admission.admit(newcomer)
    admission.prove(newcomer)
    assert all(admission.admit(guest(admission, 30_000 + number)) for number in range(1000))
    assert not newcomer.is_closed, "a phone that comes in the midst of it has time for its first message"


def test_a_house_full_of_proven_connections_is_full() -> None:
    admission = Admission(Limits(connections=2))
    phones = [guest(admission, number) for number in range(3)]
    for phone in phones[:2]:
        admission.admit(phone)
        admission.prove(phone)

    assert not admission.admit(phones[2])
    assert admission.counters == {"connections.refused": 1}
    phones[0].close()
    assert admission.admit(phones[2])


def test_one_address_takes_its_share_and_pushes_nobody_out() -> None:
    admission = Admission(Limits(connections=10, per_address=3))
    crowd = [guest(admission, 1, port) for port in range(5)]

    assert [admission.admit(each) for each in crowd] == [True] * 3 + [False] * 2
    assert admission.admit(guest(admission, 2))
    crowd[0].close()
    assert admission.admit(crowd[3])
    assert not any(each.is_closed for each in crowd[1:])


def test_who_has_left_is_not_pushed_out() -> None:
    admission = Admission(Limits(connections=1))
    gone, there = guest(admission, 1), guest(admission, 2)
    admission.admit(gone)
    gone.close()

    assert admission.admit(there)
    assert admission.counters == {}


@pytest.mark.parametrize(
    "name", ["connections", "per_address", "first_message", "unfinished", "idle", "unsent"]
)
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be above 0, not 0"):
        Limits(**{name: 0})


def test_an_address_that_is_not_welcome_gets_no_slot() -> None:
    admission = Admission(Limits(), welcomes=lambda host: host != "198.51.0.1")

    assert not admission.admit(guest(admission, 1))
    assert admission.admit(guest(admission, 2))
    assert (admission.taken, admission.counters) == (1, {"connections.banned": 1})
