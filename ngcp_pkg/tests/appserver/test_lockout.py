"""Brute force: how many PINs somebody can try, and who suffers from it."""

from ngcp.appserver.lockout import LONGEST, MEMORY, MOST, SHORTEST, TRIES, WINDOW, Locked, Lockout

MAILBOX, CALLER = "mailbox a1", "caller 4312002"


def fail(lockout: Lockout, times: int, now: float = 0.0, *names: str) -> list[Locked]:
    found = [lockout.fail(names or (MAILBOX,), now) for _ in range(times)]
    return [one for one in found if one is not None]


def test_so_many_wrong_pins_lock() -> None:
    lockout = Lockout()
    assert fail(lockout, TRIES - 1) == []
    assert not lockout.is_locked((MAILBOX,), 0.0)
    assert fail(lockout, 1) == [Locked(MAILBOX, SHORTEST)]
    assert lockout.is_locked((CALLER, MAILBOX), SHORTEST - 1)
    assert not lockout.is_locked((CALLER,), 0.0)
    assert not lockout.is_locked((MAILBOX,), SHORTEST)


def test_wrong_pins_of_long_ago_do_not_count() -> None:
    lockout = Lockout()
    fail(lockout, TRIES - 1)
    assert fail(lockout, TRIES - 1, WINDOW + 1) == []


def test_each_lock_is_longer() -> None:
    lockout, now, seconds = Lockout(), 0.0, []
    for _ in range(9):
        (locked,) = fail(lockout, TRIES, now)
        seconds.append(locked.seconds)
        now += locked.seconds
    assert seconds[:3] == [900, 1800, 3600]
    assert seconds[-1] == LONGEST


def test_a_year_is_not_enough_to_try_all_pins_of_four_digits() -> None:
    lockout, now, tried = Lockout(), 0.0, 0
    while now < 365 * 86_400:
        if lockout.is_locked((MAILBOX,), now):
            now += 60
        else:
            lockout.fail((MAILBOX,), now)
            tried += 1
    assert tried < 10_000 / 2.5


def test_a_caller_who_tries_many_mailboxes() -> None:
    lockout = Lockout()
    locked = [lockout.fail((f"mailbox {number}", CALLER), 0.0) for number in range(TRIES)]
    assert locked[-1] == Locked(CALLER, SHORTEST)
    assert not lockout.is_locked(("mailbox 1",), 0.0)


def test_right_pin_counts_anew_and_remembers_locks() -> None:
    lockout = Lockout()
    fail(lockout, TRIES)
    fail(lockout, TRIES - 1, SHORTEST)
    lockout.succeed((MAILBOX, CALLER))
    assert fail(lockout, TRIES - 1, SHORTEST) == []
    assert fail(lockout, 1, SHORTEST) == [Locked(MAILBOX, 2 * SHORTEST)]


def test_all_is_forgotten_at_last() -> None:
    lockout = Lockout()
    fail(lockout, TRIES)
    (locked,) = fail(lockout, TRIES, SHORTEST + MEMORY + 1)
    assert locked.seconds == SHORTEST


def test_operator_unlocks() -> None:
    lockout = Lockout()
    fail(lockout, TRIES, 0.0, MAILBOX, CALLER)
    assert list(lockout.locked(100.0)) == [Locked(MAILBOX, 800.0), Locked(CALLER, 800.0)]
    assert lockout.unlock(MAILBOX)
    assert not lockout.unlock(MAILBOX)
    assert list(lockout.locked(100.0)) == [Locked(CALLER, 800.0)]


def test_memory_is_bounded_and_keeps_what_is_locked() -> None:
    lockout = Lockout()
    fail(lockout, TRIES)
    for number in range(MOST + 10):
        lockout.fail((f"caller {number}",), 1.0)
    assert lockout.is_locked((MAILBOX,), 2.0)
    assert not lockout.unlock("caller 0")
    assert lockout.unlock(f"caller {MOST + 9}")
