"""Samples come as they come and leave in frames."""

from hypothesis import given
from hypothesis import strategies as st

from ngcp.audio.framing import Framer


@given(st.lists(st.binary(max_size=50)), st.integers(1, 40))
def test_frames_are_what_came(parts: list[bytes], size: int) -> None:
    framer = Framer(size)

    frames = [frame for part in parts for frame in framer(part)]

    came = b"".join(parts)
    assert b"".join(frames) == came[: len(came) - framer.held]
    assert {len(frame) for frame in frames} <= {size}
    assert framer.held < size


def test_the_rest_is_filled_up_with_silence_once() -> None:
    framer = Framer(4)
    framer(b"abcdef")

    assert framer.flush() == b"ef\0\0"
    assert framer.flush() == b""
