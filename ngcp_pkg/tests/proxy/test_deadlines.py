"""What is due, once each, at its last time."""

from ngcp.proxy.deadlines import NEVER, SPARE, Deadlines


def test_what_is_due_is_told_once_in_order() -> None:
    deadlines = Deadlines()
    for name, time in (("b", 2.0), ("a", 1.0), ("c", 3.0)):
        deadlines.set(name, time)
    assert deadlines.next == 1.0
    assert [deadlines.pop(2.0) for _ in range(3)] == ["a", "b", None]
    assert deadlines.next == 3.0


def test_a_new_time_replaces_the_old_one() -> None:
    deadlines = Deadlines()
    for time in (1.0, 5.0, 3.0):
        deadlines.set("a", time)
    assert (deadlines.pop(2.0), deadlines.pop(3.0), deadlines.pop(9.0)) == (None, "a", None)


def test_what_is_forgotten_is_never_due() -> None:
    deadlines = Deadlines()
    deadlines.set("a", 1.0)
    deadlines.forget("a")
    deadlines.forget("b")
    assert (deadlines.pop(9.0), deadlines.next) == (None, NEVER)


def test_the_queue_does_not_grow_with_what_is_over() -> None:
    deadlines = Deadlines()
    for number in range(5 * SPARE):
        deadlines.set(str(number), 1e6)
        deadlines.forget(str(number))
    assert len(deadlines) <= SPARE + 2
