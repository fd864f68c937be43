"""A daemon that is killed while somebody speaks: what was said is a message of the next one, once."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ngcp.appserver.drafts import Drafts
from ngcp.audio import wav
from ngcp.provisioning.voicemail import Recording
from ngcp.rtp.packet import Packet
from ngcp.voice.speech import PCMA, PCMU
from ngcp.voice.tape import RATE, Tape

BOX = "a1111111-1111-1111-1111-111111111111"
ABOUT = Recording("k1", BOX, '"Bob" <4312002>', 1_700_000_000, 0, b"", "call-1")
MEGABYTE = 1 << 20
SHORTEST = 1.0
#: Packets of a second.
SECOND = 50


def payload(number: int) -> bytes:
    return bytes((number * 7 + place) % 128 for place in range(160))


def speak(tape: Tape, numbers: Sequence[int], codec: str = "PCMA") -> None:
    """Put packets onto a tape; `numbers` tell their places."""
    decode = PCMU.new_decoder() if codec == "PCMU" else PCMA.new_decoder()
    for number in numbers:
        sound = payload(number)
        tape.add(codec, Packet(8, number, 160 * number, 1, sound, False), decode(sound))


def write(drafts: Drafts) -> None:
    drafts.write(drafts.collect())


def found(directory: Path) -> dict[str, Recording | None]:
    """Return what the next daemon finds."""
    return dict(Drafts(directory, MEGABYTE, SHORTEST).find())


@pytest.fixture
def drafts(tmp_path: Path) -> Drafts:
    return Drafts(tmp_path, MEGABYTE, SHORTEST)


@pytest.fixture
def tape(drafts: Drafts) -> Tape:
    """Return a tape that is being recorded, with two seconds that are written."""
    tape = Tape(180.0, 100)
    drafts.begin(ABOUT, tape)
    speak(tape, range(2 * SECOND))
    write(drafts)
    return tape


def samples(directory: Path) -> bytes:
    """Return the sound of the only message."""
    message = found(directory)["k1"]
    assert message is not None
    return wav.samples_of(message.wav, 600.0)


def test_a_second_is_lost_and_no_more(drafts: Drafts, tape: Tape, tmp_path: Path) -> None:
    before = tape.samples()
    speak(tape, range(2 * SECOND, 3 * SECOND - 1))

    message = found(tmp_path)["k1"]
    assert message is not None
    assert message.wav == wav.write(before)
    facts = message.mailbox, message.caller, message.time, message.duration, message.call_id
    assert facts == (BOX, '"Bob" <4312002>', 1_700_000_000, 2, "call-1")


def test_what_was_written_bit_by_bit_is_all_of_it(drafts: Drafts, tape: Tape, tmp_path: Path) -> None:
    """One packet comes late, a jump leaves silence, and another codec follows."""
    late = 3 * SECOND - 2
    speak(tape, [number for number in range(2 * SECOND, 3 * SECOND) if number != late])
    write(drafts)
    speak(tape, [late, *range(5 * SECOND, 6 * SECOND)])
    write(drafts)
    speak(tape, range(6 * SECOND, 7 * SECOND), "PCMU")
    write(drafts)
    assert samples(tmp_path) == tape.samples()


def test_the_silence_that_ended_it_is_no_part_of_it(drafts: Drafts, tape: Tape, tmp_path: Path) -> None:
    """It was said, and cut, but MariaDB did not have it yet."""
    for number in range(2 * SECOND, 12 * SECOND):
        tape.add("PCMA", Packet(8, number, 160 * number, 1, b"\xd5" * 160, False), bytes(320))
    write(drafts)
    tape.end_with_speech(0.5)
    drafts.end("k1")
    write(drafts)
    assert samples(tmp_path) == tape.samples()
    assert len(tape) == 2.5 * RATE
    assert not drafts.collect(), "it is written to the end"


def test_too_little_speech_is_no_message(drafts: Drafts, tmp_path: Path) -> None:
    tape = Tape(180.0, 100)
    drafts.begin(ABOUT, tape)
    speak(tape, range(SECOND - 1))
    write(drafts)
    assert found(tmp_path) == {"k1": None}


def test_killed_at_any_byte(drafts: Drafts, tape: Tape, tmp_path: Path) -> None:
    """The end of a file is lost: the pieces before it are the message, or there is none."""
    whole = (tmp_path / "k1.draft").read_bytes()
    first = tape.samples()
    speak(tape, range(2 * SECOND, 3 * SECOND))
    write(drafts)
    both = (tmp_path / "k1.draft").read_bytes()
    assert both.startswith(whole)
    for end in [*range(0, 200), *range(200, len(both), 777), len(whole), len(both) - 1]:
        (tmp_path / "k1.draft").write_bytes(both[:end])
        if end < len(whole):
            assert found(tmp_path) == {"k1": None}
        else:
            assert samples(tmp_path) == first


@pytest.mark.parametrize("place", [40, 160, -10_000, -1])
def test_a_disk_that_lies(drafts: Drafts, tape: Tape, tmp_path: Path, place: int) -> None:
    """A bit that is another one, or blocks of zeros: what is behind it is not believed."""
    path = tmp_path / "k1.draft"
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content + bytes(4096))
    message = found(tmp_path)["k1"]
    assert message is None or message.wav == wav.write(tape.samples())


def test_what_is_dropped_is_gone(drafts: Drafts, tape: Tape, tmp_path: Path) -> None:
    """Also if it is being written at that moment."""
    speak(tape, range(2 * SECOND, 3 * SECOND))
    entries = drafts.collect()
    drafts.forget("k1")
    drafts.drop("k1")
    drafts.write(entries)
    assert list(tmp_path.iterdir()) == []
    drafts.drop("k1")


def test_files_are_for_nobody_else(tape: Tape, tmp_path: Path) -> None:
    assert (tmp_path / "k1.draft").stat().st_mode & 0o777 == 0o600


def test_so_much_is_written_and_no_more(tmp_path: Path) -> None:
    drafts = Drafts(tmp_path, 20_000, SHORTEST)
    tape = Tape(180.0, 100)
    drafts.begin(ABOUT, tape)
    for second in range(4):
        speak(tape, range(second * SECOND, (second + 1) * SECOND))
        write(drafts)
    assert (tmp_path / "k1.draft").stat().st_size < 20_000
    assert samples(tmp_path) == tape.samples()[: 2 * RATE * 2]


def test_late_packets_make_no_file_large(drafts: Drafts, tape: Tape, tmp_path: Path) -> None:
    """A packet that comes again and again, from long ago."""
    speak(tape, range(2 * SECOND, 20 * SECOND))
    write(drafts)
    before = (tmp_path / "k1.draft").stat().st_size
    for number in range(20 * SECOND - 1, 0, -SECOND // 2):
        speak(tape, [number])
    write(drafts)
    assert (tmp_path / "k1.draft").stat().st_size - before < 2 * RATE


def test_a_disk_that_is_full(
    drafts: Drafts, tape: Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recording goes on, and what was written stays."""
    before, real = tape.samples(), os.write

    def write_half(descriptor: int, data: bytes) -> int:
        return real(descriptor, data[: len(data) // 2])

    monkeypatch.setattr(os, "write", write_half)
    speak(tape, range(2 * SECOND, 3 * SECOND))
    write(drafts)
    monkeypatch.undo()
    assert not drafts.collect()
    assert samples(tmp_path) == before


def test_one_file_that_cannot_be_written_is_no_other_s(
    drafts: Drafts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refuse(path: Path, *arguments: int) -> int:
        if str(path).endswith("k1.draft"):
            raise OSError(errno.ENOSPC, "no space")
        return real(path, *arguments)

    monkeypatch.setattr(os, "open", refuse)
    for key in ("k1", "k2"):
        tape = Tape(180.0, 100)
        drafts.begin(Recording(key, *ABOUT_REST), tape)
        speak(tape, range(2 * SECOND))
    write(drafts)
    monkeypatch.undo()
    assert list(found(tmp_path)) == ["k2"]


ABOUT_REST = (BOX, "<4312002>", 1_700_000_000, 0, b"", "call-1")
