"""Running calls outlive the daemon: what Redis has of them, and what the next one makes of it."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

import pytest

from ngcp.rtpengine.control import Control
from ngcp.rtpengine.flows import Address, Position
from ngcp.rtpengine.keeper import Clock, Keeper, snapshots
from ngcp.rtpengine.memory import LOOK, RETRY, ROUND, Memory
from ngcp.state.line import Answer, Command, StateUnavailable
from ngcp.state.media import RunningCalls
from rtpengine.harness import EPOCH, IDENTITY, RELAY, RTCP, Phone, Relay, establish, offer


class Redis:
    """A server as far as this needs one."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.is_away = False
        self.batches = 0

    async def open(self) -> None:
        self._check()

    async def run(self, commands: Sequence[Command]) -> None:
        await self.ask(commands)

    async def ask(self, commands: Sequence[Command]) -> list[Answer]:
        self._check()
        self.batches += bool(commands)
        return [self._do(str(name), *map(str, words)) for _, name, _, *words in commands]

    def _check(self) -> None:
        if self.is_away:
            raise StateUnavailable("nobody there")

    def _do(self, name: str, *words: str) -> Answer:
        if name == "HSET":
            self.kept.update(zip(words[::2], words[1::2], strict=True))
        elif name == "HDEL":
            for word in words:
                del self.kept[word]
        elif name == "HKEYS":
            return [*self.kept]
        elif name == "HMGET":
            return [self.kept[word] for word in words]
        return None


class Packets:
    """User space, as far as it counts protected packets."""

    def __init__(self) -> None:
        self.at: dict[Address, dict[int, Position]] = {}
        self.taken: dict[Address, tuple[dict[int, Position], int]] = {}

    def positions(self, local: Address) -> dict[int, Position]:
        return self.at.get(local, {})

    def succeed(self, local: Address, positions: Mapping[int, Position], rtcp_before: int) -> None:
        self.taken[local] = {**positions}, rtcp_before


class Daemon:
    """A relay whose calls are kept."""

    def __init__(self, redis: Redis, boot: str = "this boot", now: float = 0.0) -> None:
        self.relay = Relay()
        self.relay.wire.now = now
        self.packets = Packets()
        written = snapshots(self.relay.guard.secrets, IDENTITY)
        clock = Clock(boot, self._clock, lambda: EPOCH)
        self.keeper = Keeper(self.relay.calls, self.relay.plane, self.packets, written, clock)
        self.relay.control = Control(self.relay.commands, self.relay.totals.commands, self.keeper.mark)
        self.memory = Memory(redis, RunningCalls(), self.keeper, self._clock)
        self.alice = Phone(self.relay, "alice", "198.51.100.10", 4000)
        self.bob = Phone(self.relay, "bob", "192.0.2.20", 5000)
        self.turn()

    def _clock(self) -> float:
        return self.relay.wire.now

    def turn(self) -> None:
        asyncio.run(self.memory.turn())

    def follows(self, earlier: "Daemon") -> None:
        """Let the phones of an earlier daemon talk to this one."""
        self.alice.told, self.bob.told = earlier.alice.told, earlier.bob.told
        self.alice.nat, self.bob.nat = earlier.alice.nat, earlier.bob.nat


@pytest.fixture
def redis() -> Redis:
    return Redis()


@pytest.fixture
def daemon(redis: Redis) -> Daemon:
    return Daemon(redis)


def test_media_go_on_through_the_next_daemon(redis: Redis, daemon: Daemon) -> None:
    """The same ports, and the learned addresses: nobody has to speak first."""
    establish(daemon.alice, daemon.bob)
    daemon.bob.nat = ("203.0.113.99", 7777)
    daemon.bob.send()
    daemon.alice.send()
    daemon.turn()

    successor = Daemon(redis, now=1.0)
    successor.follows(daemon)

    assert successor.bob.hears(successor.alice)
    assert successor.alice.hears(successor.bob)
    assert successor.relay.wire.bound == daemon.relay.wire.bound
    assert successor.relay.wire.arrive((RELAY, successor.alice.told[0]), ("192.0.2.66", 1), RTCP) is None


def test_counters_go_on(redis: Redis, daemon: Daemon) -> None:
    establish(daemon.alice, daemon.bob)
    for _ in range(5):
        daemon.alice.send()
    daemon.turn()
    asyncio.run(daemon.memory.flush())

    successor = Daemon(redis)
    successor.follows(daemon)
    successor.alice.send()

    report = successor.relay.ask(command="query", call_id="call")
    assert report["totals"]["RTP"]["packets"] == 6  # type: ignore[index,call-overload] # nested dictionaries


def test_protected_packets_are_counted_on(redis: Redis, daemon: Daemon) -> None:
    """Under one key no index may be used twice: what the old daemon did last, the new one does not know."""
    establish(daemon.alice, daemon.bob)
    local = RELAY, daemon.alice.told[0]
    daemon.packets.at[local] = {7: Position(70_000, 70_001)}
    daemon.turn()
    successor = Daemon(redis)
    assert successor.packets.taken[local] == ({7: Position(70_000, 70_001)}, EPOCH)
    assert successor.packets.taken.keys() == successor.relay.wire.bound


