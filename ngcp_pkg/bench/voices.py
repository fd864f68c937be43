"""Telephones that speak and listen, all by one socket: the kernel says when it heard each packet."""

import re
import select
import socket
import struct
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import numpy as np

from bench.sipp import Address
from ngcp.rtp.events import press
from ngcp.rtp.packet import Packet

#: Seconds, and samples, of a packet.
PACE: Final = 0.02
SAMPLES: Final = 160
#: Socket option of Linux (socket(7)) that Python does not name.
SO_TIMESTAMPNS: Final = 35
BUFFER: Final = 8 << 20
#: Different packets that are spoken in turn.
WORDS: Final = 50
#: Seconds until an answer counts as lost.
PATIENCE: Final = 10.0
#: Payload type of keys, and seconds of one.
EVENT: Final = 101
KEY: Final = 0.2
#: Packets of a stream from which its schedule can be told.
ENOUGH: Final = 50

_HEADER: Final = struct.Struct("!BBHII")


class NoAnswer(Exception):
    """A call that failed."""


@dataclass(slots=True)
class Call:
    """One call."""

    name: str
    to: str
    media: Address
    ssrc: int


@dataclass
class Voices:
    """All telephones, at one address."""

    own: str
    server: Address
    heard: dict[int, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    """Time stamp of each packet, and when it came, by SSRC."""
    latest: dict[int, bytes] = field(default_factory=dict)
    """What was heard last, by SSRC."""

    def __post_init__(self) -> None:
        self._sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sip.bind((self.own, 0))
        self._sip.settimeout(PATIENCE)
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._rtp.bind((self.own, 0))
        self._numbers, self._pressed = count(), 0
        self._speaking: list[Call] = []
        self._is_open = True
        noise = np.random.default_rng(1).integers(0, 256, (WORDS, SAMPLES), np.uint8)
        self._words = [word.tobytes() for word in noise]
        self._threads = [threading.Thread(target=work) for work in (self._speak, self._listen)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Hear and say no more."""
        self._is_open = False
        for thread in self._threads:
            thread.join()
        self._sip.close()
        self._rtp.close()

    def call(self, number: int, parameters: str, application: str = "voicebox") -> Call:
        """Call an application and be answered; its keys are RFC 4733 events."""
        host, port = self._rtp.getsockname()
        body = f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        body += f"m=audio {port} RTP/AVP 8 {EVENT}\r\na=rtpmap:{EVENT} telephone-event/8000\r\n"
        body += "a=sendrecv\r\n"
        name = f"call-{number}"
        extra = f"P-App-Name: {application}\r\nP-App-Param: {parameters}\r\nContent-Type: application/sdp\r\n"
        self._say("INVITE", name, 1, "<sip:box@voicebox.local>", extra, body)
        answer = self._answer(name)
        media = re.search(r"^m=audio (\d+)", answer, re.MULTILINE)
        to = re.search(r"^To: (.*)\r$", answer, re.MULTILINE)
        if not answer.startswith("SIP/2.0 200") or media is None or to is None:
            raise NoAnswer(answer)
        call = Call(name, to[1], (self.server[0], int(media[1])), number)
        self._say("ACK", name, 1, to[1])
        return call

    def speak(self, calls: list[Call]) -> None:
        """Let these speak from now on, and no others."""
        self._speaking = calls

    def press(self, calls: list[Call], keys: str) -> None:
        """Press keys on all these telephones, one after the other."""
        for key in keys:
            self._pressed += 1
            stamp = self._pressed * SAMPLES * 10 & 0xFFFFFFFF
            for event in press(key, 8 * SAMPLES, 4 * SAMPLES):
                for call in calls:
                    packet = Packet(
                        EVENT, next(self._numbers) & 0xFFFF, stamp, call.ssrc, bytes(event), False
                    )
                    self._rtp.sendto(bytes(packet), call.media)
            time.sleep(KEY)

    def hang_up(self, calls: list[Call]) -> None:
        """End calls, all at once."""
        for call in calls:
            self._say("BYE", call.name, 2, call.to)
        for _ in calls:
            self._answer("")

    def lateness(self, begin: float, end: float) -> list[float]:
        """Return how far packets between two moments came behind the schedule of their stream, in ms.

        The schedule is that of the earliest of its packets: nobody is ever before it.
        """
        late: list[float] = []
        for packets in list(self.heard.values()):
            offsets = [came - stamp / 8000 for stamp, came in packets if begin <= came < end]
            if len(offsets) >= ENOUGH:
                first = min(offsets)
                late += [(offset - first) * 1000 for offset in offsets]
        return late

    def streams(self, begin: float, end: float) -> list[int]:
        """Return how many packets each stream brought between two moments."""
        counts = [sum(begin <= came < end for _, came in packets) for packets in list(self.heard.values())]
        return [packets for packets in counts if packets]

    def _say(self, method: str, name: str, number: int, to: str, extra: str = "", body: str = "") -> None:
        host, port = self._sip.getsockname()
        self._sip.sendto(
            (
                f"{method} sip:box@voicebox.local SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};"
                f"branch=z9hG4bK{name}{method}\r\nFrom: <sip:{name}@h>;tag={name}\r\nTo: {to}\r\n"
                f"Call-ID: {name}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n"
                f"Contact: <sip:{host}:{port}>\r\n{extra}Content-Length: {len(body)}\r\n\r\n{body}"
            ).encode(),
            self.server,
        )

    def _answer(self, name: str) -> str:
        """Return the final answer of a call, or of any."""
        while True:
            answer = self._sip.recv(65_535).decode()
            is_final = answer.startswith("SIP/2.0 ") and not answer.startswith("SIP/2.0 1")
            if is_final and (not name or f"Call-ID: {name}\r\n" in answer):
                return answer

    def _speak(self) -> None:
        """Send a packet of each stream in turn, evenly over the time of a packet."""
        beat, due = 0, time.monotonic()
        while self._is_open:
            calls = self._speaking
            sequence, stamp = beat & 0xFFFF, beat * SAMPLES & 0xFFFFFFFF
            for place, call in enumerate(calls):
                if place % 10 == 0:
                    time.sleep(max(0.0, due + PACE * place / len(calls) - time.monotonic()))
                word = self._words[(beat + 5 * place) % WORDS]  # no two say the same
                self._rtp.sendto(_HEADER.pack(0x80, 8, sequence, stamp, call.ssrc) + word, call.media)
            beat, due = beat + 1, due + PACE
            time.sleep(max(0.0, due - time.monotonic()))

    def _listen(self) -> None:
        while self._is_open:
            if not select.select([self._rtp], [], [], 0.1)[0]:
                continue
            data, ancillary, _, _ = self._rtp.recvmsg(2048, 64)
            packet = Packet.parse(data)
            self.latest[packet.ssrc] = packet.payload
            for _, kind, stamp in ancillary:
                if kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", stamp)
                    self.heard[packet.ssrc].append((packet.timestamp, seconds + nanoseconds / 1e9))
