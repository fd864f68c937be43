"""An app server in a house without sockets, with mailboxes in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import create_async_engine

import voice.house
from ngcp.appserver.applications import make_applications
from ngcp.appserver.archive import Archive, frames_of_file
from ngcp.appserver.bell import Bell
from ngcp.appserver.callback import Dialler
from ngcp.appserver.config import Configuration, Voicemail
from ngcp.appserver.doorkeeper import Doorkeeper
from ngcp.appserver.lockout import Lockout
from ngcp.appserver.office import Greeted, Office
from ngcp.audio.tones import tone
from ngcp.audio.wav import samples_of, write
from ngcp.provisioning.voicemail import Greeting, Recording
from ngcp.sip.core.agent import UserAgent
from ngcp.voice.application import Application
from ngcp.voice.guest import Frames
from ngcp.voice.prompts import Files
from ngcp.voice.registry import Registry
from ngcp.voice.stream import FRAME, PACE, frames_of
from ngcp.voice.switchboard import Switchboard
from ngcp.voice.tape import Tape
from voice.house import Telephone

__all__ = ["BOX", "House", "Telephone", "best_match", "make_prompts", "melody", "sound", "speech"]

BOX = "a1111111-1111-1111-1111-111111111111"
#: Prompts by their frequencies in Hz: 0.1 s each.
PROMPTS = {
    **{f"digits/{digit}": 1000 + 50 * digit for digit in range(10)},
    "beep": 400,
    "vm-theperson": 500,
    "vm-isunavail": 550,
    "vm-isonphone": 600,
    "vm-intro": 650,
    "vm-nobodyavail": 700,
    "vm-mailboxfull": 750,
    "vm-goodbye": 800,
    "auth-thankyou": 850,
    "im-sorry": 900,
    "please-try-call-later": 950,
}


#: A database that is not asked.
NOWHERE = create_async_engine("mysql+aiomysql://nobody@/")


def sound(frequency: float, seconds: float = 0.1) -> bytes:
    """Return a tone as a WAV file."""
    return write(tone([frequency], 8000, range(int(seconds * 8000))))


def make_prompts(directory: Path, language: str = "en_US", shift: int = 0) -> Path:
    """Write all prompts of a language, `shift` Hz higher."""
    for name, frequency in PROMPTS.items():
        path = directory / language / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sound(frequency + shift))
    return directory


def speech(seconds: float, seed: int = 1) -> bytes:
    """Return samples of something that is like nothing else: noise that comes and goes as words do."""
    random = np.random.default_rng(seed)
    count = int(seconds * 8000)
    words = 0.55 + 0.45 * np.sin(2 * np.pi * 3 * np.arange(count) / 8000)
    noise = np.convolve(random.standard_normal(count + 7), np.ones(8) / 8, "valid")
    return np.asarray(8000 * words * noise).astype(np.int16).tobytes()


class QuickArchive(Archive):
    """Works without threads."""

    async def cut(self, file: bytes | None) -> Frames:
        return () if file is None else frames_of_file(file)

    async def develop(self, tape: Tape) -> bytes:
        return tape.samples()


@dataclass
class House(voice.house.House):
    """The reception knows one mailbox, the keeper notes what it takes."""

    settings: Voicemail = field(default_factory=lambda: Voicemail(shortest=0.5))
    greeted: Greeted | None = field(default_factory=Greeted)
    is_full: bool = False
    """Whether no message can be held any more."""
    archive: Archive = field(default_factory=lambda: QuickArchive(NOWHERE, Bell(), 100, lambda: 0.0))
    files: Files | None = None
    """Prompts that are not in `directory`."""

    def __post_init__(self) -> None:
        self.asked: list[tuple[str, Greeting]] = []
        self.messages: list[Recording] = []
        self.drafts: dict[str, tuple[Recording, Tape]] = {}
        """What is being recorded."""
        self.lockout = Lockout()
        super().__post_init__()

    def make_core(self, ids: Callable[[], str]) -> Switchboard:
        places = Configuration()
        return Switchboard(
            ids, places.listen.pair, places.proxy.pair, self._applications, server=places.server_header
        )

    def _applications(self, agent: UserAgent, registry: Registry) -> Mapping[str, Application]:
        stage = self.stage(agent)
        office = Office(
            stage=stage,
            engine=NOWHERE,
            files=self.files or Files(self.directory),
            reception=self,
            keeper=self,
            bell=Bell(),
            voicemail=self.settings,
            wall=self.wall,
            archive=self.archive,
            doorkeeper=Doorkeeper(self.archive, self.lockout, lambda: self.now),
            dialler=Dialler(agent, registry, stage, "<sip:127.0.0.1:5062;lr>"),
        )
        return make_applications(office, agent, registry)

    def wall(self) -> float:
        """Return Unix time."""
        return 1_700_000_000.5 + self.now

    async def greet(self, mailbox: str, kind: Greeting) -> Greeted | None:
        self.asked.append((mailbox, kind))
        return self.greeted

    def begin(self, about: Recording, tape: Tape) -> None:
        self.drafts[about.key] = about, tape

    def drop(self, key: str) -> None:
        del self.drafts[key]

    def take(self, key: str, develop: Callable[[], Recording]) -> None:
        recording = develop()
        if key in self.drafts:
            about, _ = self.drafts.pop(key)
            assert replace(recording, wav=b"", duration=0) == about
        self.messages.append(recording)

    @property
    def message(self) -> Recording:
        """Return the only message."""
        (message,) = self.messages
        return message

    def stored(self) -> bytes:
        """Return the samples of the only message."""
        return samples_of(self.message.wav, 600.0)

    def speak(self, phone: Telephone, samples: bytes) -> None:
        """Let somebody say this, frame by frame."""
        frames = iter(frames_of(samples))
        self.wait(len(samples) / FRAME * PACE, lambda: phone.say(next(frames)))


def melody(phone: Telephone) -> list[int]:
    """Return the frequencies of the prompts that were heard since the last time, in their order."""
    frames, phone.heard = phone.heard, []
    prompts = [b"".join(frames[first : first + 5]) for first in range(0, len(frames), 5)]
    return [_pitch(np.frombuffer(one, np.int16).astype(float)) for one in prompts]


def _pitch(samples: NDArray[np.float64]) -> int:
    loudest = int(np.argmax(np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8000))))
    return round(loudest / 50) * 50


def best_match(spoken: bytes, stored: bytes) -> tuple[float, int]:
    """Return how well what was spoken is found in what is stored (1: the same), and where, in samples."""
    wanted = np.frombuffer(spoken, np.int16).astype(float)
    there = np.frombuffer(stored, np.int16).astype(float)
    size = len(wanted) + len(there)
    products = np.fft.irfft(np.fft.rfft(there, size) * np.conj(np.fft.rfft(wanted, size)), size)
    place = int(np.argmax(products[: len(there)]))
    part = there[place : place + len(wanted)]
    wanted = wanted[: len(part)]
    return float(wanted @ part / np.sqrt((wanted @ wanted) * (part @ part))), place
