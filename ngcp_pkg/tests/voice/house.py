"""A switchboard that serves calls itself: no sockets, a virtual clock, telephones that hear."""

import abc
import itertools
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from ngcp.audio.tones import tone
from ngcp.rtp.events import press
from ngcp.rtp.packet import Packet
from ngcp.sdp import Description
from ngcp.sip.core.agent import UserAgent
from ngcp.sip.syntax import Request, Response, parse
from ngcp.sip.transport import Flow
from ngcp.sip.transport.flow import Address
from ngcp.voice.prompts import Wanted
from ngcp.voice.stage import Stage
from ngcp.voice.stream import FRAME, PACE, SAMPLES, SILENCE, Language, Voice, frames_of
from ngcp.voice.studio import NoPorts, Studio, Take
from ngcp.voice.switchboard import Switchboard

HERE = ("127.0.0.1", 5080)
PROXY = ("127.0.0.1", 5062)
FLOW = Flow("udp", HERE, PROXY)
RELAY = "127.0.0.1"


def beep(frequency: float, frames: int = 25) -> tuple[bytes, ...]:
    """Return frames of a tone."""
    return frames_of(tone([frequency], 8000, range(frames * SAMPLES)))


@dataclass
class MemoryPort:
    """A port on an in-memory wire."""

    local: Address
    take: Take
    house: "House"

    def send(self, packet: bytes, remote: Address) -> None:
        listener = self.house.listeners.get(remote)
        if listener is not None:
            listener(packet)

    def close(self) -> None:
        del self.house.ports[self.local]


