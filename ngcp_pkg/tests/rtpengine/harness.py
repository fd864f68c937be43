"""A relay without sockets and clock, and phones that talk through it."""

import datetime
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from ngcp.ng.bencode import Value
from ngcp.ng.commands import Message
from ngcp.rtpengine.calls import Calls, Policy
from ngcp.rtpengine.commands import table
from ngcp.rtpengine.control import Control
from ngcp.rtpengine.dtls import Identity
from ngcp.rtpengine.flags import Music
from ngcp.rtpengine.flows import Address, Counters, Exit, FastPlane, Flow
from ngcp.rtpengine.forwarding import Forwarding
from ngcp.rtpengine.guard import Guard
from ngcp.rtpengine.interfaces import Interfaces, group
from ngcp.rtpengine.own_reports import OwnReports
from ngcp.rtpengine.playing import Players
from ngcp.rtpengine.ports import PortPool
from ngcp.rtpengine.processing import Archive, Processing
from ngcp.rtpengine.report import Reporter
from ngcp.rtpengine.switchboard import Switchboard
from ngcp.rtpengine.totals import Totals
from ngcp.rtpengine.view import View
from ngcp.rtpengine.work import Parcel, Refused, Workshop, is_handshake
from ngcp.sdp import Description

RELAY = "203.0.113.1"
RELAY6 = "2001:db8::1"
INSIDE = "127.0.0.1"
INTERFACES = group([("ext", RELAY), ("ext", RELAY6), ("int", INSIDE)])
PROXY = ("127.0.0.1", 5062)
IDENTITY = Identity(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
#: What the Unix clock shows when the virtual clock shows zero.
EPOCH = 1_700_000_000

Stranger = Callable[[Address, Address, bytes], None]

TIMEOUT = 60.0
SILENT_TIMEOUT = 3600.0
POLICY = Policy(TIMEOUT, SILENT_TIMEOUT)
#: Who gets copies of media.
LISTENER = ("127.0.0.1", 9999)

RTP = bytes.fromhex("80 08 0001 000000a0 decafbad") + bytes(160)
RTCP = bytes.fromhex("80 c8 0006") + bytes(24)

#: Sections behind the audio.
VIDEO = ("m=video 4002 RTP/AVP 34",)
NO_VIDEO = ("m=video 0 RTP/AVP 34",)


class MemoryWire:
    """A plane and a binder on an in-memory wire: what arrives is forwarded as the flows say."""

    def __init__(self) -> None:
        self.now = 0.0
        self.bound: set[Address] = set()
        self.occupied: set[Address] = set()
        self.flows: dict[Address, Flow] = {}
        self.stranger: Stranger
        self.sent: list[tuple[Address, Address, bytes]] = []
        """What the core sent by itself: whence, whither, what."""
        self.left: list[bytes] = []
        """What left in place of the last packet that arrived."""
        self._counters: dict[Address, Counters] = {}
        self._workshop = Workshop()

    def bind(self, address: Address) -> bool:
        if address in self.occupied:
            return False
        assert address not in self.bound
        self.bound.add(address)
        return True

    def close(self, address: Address) -> None:
        assert address not in self.flows
        self.bound.remove(address)

    def add(self, flow: Flow) -> None:
        assert {flow.local, flow.send_from} <= self.bound
        self.flows[flow.local] = flow
        self._counters.setdefault(flow.local, Counters())

    def remove(self, local: Address) -> None:
        del self.flows[local], self._counters[local]
        self._workshop.forget(local)

    def counters(self, local: Address) -> Counters:
        return self._counters[local]

    def send(self, local: Address, to: Address, packet: bytes) -> None:
        self.sent.append((local, to, packet))

    def inject(self, local: Address, packet: bytes) -> None:
        flow = self.flows[local]
        if flow.send_to is not None:
            self.sent.append((flow.send_from, flow.send_to, packet))

    @property
    def processed(self) -> set[int]:
        """The ports for RTP whose packets are more than relayed."""
        flows = self.flows.values()
        return {flow.local[1] for flow in flows if flow.process is not None and flow.local[1] % 2 == 0}

    def arrive(self, local: Address, source: Address, packet: bytes) -> tuple[Address, Address] | None:
        """Return whence and whither the relay sends a packet on; None if it does not."""
        if self.flows[local].is_guarded and is_handshake(packet):
            self.stranger(local, source, packet)
            return None
        if self.flows[local].expect_from != source:
            self.stranger(local, source, packet)
        flow, old = self.flows[local], self._counters[local]
        work = self._workshop.work_of(flow)
        parcels = [Parcel(packet, Exit(flow.send_from, flow.send_to))]
        try:
            if flow.expect_from != source:
                raise Refused
            if work is not None:
                parcels = work.take(packet, self.now)
        except Refused:
            self._counters[local] = old._replace(errors=old.errors + 1)
            return None
        self._counters[local] = Counters(old.packets + 1, old.bytes + len(packet), old.errors, self.now)
        self.left = [parcel.packet for parcel in parcels]
        way = parcels[0].exit if parcels else None
        return (way.send_from, way.send_to) if way and way.send_to else None


class Shelf:
    """Recordings and sounds in memory; `is_full` makes recordings end."""

    def __init__(self) -> None:
        self.recordings: dict[str, bytes] = {}
        self.closed: list[str] = []
        self.sounds: dict[str, bytes] = {}
        self.is_full = False

    def open(self, call_id: str, channels: int) -> "ShelfSink | None":
        self.recordings.setdefault(call_id, b"")
        return None if self.is_full else ShelfSink(self, call_id)

    def read(self, name: str) -> bytes:
        if name not in self.sounds:
            raise FileNotFoundError(2, "No such file or directory")
        return self.sounds[name]


@dataclass
class ShelfSink:
    """A recording of a shelf."""

    shelf: Shelf
    call_id: str

    def write(self, samples: bytes) -> bool:
        if not self.shelf.is_full:
            self.shelf.recordings[self.call_id] += samples
        return not self.shelf.is_full

    def close(self) -> None:
        self.shelf.closed.append(self.call_id)


class Jukebox:
    """Music in memory, by sound set."""

    def __init__(self) -> None:
        self.records: dict[int, bytes] = {}
        self.prepared: list[Music] = []

    def prepare(self, music: Music) -> None:
        self.prepared.append(music)

    def samples(self, music: Music) -> bytes | None:
        return self.records.get(music.sound_set)


class Relay:
    """The whole relay but for its sockets, asked by ng commands."""

    def __init__(self, pairs: int = 100, policy: Policy = POLICY, fast: FastPlane | None = None) -> None:
        self.wire = MemoryWire()
        even_ports = range(30000, 30000 + 2 * pairs, 2)
        pools = {
            host: PortPool(host, even_ports, self.wire)
            for interface in INTERFACES
            for host in interface.hosts.values()
        }
        self.pool = pools[RELAY]
        self.interfaces = Interfaces(INTERFACES, pools)
        self.plane = Forwarding(self.wire, fast)
        self.shelf = Shelf()
        archive = Archive(self.shelf.open, is_mixed=False)
        players = Players(self.plane, random.Random(1).getrandbits)
        self.jukebox = Jukebox()
        own = OwnReports(self.plane, random.Random(2).getrandbits, lambda now: EPOCH + now, "relay")
        self.processing = Processing(self.plane.send, LISTENER, players, archive, self.jukebox, own)
        self.totals = Totals(started=0.0)
        self.guard = Guard(self.plane, IDENTITY, os.urandom)
        switchboard = Switchboard(self.guard, self.interfaces, self.processing, self.totals, 184)
        self.calls = Calls(policy, switchboard)
        self.wire.stranger = self.calls.learn
        reporter = Reporter(self.plane, lambda moment: EPOCH + moment)
        self.commands = table(self.calls, reporter, View(self.calls, self.plane), self.shelf.read)
        self.control = Control(self.commands, self.totals.commands)
        self.notes: list[str] = []
        self._cookies = 0

    def ask(self, **fields: Value) -> dict[str, Value]:
        """Send a command with a fresh cookie and return the reply; `_` in names stands for `-`."""
        self._cookies += 1
        return self.send(Message(f"{self._cookies}", {k.replace("_", "-"): v for k, v in fields.items()}))

    def send(self, message: Message) -> dict[str, Value]:
        """Send a command as it is."""
        datagram, note = self.control.receive(bytes(message), PROXY, self.wire.now)
        if note:
            self.notes.append(note)
        assert datagram is not None
        reply = Message.parse(datagram)
        assert reply.cookie == message.cookie
        return reply.fields

    def wait(self, seconds: float) -> list[str]:
        """Let time pass, second by second; return the calls that ended meanwhile."""
        ended = []
        for _ in range(int(seconds)):
            self.wire.now += 1.0
            ended += [call_id for call_id, _ in self.calls.handle_timer(self.wire.now)]
        return ended

    def play(self, seconds: float) -> None:
        """Let time pass by hundredths, so that sounds are heard."""
        for _ in range(round(seconds * 100)):
            self.wire.now += 0.01
            self.calls.handle_sounds(self.wire.now)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is left of any call."""
        return not (self.wire.bound or self.wire.flows or len(self.calls))


@dataclass
class Phone:
    """One participant with an audio stream, and what it was told of its peer."""

    relay: Relay
    tag: str
    host: str
    port: int
    nat: Address | None = None
    """Where its packets seem to come from."""
    told: list[int] = field(default_factory=list)
    """The ports in the last body that the relay sent its way, by section."""

    @property
    def address(self) -> Address:
        """What it announces."""
        return self.host, self.port

    def body(self, *attributes: str, host: str | None = None, sections: tuple[str, ...] = ()) -> str:
        """Describe its session; `sections` come behind the audio."""
        family = "IP6" if ":" in (host or self.host) else "IP4"
        maps = [one.partition(":")[2].split()[0] for one in attributes if one.startswith("rtpmap:")]
        formats = maps if {*maps} - {"101"} else ["8", *maps]
        lines = [
            "v=0",
            f"o=- 1 1 IN {family} {self.host}",
            "s=-",
            f"c=IN {family} {host or self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP {' '.join(formats)}",
            *(f"a={attribute}" for attribute in attributes),
            *sections,
        ]
        return "\r\n".join([*lines, ""])

    def take(self, reply: dict[str, Value]) -> dict[str, Value]:
        """Read the body of a reply as the one that receives it."""
        assert reply["result"] == "ok", reply
        sdp = reply["sdp"]
        assert isinstance(sdp, str)
        self.told = [media.port for media in Description.parse(sdp.encode()).media]
        return reply

    def send(self, packet: bytes = RTP, section: int = 0) -> tuple[Address, Address] | None:
        """Send a packet where it was told to; RTCP goes one port higher."""
        port = self.told[section] + (1 if packet == RTCP else 0)
        host, source_port = self.nat or self.address
        source = host, source_port + (1 if packet == RTCP else 0)
        return self.relay.wire.arrive((RELAY, port), source, packet)

    def hears(self, other: "Phone", packet: bytes = RTP) -> bool:
        """Whether a packet of `other` comes here, from the port that this phone sends to."""
        rtcp = 1 if packet == RTCP else 0
        host, port = self.nat or self.address
        return other.send(packet) == ((RELAY, self.told[0] + rtcp), (host, port + rtcp))


def offer(caller: Phone, callee: Phone, body: str | None = None, **more: Value) -> dict[str, Value]:
    """Let `caller` offer and `callee` read the offer."""
    reply = caller.relay.ask(
        command="offer", call_id="call", from_tag=caller.tag, sdp=body or caller.body(), **more
    )
    return callee.take(reply)


def answer(caller: Phone, callee: Phone, body: str | None = None, **more: Value) -> dict[str, Value]:
    """Let `callee` answer and `caller` read the answer."""
    reply = caller.relay.ask(
        command="answer",
        call_id="call",
        from_tag=caller.tag,
        to_tag=callee.tag,
        sdp=body or callee.body(),
        **more,
    )
    return caller.take(reply)


def establish(caller: Phone, callee: Phone) -> None:
    """Connect two phones."""
    offer(caller, callee)
    answer(caller, callee)
