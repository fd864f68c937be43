"""Where music on hold comes from: sound sets, files, and what is there when MariaDB is not."""

import subprocess
import sys
from collections.abc import Coroutine

import pytest

from ngcp.audio.wav import write
from ngcp.provisioning.runtime import DatabaseUnavailable
from ngcp.rtpengine.flags import Music
from ngcp.rtpengine.jukebox import FRESH, REMEMBERED, SOON, Shelf

USUAL, OWN = bytes(100), bytes(200)


class Home:
    """A node's music."""

    def __init__(self) -> None:
        self.now = 0.0
        self.files = {"usual.wav": write(USUAL), "bad.wav": b"RIFF"}
        self.sets: dict[int, bytes] = {7: write(OWN)}
        self.asked: list[int] = []
        self.is_away = False
        self.shelf = Shelf(self.files.__getitem__, "usual.wav", self._fetch, self._spawn, lambda: self.now)

    async def _fetch(self, number: int) -> bytes | None:
        self.asked.append(number)
        if self.is_away:
            raise DatabaseUnavailable("away")
        return self.sets.get(number)

    @staticmethod
    def _spawn(work: Coroutine[None, None, None]) -> None:
        with pytest.raises(StopIteration):
            work.send(None)

    def hears(self, number: int) -> bytes | None:
        self.shelf.prepare(Music(sound_set=number))
        return self.shelf.samples(Music(sound_set=number))


@pytest.fixture
def home() -> Home:
    return Home()


def test_a_set_has_its_own_music(home: Home) -> None:
    assert home.hears(7) == OWN
    assert home.hears(7) == OWN
    assert home.asked == [7]


def test_a_set_without_music_has_the_usual(home: Home) -> None:
    assert home.hears(8) == home.hears(0) == USUAL


def test_new_music_is_heard_after_a_while(home: Home) -> None:
    home.hears(7)
    home.sets[7] = write(bytes(300))
    assert home.hears(7) == OWN
    home.now += FRESH
    assert home.hears(7) == bytes(300)


def test_without_mariadb_what_is_known_is_heard(home: Home) -> None:
    home.hears(7)
    home.now += FRESH
    home.is_away = True
    assert home.hears(7) == OWN
    assert home.hears(8) == USUAL
    home.is_away = False
    home.sets[8] = write(bytes(300))
    home.now += SOON
    assert home.hears(8) == bytes(300)


def test_music_that_cannot_be_played_is_said(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    home.sets[9] = b"mp3"
    assert home.hears(9) == USUAL
    assert "music on hold of sound set 9 cannot be played" in caplog.text
    assert home.shelf.samples(Music("bad.wav")) is None
    assert "music on hold 'bad.wav' cannot be played" in caplog.text


def test_memory_is_bounded(home: Home) -> None:
    for number in range(1, REMEMBERED + 5):
        home.hears(number)
    home.asked.clear()
    home.hears(1)
    assert home.asked == [1]


def test_a_relay_without_database_has_files_only() -> None:
    home = Home()
    shelf = Shelf(home.files.__getitem__, "", None, home._spawn, lambda: 0.0)
    assert shelf.samples(Music(sound_set=7)) is None
    assert shelf.samples(Music("usual.wav", 7)) == USUAL


def test_the_relay_takes_no_toolkit_of_databases_along() -> None:
    """It asks for music now and then; SQLAlchemy would be a quarter of its memory."""
    program = "import sys, ngcp.rtpengine.service; sys.exit('sqlalchemy' in sys.modules)"
    path = [entry for entry in sys.path if entry]
    subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}; {program}"], check=True)