@dataclass
class House(abc.ABC):
    """The user agent, and what it stands on."""

    host: ClassVar[str] = RELAY
    """Where its ports are."""

    prompts: dict[str, Sequence[bytes]] = field(default_factory=dict)
    """Frames by handle."""
    directory: Path = Path("/nonexistent")
    """Of WAV files."""
    has_ports: bool = True

    def __post_init__(self) -> None:
        self.now = 0.0
        self.wanted: list[Wanted] = []
        self.ports: dict[Address, MemoryPort] = {}
        self.listeners: dict[Address, Callable[[bytes], None]] = {}
        self.sent: list[Request | Response] = []
        self.studio = Studio(self)
        self._numbers = itertools.count(20_000, 2)
        counter = itertools.count(1)
        self.core = self.make_core(lambda: f"{next(counter):016x}")

    @abc.abstractmethod
    def make_core(self, ids: Callable[[], str]) -> Switchboard:
        """Return what takes the calls."""

    def stage(self, agent: UserAgent) -> Stage:
        """Return what applications stand on."""
        return Stage(agent.ids, self.studio, self, self._spawn, lambda: self.now)

    def open(self, take: Take) -> MemoryPort:
        if not self.has_ports:
            raise NoPorts("all in use")
        port = MemoryPort((self.host, next(self._numbers)), take, self)
        self.ports[port.local] = port
        return port

    async def find(self, wanted: Wanted) -> Sequence[bytes]:
        self.wanted.append(wanted)
        return self.prompts.get(wanted.handle, ())

    @staticmethod
    def _spawn(work: Coroutine[None, None, None]) -> None:
        """Run work that never has to wait."""
        try:
            work.send(None)
        except StopIteration:
            return
        raise AssertionError("the work waits")

    def receive(self, message: Request | Response) -> None:
        self.core.receive(bytes(message), FLOW, self.now)
        self.deliver()

    def deliver(self) -> None:
        """Collect what the user agent sends."""
        self.sent += [parse(data) for data, _ in self.core.messages_to_send()]

    def last(self) -> Request | Response:
        """Return what was sent last."""
        return self.sent[-1]

    def wait(self, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Let time pass, beat by beat."""
        for _ in range(round(seconds / PACE)):
            self.now += PACE
            meanwhile()
            self.studio.beat(self.now)
            self.core.handle_timer(self.now)
            self.deliver()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left of any call."""
        return (
            not self.ports and not self.core.agent.legs and not len(self.core.calls) and self.studio.is_idle
        )


class Telephone:
    """A caller, with what it says and hears."""

    _numbers = itertools.count(1)

    def __init__(self, house: House, app: str, *parameters: str) -> None:
        self.house = house
        self.app, self.parameters = app, "".join(f";{one}" for one in parameters)
        number = next(self._numbers)
        self.call_id = f"call-{number}"
        self.address: Address = (RELAY, 30_000 + 2 * number)
        self.cseq = itertools.count(1)
        self.tag = ""
        self.remote: Address | None = None
        self.voice = Voice(Language("PCMA", 8, 101), number)
        self.ear = Voice(Language("PCMA", 8), 0)
        self.heard: list[bytes] = []
        self.packets: list[Packet] = []
        house.listeners[self.address] = self._hear

    def body(self, *lines: str, direction: str = "sendrecv", host: str = RELAY) -> bytes:
        text = [
            *("v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"),
            *(lines or (f"m=audio {self.address[1]} RTP/AVP 18 8 101", "a=rtpmap:101 telephone-event/8000")),
            f"a={direction}",
        ]
        return "".join(f"{line}\r\n" for line in text).encode()

    def request(self, method: str, *lines: str, body: bytes = b"", number: int | None = None) -> Request:
        to = f"<sip:room@conference.local>{f';tag={self.tag}' if self.tag else ''}"
        number = next(self.cseq) if number is None else number
        branch = "INVITE" if method == "CANCEL" else method
        head = [
            f"Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK{self.call_id}-{branch}-{number}",
            "Max-Forwards: 70",
            "From: <sip:alice@example.org>;tag=alice",
            f"To: {to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {number} {method}",
            "Contact: <sip:alice@127.0.0.1:5062>",
            *lines,
            f"Content-Length: {len(body)}",
        ]
        return Request(method, "sip:room@conference.local", head, body)

    def invite(self, *lines: str, body: bytes | None = None) -> Response:
        """Call, and return the last answer."""
        body = self.body() if body is None else body
        self._invite = next(self.cseq)
        app = (f"P-App-Name: {self.app}", f"P-App-Param: {self.parameters}")
        self.house.receive(self.request("INVITE", *app, *lines, body=body, number=self._invite))
        return self._take()

    def _take(self) -> Response:
        response = self.house.last()
        assert isinstance(response, Response), response
        self.tag = response.to.tag or ""
        if response.body:
            media = next(one for one in Description.parse(response.body).media if not one.is_rejected)
            self.remote = (RELAY, media.port)
        return response

    def acknowledge(self, body: bytes = b"") -> None:
        self.house.receive(self.request("ACK", body=body, number=self._invite))

    def call(self) -> None:
        """Call, and be answered."""
        response = self.invite()
        assert response.status == 200, response.status
        self.acknowledge()

    def ask(self, method: str, body: bytes = b"") -> Response:
        """Send a request within the call and return its answer."""
        self.house.receive(self.request(method, body=body))
        return self._take()

    def acknowledge_last(self) -> None:
        """Acknowledge the answer to the last INVITE within the call."""
        response = self.house.last()
        self.house.receive(self.request("ACK", number=response.cseq.number))

    def cancel(self) -> None:
        self.house.receive(self.request("CANCEL", number=self._invite))

    def say(self, frame: bytes = SILENCE, source: str = RELAY) -> None:
        self._send(self.voice.say(frame), source)

    def press(self, keys: str) -> None:
        """Press keys, with all repetitions."""
        for index, key in enumerate(keys):
            for event in press(key, 800, 160):
                packet = Packet(
                    101, 0, 1_000_000 + 8000 * index + int(self.house.now * 8000), 1, bytes(event)
                )
                self._send(bytes(packet), RELAY)
            self.house.wait(0.1)

    def _send(self, packet: bytes, source: str) -> None:
        assert self.remote is not None, "not told where"
        port = self.house.ports.get(self.remote)
        if port is not None:
            port.take(packet, (source, self.address[1]))

    def _hear(self, packet: bytes) -> None:
        self.packets.append(Packet.parse(packet))
        self.ear.take(packet)
        while (frame := self.ear.heard()) is not None:
            self.heard.append(frame)

    def tones(self) -> set[int]:
        """Return the frequencies of what was heard since the last time, and forget it."""
        samples = np.frombuffer(b"".join(self.heard), np.int16).astype(float)
        self.heard.clear()
        if len(samples) < FRAME:
            return set()
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        bins = 8000 / len(samples)
        loud = [place for place, level in enumerate(spectrum) if level > 0.2 * spectrum.max() > 20_000]
        return {round(place * bins / 50) * 50 for place in loud}

    @property
    def was_hung_up(self) -> bool:
        """Whether a BYE came for it."""
        return any(
            isinstance(message, Request) and message.method == "BYE" and message.call_id == self.call_id
            for message in self.house.sent
        )
