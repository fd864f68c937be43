"""The alarm queue and the durations of table 4."""

import gc

from ngcp.sip.transaction.timers import DURATIONS, LIMITS, T1, T2, T4, Alarm, AlarmQueue, Timer


class Recorder:
    """Notes who was woken when."""

    def __init__(self) -> None:
        self.woken: list[tuple[Timer, float]] = []

    def wake(self, timer: Timer, now: float) -> None:
        self.woken.append((timer, now))


def test_durations_are_those_of_table_4() -> None:
    """RFC 3261 table 4 and RFC 6026 §7: value on UDP, value on TCP."""
    expected = {
        Timer.A: (0.5, None),
        Timer.B: (32, 32),
        Timer.D: (32, 0),
        Timer.E: (0.5, None),
        Timer.F: (32, 32),
        Timer.G: (0.5, None),
        Timer.H: (32, 32),
        Timer.I: (5, 0),
        Timer.J: (32, 0),
        Timer.K: (5, 0),
        Timer.L: (32, 32),
        Timer.M: (32, 32),
        Timer.TRYING: (0.2, 0.2),
    }
    assert expected == DURATIONS
    assert (T1, T2, T4) == (0.5, 4, 5)


def test_every_timer_but_the_proxys_has_a_duration() -> None:
    assert set(Timer) - set(DURATIONS) == {Timer.C, Timer.TU}
    assert {timer for timer, (_, reliable) in DURATIONS.items() if reliable is None} == set(LIMITS)


def test_alarms_wake_in_the_order_of_time_and_then_of_setting() -> None:
    queue, recorder = AlarmQueue(), Recorder()
    queue.set(recorder, Timer.B, 3.0)
    queue.set(recorder, Timer.A, 1.0)
    queue.set(recorder, Timer.E, 1.0)

    assert queue.next() == 1.0
    queue.wake(2.0)
    assert recorder.woken == [(Timer.A, 2.0), (Timer.E, 2.0)]
    assert queue.next() == 3.0


def test_nobody_is_woken_early() -> None:
    queue, recorder = AlarmQueue(), Recorder()
    queue.set(recorder, Timer.A, 1.0)
    queue.wake(0.999)
    assert recorder.woken == []


def test_a_cancelled_alarm_stays_silent() -> None:
    queue, recorder = AlarmQueue(), Recorder()
    alarm = queue.set(recorder, Timer.A, 1.0)
    queue.cancel(alarm)
    queue.cancel(alarm)

    assert (len(queue), queue.next()) == (0, None)
    queue.wake(9.0)
    assert recorder.woken == []


def test_cancelling_a_woken_alarm_does_no_harm() -> None:
    queue, recorder = AlarmQueue(), Recorder()
    alarm = queue.set(recorder, Timer.A, 1.0)
    queue.wake(1.0)
    queue.cancel(alarm)
    queue.set(recorder, Timer.B, 2.0)
    assert len(queue) == 1


def test_a_sleeper_may_set_its_alarm_again() -> None:
    queue = AlarmQueue()

    class Again:
        count = 0

        def wake(self, timer: Timer, now: float) -> None:
            self.count += 1
            queue.set(self, timer, now + 1)

    again = Again()
    queue.set(again, Timer.A, 1.0)
    queue.wake(5.0)
    assert (again.count, queue.next()) == (1, 6.0)


def test_cancelled_alarms_do_not_fill_the_memory() -> None:
    """Timer C waits three minutes and nearly always in vain."""
    queue, recorder = AlarmQueue(), Recorder()
    alarms_before = len(_alarms())
    for second in range(100_000):
        queue.cancel(queue.set(recorder, Timer.C, second + 180.0))
    queue.set(recorder, Timer.B, 1e9)

    assert len(_alarms()) - alarms_before < 2_100
    assert (len(queue), queue.next()) == (1, 1e9)
    queue.wake(1e9)
    assert recorder.woken == [(Timer.B, 1e9)]


def _alarms() -> list[Alarm]:
    """Return every list in memory that looks like an alarm."""
    return [thing for thing in gc.get_objects() if type(thing) is list and thing[3:] == [Timer.C]]
