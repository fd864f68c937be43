"""The beat of 20 ms: it comes back to its time after the machine was busy, but not after it slept."""

import asyncio
import time
from itertools import pairwise

import uvloop

from ngcp.voice.beat import BEHIND, Beat
from ngcp.voice.stream import PACE
from ngcp.voice.studio import Studio, Take


class NoPorts:
    def open(self, take: Take) -> "NoPorts":
        raise AssertionError("nobody talks")


class Pulse:
    """Counts beats, and holds up the loop at one of them."""

    def __init__(self, studio: Studio, at: int, seconds: float) -> None:
        self.moments: list[float] = []
        self._studio, self._at, self._seconds = studio, at, seconds
        self.done = asyncio.Event()

    def beat(self, now: float) -> None:
        self.moments.append(time.monotonic())
        if len(self.moments) == self._at:
            time.sleep(self._seconds)
        if len(self.moments) == 25:
            self._studio.leave(self)
            self.done.set()


def beats(seconds: float) -> list[float]:
    """Return when beats came of which the fifth took `seconds`."""

    async def run() -> list[float]:
        studio = Studio(NoPorts())  # type: ignore[arg-type] # nobody opens one
        beat = Beat(studio, time.monotonic, lambda: None)
        pulse = Pulse(studio, 5, seconds)
        studio.enter(pulse)
        await pulse.done.wait()
        beat.close()
        return pulse.moments

    return uvloop.run(run())


def test_what_was_missed_is_made_up_for() -> None:
    moments = beats(0.07)
    assert any(after - before < PACE / 2 for before, after in pairwise(moments))


def test_time_that_the_machine_slept_is_lost() -> None:
    moments = beats(1.0)
    assert moments[-1] - moments[0] > 24 * PACE + 1.0 - 2 * BEHIND
