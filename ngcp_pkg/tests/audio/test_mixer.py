"""Who hears whom in a conference."""

import struct
from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from ngcp.audio.mixer import add, mix

SAMPLES = st.integers(-32_768, 32_767)
FRAME = 8


def frame(*samples: int) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)


def test_each_hears_all_but_himself() -> None:
    assert mix([frame(1, 2), frame(10, 20), frame(100, 200)]) == [
        frame(110, 220),
        frame(101, 202),
        frame(11, 22),
    ]


def test_a_listener_who_is_silent_hears_all() -> None:
    assert mix([frame(1), None, frame(10)]) == [frame(10), frame(11), frame(1)]


def test_nobody_speaks() -> None:
    assert mix([None, None]) == [b"", b""]
    assert mix([]) == []


def test_shouting_together_saturates() -> None:
    assert mix([frame(30_000, -30_000), frame(30_000, -30_000), None])[2] == frame(32_767, -32_768)


def test_a_shorter_sound_ends_in_silence() -> None:
    assert add(frame(1, 2), frame(5)) == frame(6, 2)


@given(st.lists(st.none() | st.lists(SAMPLES, min_size=FRAME, max_size=FRAME), max_size=6))
def test_sums_are_those_of_integers(voices: list[list[int] | None]) -> None:
    heard = mix([frame(*voice) if voice else None for voice in voices])

    if not any(voices):
        return
    for listener, samples in enumerate(heard):
        others = [voice for speaker, voice in enumerate(voices) if voice and speaker != listener]
        sums = [sum(voice[place] for voice in others) for place in range(FRAME)]
        assert samples == frame(*(max(-32_768, min(32_767, one)) for one in sums))


def test_a_hundred_participants_fit_into_a_tenth_of_a_frame() -> None:
    """20 ms of 16 kHz each; the bound is loose, as tests share their machine."""
    frames: list[bytes | None] = [frame(*range(320))] * 100

    began = perf_counter()
    for _ in range(5):
        mix(frames)

    assert (perf_counter() - began) / 5 < 0.01
