"""What is on a tape: packets where their time stamps say, whatever became of them on their way."""

import audioop

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ngcp.rtp.packet import Packet
from ngcp.voice.speech import SPEECH
from ngcp.voice.tape import LONGEST_GAP, RATE, Piece, Tape

LOUD, SILENT = b"\x20" * 160, b"\xd5" * 160


def packet(number: int, payload: bytes = LOUD, *, first: int = 0, ssrc: int = 1) -> Packet:
    """Return packet `number` of a stream of 20 ms."""
    return Packet(8, number & 0xFFFF, first + 160 * number & 0xFFFFFFFF, ssrc, payload, False)


def record(tape: Tape, *packets: Packet, codec: str = "PCMA") -> None:
    decode = SPEECH[codec].new_decoder()
    for one in packets:
        tape.add(codec, one, decode(one.payload))


def payload_of(number: int) -> bytes:
    return bytes((number * 7 + place) % 256 for place in range(160))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(1, 49), min_size=1, max_size=120),
    st.integers(0, 0xFFFFFFFF),
)
def test_order_and_repetition_change_nothing(order: list[int], first: int) -> None:
    """Time stamps wrap; the first packet says where the tape begins."""
    tape = Tape(10.0, 100)
    record(tape, *(packet(number, payload_of(number), first=first) for number in (0, *order)))

    there = {0, *order}
    expected = b"".join(payload_of(n) if n in there else SILENT for n in range(max(there) + 1))
    assert tape.samples() == audioop.alaw2lin(expected, 2)


@pytest.mark.parametrize("codec", ["PCMA", "PCMU", "G722"])
def test_what_is_lost_is_silence(codec: str) -> None:
    speech = SPEECH[codec]
    encode = speech.new_encoder()
    noise = audioop.mul(bytes(range(256)) * 125, 2, 0.5)
    payloads = [encode(noise[place : place + 320]) for place in range(0, 32_000, 320)]
    tape = Tape(10.0, 100)
    record(tape, *(packet(number, one) for number, one in enumerate(payloads[:20])), codec=codec)
    record(tape, *(packet(number, one) for number, one in enumerate(payloads[20:40], 60)), codec=codec)

    samples = tape.samples()
    assert len(samples) == 80 * 320
    assert audioop.rms(samples[25 * 320 : 60 * 320], 2) < 30
    assert audioop.rms(samples[61 * 320 :], 2) > 1000


def test_another_source_goes_on_where_the_first_one_ended() -> None:
    tape = Tape(10.0, 100)
    record(tape, *map(packet, range(5)), packet(0, SILENT, first=4_000_000_000, ssrc=2))
    assert tape.samples() == audioop.alaw2lin(LOUD * 5 + SILENT, 2)


@pytest.mark.parametrize("leap", [LONGEST_GAP + 160, -LONGEST_GAP - 1600])
def test_a_time_stamp_from_elsewhere_begins_anew(leap: int) -> None:
    tape = Tape(120.0, 100)
    first = 2_000_000_000
    record(tape, *(packet(number, first=first) for number in range(5)))
    record(tape, packet(5, SILENT, first=first + leap), packet(6, SILENT, first=first + leap))
    assert tape.samples() == audioop.alaw2lin(LOUD * 5 + SILENT * 2, 2)


def test_there_is_room_for_so_much_and_no_more() -> None:
    tape = Tape(0.05, 100)
    record(tape, *map(packet, range(10)), packet(1000, ssrc=1))
    assert len(tape) == 400
    record(tape, *map(packet, range(10)), codec="PCMU")
    assert len(tape) == 400


def test_speech_is_what_is_loud() -> None:
    tape = Tape(10.0, 100)
    assert not tape.was_loud()
    record(tape, *map(packet, range(50)))
    assert tape.was_loud()
    assert not tape.was_loud()
    record(tape, *(packet(number, SILENT) for number in range(50, 200)))
    assert not tape.was_loud()
    assert tape.spoken == RATE

    tape.end_with_speech(0.5)
    assert len(tape) == RATE * 3 // 2


def test_a_cut_goes_over_parts() -> None:
    tape = Tape(10.0, 100)
    record(tape, *map(packet, range(2)))
    record(tape, packet(2), codec="PCMU")
    tape.cut(200)
    assert len(tape) == 280
    tape.cut(1000)
    assert (len(tape), tape.samples()) == (0, b"")


STEPS = st.one_of(
    st.tuples(st.just("packet"), st.integers(0, 400), st.sampled_from(["PCMA", "PCMU", "G722"])),
    st.tuples(st.just("look"), st.just(0), st.just("")),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=60), st.integers(-10, 30_000))
def test_another_tape_that_takes_all_news_holds_the_same(steps: list[tuple[str, int, str]], cut: int) -> None:
    """Unless a packet comes more than a second late; what is cut at the end is cut there, too."""
    tape, twin = Tape(10.0, 100), Tape(0.0, 0)
    newest = 0
    for what, number, codec in steps:
        if what == "packet":
            newest = max(newest, number)
            place = max(number, newest - RATE // 160 + 1)
            record(tape, packet(place, payload_of(place)), codec=codec)
        else:
            for piece in tape.news():
                twin.splice(piece)
    tape.cut(cut)
    for piece in tape.news():
        twin.splice(piece)
    assert (len(twin), twin.spoken, twin.samples()) == (len(tape), tape.spoken, tape.samples())


def test_nothing_lies_before_the_first_piece() -> None:
    with pytest.raises(ValueError, match="nothing lies before"):
        Tape(10.0, 100).splice(Piece(0, "PCMA", 160, LOUD, 0))