def test_every_call_is_written_again_within_a_minute(redis: Redis, daemon: Daemon) -> None:
    """So that counters and indexes in Redis are never far behind."""
    establish(daemon.alice, daemon.bob)
    daemon.turn()
    before = redis.kept["call"]
    for _ in range(5):
        daemon.alice.send()
    for _ in range(ROUND):
        daemon.turn()
    assert redis.kept["call"] != before


def test_a_call_goes_on_to_be_signalled(redis: Redis, daemon: Daemon) -> None:
    establish(daemon.alice, daemon.bob)
    daemon.turn()
    successor = Daemon(redis)
    told = daemon.bob.told

    successor.follows(daemon)
    offer(successor.alice, successor.bob, to_tag="bob")
    assert successor.bob.told == told
    assert successor.relay.ask(command="delete", call_id="call", from_tag="alice")["result"] == "ok"
    assert successor.relay.is_idle
    successor.turn()
    assert redis.kept == {}


def test_a_silent_call_dies_in_the_next_daemon(redis: Redis, daemon: Daemon) -> None:
    establish(daemon.alice, daemon.bob)
    daemon.turn()
    successor = Daemon(redis, now=10.0)
    assert successor.relay.wait(100) == ["call"]
    assert successor.relay.is_idle


def test_what_begins_and_ends_between_two_turns_is_never_written(redis: Redis, daemon: Daemon) -> None:
    before = redis.batches
    establish(daemon.alice, daemon.bob)
    daemon.relay.ask(command="delete", call_id="call", from_tag="alice")
    daemon.turn()
    assert redis.batches == before


def test_five_thousand_calls_leave_nothing(redis: Redis) -> None:
    daemon = Daemon(redis)
    alice = daemon.alice.body()
    for number in range(5000):
        daemon.relay.ask(command="offer", call_id=f"{number}", from_tag="a", sdp=alice)
        if number % 40 == 39:
            daemon.turn()
            assert redis.kept.keys() == {f"{one}" for one in range(number - 39, number + 1)}
            for one in range(number - 39, number + 1):
                daemon.relay.ask(command="delete", call_id=f"{one}", from_tag="a")
    daemon.turn()
    assert redis.kept == {}
    assert daemon.relay.is_idle


def test_redis_away(redis: Redis, daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    """Calls go on; one line says so, the status, too; all is written when it is back."""
    caplog.set_level(logging.WARNING)
    redis.is_away = True
    establish(daemon.alice, daemon.bob)
    for _ in range(10):
        daemon.turn()
        daemon.relay.wire.now += RETRY
    assert daemon.bob.hears(daemon.alice)
    assert daemon.memory.status == "Redis away: calls are not kept"
    assert [record.message for record in caplog.records] == [
        "Redis is away, running calls are not kept: nobody there"
    ]

    redis.is_away = False
    daemon.turn()
    assert [*redis.kept] == ["call"]
    assert daemon.memory.status == "1 calls in Redis"
    assert caplog.records[-1].message == "Redis is back"


def test_redis_that_comes_later_than_we_has_the_old_calls(redis: Redis, daemon: Daemon) -> None:
    establish(daemon.alice, daemon.bob)
    daemon.turn()
    redis.is_away = True
    successor = Daemon(redis)
    assert len(successor.relay.calls) == 0
    redis.is_away = False
    successor.relay.wire.now += RETRY
    successor.turn()
    assert len(successor.relay.calls) == 1


def test_redis_is_looked_after_where_nothing_is_to_be_written(redis: Redis, daemon: Daemon) -> None:
    redis.is_away = True
    daemon.turn()
    assert daemon.memory.status == "0 calls in Redis"
    daemon.relay.wire.now += LOOK
    daemon.turn()
    assert daemon.memory.status.startswith("Redis away")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda text: text.replace("this boot", "another"), "it is of another boot"),
        (lambda text: text.replace('["l",1,', '["l",2,', 1), "another version left it"),
        (
            lambda text: text.replace(RELAY, "192.0.2.250"),
            "one of its ports is not free, or not ours any more",
        ),
        (lambda text: '["l",1,"this boot",null,["d"],["d"]]', "it is no call"),
        (lambda text: text[:-5], "JSONDecodeError"),
        (lambda text: "1", "another version left it"),
        (lambda text: text.replace('"media"', '"medium"'), "'Dialog' object has no attribute"),
    ],
)
def test_what_cannot_be_taken_over_is_told_and_forgotten(
    redis: Redis,
    daemon: Daemon,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[str], str],
    problem: str,
) -> None:
    establish(daemon.alice, daemon.bob)
    daemon.turn()
    redis.kept["call"] = spoil(redis.kept["call"])

    successor = Daemon(redis)

    assert successor.relay.is_idle
    assert redis.kept == {}
    assert problem in caplog.text


def test_a_port_that_somebody_else_has_costs_that_call_alone(redis: Redis, daemon: Daemon) -> None:
    establish(daemon.alice, daemon.bob)
    port = daemon.alice.told[0]
    daemon.relay.ask(command="offer", call_id="other", from_tag="x", sdp=daemon.alice.body())
    daemon.turn()
    successor = Daemon(Redis())
    successor.relay.wire.occupied.add((RELAY, port))

    successor.keeper.adopt(redis.kept)

    assert successor.relay.calls.call_ids() == ["other"]
    assert len(successor.relay.wire.bound) == 4
