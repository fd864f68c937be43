"""The app server on the wire, and the media of those who call it: what the media relay would hand on."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from appserver.house import House
from flows.phones import Call
from flows.whole import Node
from flows.wire import Wire
from ngcp.sdp import Description
from ngcp.sip.transport.flow import Address
from ngcp.voice.stream import PACE, Language, Voice, frames_of

APP_SERVER = ("127.0.0.1", 5070)


class Clocked(House):
    """A house whose time is the wire's, and whose media the relay seems to have."""

    host = "198.51.100.9"

    def __init__(self, wire: Wire, directory: Path) -> None:
        self.wire = wire
        super().__init__(directory=directory)

    @property
    def now(self) -> float:
        return self.wire.now

    @now.setter
    def now(self, value: float) -> None:
        """Nobody but the wire moves it."""


@dataclass
class VoiceBox:
    """An app server behind a node's proxy."""

    node: Node
    directory: Path
    """Of prompts."""
    voices: dict[str, Voice] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wire = self.node.wire
        self.house = Clocked(wire, self.directory)
        wire.attach(self.house.core, "udp", APP_SERVER)
        self.house.studio.begun = lambda: wire.at(wire.now + PACE, self._strike)
        self._numbers = count(1)

    def _strike(self) -> None:
        wire, studio = self.node.wire, self.house.studio
        studio.beat(wire.now)
        if not studio.is_idle:
            wire.at(wire.now + PACE, self._strike)

    def speak(self, call: Call, samples: bytes) -> None:
        """Let a caller say this."""
        source, port = self._media(call)
        voice = self.voices.setdefault(call.call_id, Voice(Language("PCMA", 8, 101), next(self._numbers)))
        for frame in frames_of(samples):
            if port in self.house.ports:
                self.house.ports[port].take(voice.say(frame), source)
            self.node.wire.run(PACE)

    def _media(self, call: Call) -> tuple[Address, Address]:
        """Return where a caller's packets come from, and where they go."""
        assert call.attempt is not None
        (mine,) = Description.parse(call.invite.body).media
        (theirs,) = Description.parse(call.attempt.responses[-1].body).media
        return (mine.effective_connection.host, mine.port), (theirs.effective_connection.host, theirs.port)

    def until(self, is_so: Callable[[], bool]) -> None:
        assert self.node.wire.run_until(is_so)
