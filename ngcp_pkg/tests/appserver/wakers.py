"""An app server on a wire that wakes people up: a virtual clock, a book in memory, a studio that beats."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from flows.whole import PROXY, UNIX_EPOCH_OF_WIRE
from flows.wire import Wire
from ngcp.appserver.reminders import Reminders, Terms
from ngcp.appserver.wakeup import Ringer
from ngcp.provisioning.engine import DatabaseUnavailable
from ngcp.provisioning.reminder_calls import Found, Wakeup
from ngcp.rtp.packet import Packet
from ngcp.sip.transport.flow import Address
from ngcp.voice.prompts import Wanted
from ngcp.voice.stage import Stage
from ngcp.voice.stream import PACE
from ngcp.voice.studio import NoPorts, Studio, Take
from ngcp.voice.switchboard import Switchboard

APP_SERVER = ("127.0.0.1", 5070)


@dataclass
class MemoryBook:
    """Calls that are due, without a schedule; can be told to be dead."""

    planned: list[Wakeup] = field(default_factory=list)
    missed: list[tuple[str, float]] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    dead: bool = False

    def order(self, user: str, at: float, number: int = 1) -> None:
        self.planned.append(Wakeup(number, at, 1, at, f"uuid-{user}", user, "example.org"))

    async def look(self, now: float, late: float, weekdays: Collection[int]) -> Found:
        self._check()
        self.looks.append(now)
        missed, self.missed = self.missed, []
        return Found(0, missed)

    async def take(self, now: float, most: int) -> Sequence[Wakeup]:
        self._check()
        taken = [wakeup for wakeup in self.planned if wakeup.planned <= now][:most]
        self.planned = [wakeup for wakeup in self.planned if wakeup not in taken]
        return taken

    async def try_again(self, wakeup: Wakeup, when: float) -> None:
        self._check()
        self.planned.append(wakeup._replace(attempt=wakeup.attempt + 1, planned=when))

    async def next_attempt(self) -> float | None:
        self._check()
        return min((wakeup.planned for wakeup in self.planned), default=None)

    def _check(self) -> None:
        if self.dead:
            raise DatabaseUnavailable("gone away")


@dataclass
class MemoryPort:
    """A port whose packets are kept."""

    local: Address
    take: Take
    waker: "Waker"

    def send(self, packet: bytes, remote: Address) -> None:
        self.waker.packets.append(Packet.parse(packet))

    def close(self) -> None:
        self.waker.ports.remove(self)


class Waker:
    """The app server, as far as it calls."""

    def __init__(self, wire: Wire, terms: Terms | None = None) -> None:
        self.wire, self.terms = wire, terms or Terms()
        self.book = MemoryBook()
        self.prompts: dict[str, Sequence[bytes]] = {}
        self.wanted: list[Wanted] = []
        self.packets: list[Packet] = []
        self.ports: list[MemoryPort] = []
        self.has_ports = True
        self.studio = Studio(self)
        self.studio.begun = self._beat
        self.core = Switchboard(wire.ids("as"), APP_SERVER, PROXY, lambda agent, registry: {}, server="test")
        wire.attach(self.core, "udp", APP_SERVER)
        ids = iter(range(1 << 60, 1 << 61))
        stage = Stage(lambda: f"{next(ids):016x}", self.studio, self, wire.spawn, wire.clock)
        route = f"<sip:{PROXY[0]}:{PROXY[1]};lr>"
        ringer = Ringer(
            self.core.agent, self.core.calls, stage, self.terms.caller, route, float(self.terms.wait_time)
        )
        self.reminders = Reminders(self.book, ringer.ring, self.terms, lambda: self.now)
        self._visit()

    @property
    def now(self) -> float:
        """The time of the wall."""
        return UNIX_EPOCH_OF_WIRE + self.wire.now

    def _visit(self) -> None:
        if self.now >= self.reminders.due:
            self.wire.spawn(self.reminders.visit())
        self.wire.at(self.wire.now + 1, self._visit)

    def _beat(self) -> None:
        self.studio.beat(self.wire.now)
        if not self.studio.is_idle:
            self.wire.at(self.wire.now + PACE, self._beat)

    def open(self, take: Take) -> MemoryPort:
        if not self.has_ports:
            raise NoPorts("all in use")
        port = MemoryPort(("127.0.0.1", 10_000 + 2 * len(self.ports)), take, self)
        self.ports.append(port)
        return port

    async def find(self, wanted: Wanted) -> Sequence[bytes]:
        self.wanted.append(wanted)
        return self.prompts.get(wanted.handle, ())

    @property
    def is_idle(self) -> bool:
        return not (self.ports or self.core.agent.legs or len(self.core.calls)) and self.studio.is_idle
