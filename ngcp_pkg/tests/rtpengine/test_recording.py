"""Recordings hold what was said, when it was said, by whom."""

import struct
import wave
from io import BytesIO
from pathlib import Path

import pytest

from audio.spectrum import loudest, loudness
from ngcp.audio.codecs import CODECS
from ngcp.audio.tones import tone
from ngcp.rtpengine.commands import no_file
from ngcp.rtpengine.spool import SoundFiles, Spool
from rtpengine.harness import Phone, Relay, answer, establish, offer
from rtpengine.test_transcoding import speak


def talk(relay: Relay, alice: Phone, bob: Phone, seconds: float, codecs: str = "pcma pcma") -> None:
    """Let Alice say 500 Hz, and Bob, from a half on, 1200."""
    near, far = (CODECS[name] for name in codecs.split())
    count = round(seconds * 50)
    words = speak(near, tone([500], near.rates[0], range(near.rates[0] * count // 50)))
    replies = speak(far, tone([1200], far.rates[0], range(far.rates[0] * count // 50)))
    for place in range(count):
        alice.send(bytes(words[place]))
        if place >= count // 2:
            bob.send(bytes(replies[place]))
        relay.wire.now += 0.02


def sides(samples: bytes) -> tuple[bytes, bytes]:
    """Return the left and the right channel."""
    both = struct.unpack(f"<{len(samples) // 2}h", samples)
    left, right = both[::2], both[1::2]
    return struct.pack(f"<{len(left)}h", *left), struct.pack(f"<{len(right)}h", *right)


def test_a_recording_holds_what_was_said(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, record_call="yes")
    answer(alice, bob)

    talk(relay, alice, bob, 4)
    relay.ask(command="delete", call_id="call", from_tag="alice")

    left, right = sides(relay.shelf.recordings["call"])
    assert len(left) / 16_000 == pytest.approx(4, abs=0.1)
    assert loudest(left, 8000) == [pytest.approx(500, abs=2)]
    assert loudness(right[:30_000]) == 0  # Bob says nothing yet
    assert loudest(right[34_000:], 8000) == [pytest.approx(1200, abs=2)]
    assert relay.shelf.closed == ["call"]


def test_a_transcoded_call_is_recorded_as_both_said_it(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, alice.body("rtpmap:96 opus/48000/2"), codec={"transcode": ["G722"]}, record_call="on")
    answer(alice, bob, bob.body("rtpmap:9 G722/8000"))

    talk(relay, alice, bob, 4, "opus g722")
    relay.ask(command="delete", call_id="call", from_tag="alice")

    left, right = sides(relay.shelf.recordings["call"])
    assert loudest(left, 8000) == [pytest.approx(500, abs=2)]
    assert loudest(right[34_000:], 8000) == [pytest.approx(1200, abs=2)]


def test_recording_starts_pauses_and_stops_at_a_word(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    for word in ("start", "pause", "start", "stop"):
        talk(relay, alice, bob, 1)
        assert relay.ask(command=f"{word} recording", call_id="call")["result"] == "ok"
    talk(relay, alice, bob, 1)

    assert relay.shelf.closed == ["call"]
    assert 1.5 < len(relay.shelf.recordings["call"]) / 32_000 < 3.5  # what was paused is silence
    assert not relay.wire.processed


def test_a_full_disk_ends_the_recording_and_not_the_call(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, record_call="yes")
    answer(alice, bob)
    talk(relay, alice, bob, 3)
    relay.shelf.is_full = True
    talk(relay, alice, bob, 3)

    assert bob.hears(alice)
    assert 1 < len(relay.shelf.recordings["call"]) / 32_000 < 4
    relay.ask(command="delete", call_id="call", from_tag="alice")
    assert relay.is_idle


def test_a_call_that_nobody_answers_makes_no_file(relay: Relay, alice: Phone, bob: Phone) -> None:
    offer(alice, bob, record_call="yes")
    relay.ask(command="delete", call_id="call", from_tag="alice")

    assert relay.shelf.recordings == {}


def test_a_long_hold_does_not_fill_the_disk(relay: Relay, alice: Phone, bob: Phone) -> None:
    establish(alice, bob)
    relay.ask(command="start recording", call_id="call")
    talk(relay, alice, bob, 1)
    relay.wire.now += 3600
    talk(relay, alice, bob, 1)
    relay.ask(command="delete", call_id="call", from_tag="alice")

    assert len(relay.shelf.recordings["call"]) / 32_000 < 65


class TestSpool:
    """The files themselves."""

    def test_a_file_is_a_wav_while_it_grows_and_after(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path, 3600, lambda: 1_700_000_000.5)
        file = spool.open("7@192.0.2.1", 1)
        assert file is not None
        for _ in range(12):
            assert file.write(bytes(16_000))

        (path,) = tmp_path.iterdir()
        assert path.name == "7@192.0.2.1-1700000000.wav"
        with wave.open(BytesIO(path.read_bytes())) as so_far:
            assert so_far.getnframes() > 70_000
        file.close()
        with wave.open(str(path)) as done:
            assert (done.getnframes(), done.getframerate(), done.getnchannels()) == (96_000, 8000, 1)

    def test_names_are_safe_and_never_taken(self, tmp_path: Path) -> None:
        spool = Spool(tmp_path, 3600, lambda: 1_700_000_000.5)
        for call_id in ("../../etc/passwd", "../../etc/passwd", ".", "x" * 1000):
            file = spool.open(call_id, 1)
            assert file is not None
            file.close()

        assert sorted(path.name[:30] for path in tmp_path.iterdir()) == [
            "_.._etc_passwd-1700000000-1.wa",
            "_.._etc_passwd-1700000000.wav",
            "call-1700000000.wav",
            "x" * 30,
        ]

    def test_a_recording_is_no_longer_than_allowed(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        file = Spool(tmp_path, 1, lambda: 0.0).open("call", 2)
        assert file is not None

        assert file.write(bytes(20_000))
        assert not file.write(bytes(20_000))
        assert [record.message for record in caplog.records] == [
            f"recording {tmp_path}/call-0.wav ends early: it is as long as it may be"
        ]
        with wave.open(f"{tmp_path}/call-0.wav") as done:
            assert (done.getnframes(), done.getnchannels()) == (8000, 2)

    def test_a_full_disk_is_one_line_in_the_log(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        spool = Spool(tmp_path, 3600, lambda: 0.0)
        file = spool.open("call", 1)
        assert file is not None
        file.write(bytes(200_000))
        monkeypatch.setattr(Spool, "_is_full", lambda self: True)

        assert not spool.open("another", 1)
        file = Spool(tmp_path, 3600, lambda: 0.0).open("third", 1)
        assert file is None
        assert [record.message for record in caplog.records] == [
            "call 'another' is not recorded: less than 2% of the disk is free",
            "call 'third' is not recorded: less than 2% of the disk is free",
        ]

    def test_a_directory_that_is_not_there_is_one_line_in_the_log(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert Spool(tmp_path / "none", 3600, lambda: 0.0).open("call", 1) is None
        assert len(caplog.records) == 1


def test_only_files_below_the_directory_of_sounds_are_played(tmp_path: Path) -> None:
    (tmp_path / "sounds" / "de").mkdir(parents=True)
    (tmp_path / "sounds" / "de" / "hello.wav").write_bytes(b"RIFF")
    (tmp_path / "secret").write_bytes(b"no")
    (tmp_path / "sounds" / "link").symlink_to(tmp_path / "secret")
    files = SoundFiles(tmp_path / "sounds")

    assert files.read("de/hello.wav") == b"RIFF"
    for name in ("../secret", str(tmp_path / "secret"), "link", "none.wav", "de"):
        with pytest.raises(OSError):
            files.read(name)
    with pytest.raises(FileNotFoundError, match="no directory of sounds is configured"):
        no_file("hello.wav")
