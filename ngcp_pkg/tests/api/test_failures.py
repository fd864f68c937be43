"""How failed logins are counted."""

import pytest

from ngcp.api.failures import BAN, CAPACITY, OF_ADDRESS, OF_LOGIN, Failures

HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def failures() -> Failures:
    """Of one who has just guessed his last."""
    failures = Failures()
    for _ in range(OF_LOGIN):
        failures.add("alice", HERE, 0.0)
    return failures


def test_there_is_room_for_mistakes() -> None:
    failures = Failures()
    for _ in range(OF_LOGIN - 1):
        failures.add("alice", HERE, 0.0)
    assert failures.wait("alice", HERE, 1.0) == 0
    failures.add("alice", HERE, 1.0)
    assert failures.wait("alice", HERE, 1.0) == BAN


def test_a_ban_ends_and_is_forgotten(failures: Failures) -> None:
    assert failures.wait("alice", HERE, BAN - 1) == 1
    assert failures.wait("alice", HERE, BAN) == 0
    failures.add("alice", HERE, BAN)
    assert failures.wait("alice", HERE, BAN) == 0


@pytest.mark.parametrize(("login", "address"), [("bob", HERE), ("alice", ELSEWHERE)])
def test_others_are_not_kept_waiting(failures: Failures, login: str, address: str) -> None:
    assert failures.wait(login, address, 1.0) == 0


def test_a_right_password_makes_up_for_wrong_ones(failures: Failures) -> None:
    failures.forgive("alice", HERE)
    assert failures.wait("alice", HERE, 1.0) == 0


def test_who_tries_many_logins_is_kept_waiting() -> None:
    failures = Failures()
    for number in range(OF_ADDRESS):
        failures.add(f"user{number}", HERE, 0.0)
    assert failures.wait("alice", HERE, 1.0) > 0
    assert failures.wait("alice", ELSEWHERE, 1.0) == 0


@pytest.mark.parametrize(
    ("one", "other"), [("2001:db8::1", "2001:db8::ffff:2"), ("::ffff:192.0.2.1", HERE), ("", "")]
)
def test_addresses_of_one_site_are_one(one: str, other: str) -> None:
    failures = Failures()
    for _ in range(OF_LOGIN):
        failures.add("alice", one, 0.0)
    assert failures.wait("alice", other, 1.0) > 0
    assert failures.wait("alice", "2001:db8:0:1::1", 1.0) == 0


def test_memory_is_bounded(failures: Failures) -> None:
    for number in range(CAPACITY):
        failures.add(f"user{number}", ELSEWHERE, 0.0)
    assert failures.wait("alice", HERE, 1.0) == 0
