"""A relay without sockets and clock, and phones that talk through it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ngcp.ng.bencode import Value
from ngcp.ng.commands import Message
from ngcp.rtpengine.calls import Calls, Policy
from ngcp.rtpengine.control import Control
from ngcp.rtpengine.flows import Address, Counters, Flow
from ngcp.rtpengine.ports import PortPool
from ngcp.rtpengine.report import Reporter
from ngcp.sdp import Description

RELAY = "203.0.113.1"
PROXY = ("127.0.0.1", 5062)
#: What the Unix clock shows when the virtual clock shows zero.
EPOCH = 1_700_000_000

Stranger = Callable[[Address, Address, bytes], None]

TIMEOUT = 60.0
SILENT_TIMEOUT = 3600.0

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
        self._counters: dict[Address, Counters] = {}

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

    def counters(self, local: Address) -> Counters:
        return self._counters[local]

    def arrive(self, local: Address, source: Address, packet: bytes) -> tuple[Address, Address] | None:
        """Return whence and whither the relay sends a packet on; None if it does not."""
        if self.flows[local].expect_from != source:
            self.stranger(local, source, packet)
        flow, old = self.flows[local], self._counters[local]
        if flow.expect_from != source:
            self._counters[local] = old._replace(errors=old.errors + 1)
            return None
        self._counters[local] = Counters(old.packets + 1, old.bytes + len(packet), old.errors, self.now)
        return (flow.send_from, flow.send_to) if flow.send_to else None


class Relay:
    """The whole relay but for its sockets, asked by ng commands."""

    def __init__(self, pairs: int = 100) -> None:
        self.wire = MemoryWire()
        self.pool = PortPool(RELAY, range(30000, 30000 + 2 * pairs, 2), self.wire)
        self.calls = Calls(Policy(RELAY, 184, TIMEOUT, SILENT_TIMEOUT), self.pool, self.wire)
        self.wire.stranger = self.calls.learn
        self.control = Control(self.calls, Reporter(self.wire.counters, lambda moment: EPOCH + moment))
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
            ended += self.calls.handle_timer(self.wire.now)
        return ended

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
        lines = [
            "v=0",
            f"o=- 1 1 IN {family} {self.host}",
            "s=-",
            f"c=IN {family} {host or self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP 8",
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
