"""The book of calls, where a flow would be long for what is asked."""

import json
from collections.abc import Coroutine, Sequence

import pytest

from ngcp.proxy.archive import Archive
from ngcp.proxy.books import Books
from ngcp.proxy.ledger import Ledger, Refusal, Terms
from ngcp.proxy.legs import Place
from ngcp.proxy.mirror import WAITING, Change, Mirror
from ngcp.state.layout import Databases
from ngcp.state.line import Command
from proxy import calls
from proxy.doors import run_now
from proxy.stores import DB, MemoryAcc, MemoryRedis, MemoryRedisLine

ALICE, BOB = calls.user("alice"), calls.user("bob")


class Desk:
    """A ledger over stores in memory, and a clock to turn."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.step = 0.0
        """Seconds by which somebody set the wall clock."""
        self.redis, self.acc = MemoryRedis(), MemoryAcc()
        self.hung_up: list[str] = []
        self.open()

    def open(self) -> Ledger:
        self.mirror = Mirror(MemoryRedisLine(self.redis), DB, run_now)
        clock = Terms(lambda: self.now, lambda: self.now + self.step, "<sip:127.0.0.1:5062;", 600.0)
        self.ledger = Ledger(Books(self.mirror, Archive(self.acc, run_now)), clock)
        self.ledger.hang_up = lambda live: self.hung_up.append(live.call_id)
        run_now(self.ledger.settle())
        return self.ledger


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_emergency_calls_are_counted_but_not_limited(desk: Desk) -> None:
    given = calls.call(calls.user("alice", concurrent_max=0), BOB)
    assert desk.ledger.admit(given) == Refusal(Place.CALLER, "user:alice")
    given.is_emergency = True
    assert desk.ledger.admit(given) is None
    assert desk.ledger.counts["user:alice"] == 1


def test_peers_are_limited_also_for_emergency_calls(desk: Desk) -> None:
    """The next one may have a line free."""
    given = calls.call(ALICE, calls.peer(5, concurrent_max_out=0))
    given.is_emergency = True
    assert desk.ledger.admit(given) == Refusal(Place.PEER, "peerout:5")


@pytest.mark.parametrize("tag", ["a-c1", "other"])
def test_repeated_call_id_gets_no_call_for_nothing(desk: Desk, tag: str) -> None:
    first, second = calls.invite(), calls.invite()
    second.set("From", f"<sip:alice@example.org>;tag={tag}")
    for request in (first, second):
        assert desk.ledger.admit(calls.call(ALICE, BOB, request=request)) is None
        desk.ledger.hear(request, calls.answer(request))
    assert desk.ledger.counts["total"] == 2
    desk.ledger.follow_request(calls.bye(second))
    desk.ledger.follow_request(calls.bye(first))
    desk.now += 600.0
    desk.ledger.tick(desk.now)
    assert desk.ledger.counts == {}


def test_other_requests_are_no_calls(desk: Desk) -> None:
    request = calls.invite()
    request.method = "MESSAGE"
    assert desk.ledger.admit(calls.call(ALICE, BOB, request=request)) is None
    assert len(desk.ledger) == 0


def test_second_answer_of_a_fork_changes_nothing(desk: Desk) -> None:
    request = calls.invite()
    desk.ledger.admit(calls.call(ALICE, BOB, request=request))
    desk.ledger.hear(request, calls.answer(request))
    desk.ledger.hear(request, calls.answer(request, tag="fork"))
    desk.ledger.follow_request(calls.bye(request, tag="fork"))
    assert [live.callee.tag for live in desk.ledger] == ["b"]


def test_what_was_kept_and_cannot_be_read_is_passed_over(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    request = calls.invite()
    desk.ledger.admit(calls.call(ALICE, BOB, request=request))
    desk.ledger.hear(request, calls.answer(request))
    desk.redis.databases[DB.own]["records"] = {"x": "no record"}
    kept = desk.redis.hashes(DB.own)["calls"]
    kept["other"] = "no call"
    kept["future"] = json.dumps(json.loads(kept["c1"]) | {"unknown": 1})
    assert [live.name for live in desk.open()] == ["c1"]
    assert caplog.text.count("cannot be read") == 3


@pytest.mark.parametrize("step", [-3600.0, 0.0, 3600.0], ids=["back", "not", "forward"])
def test_a_clock_that_is_set_makes_no_call_longer_or_shorter(desk: Desk, step: float) -> None:
    request = calls.invite()
    desk.ledger.admit(calls.call(ALICE, BOB, request=request))
    desk.ledger.hear(request, calls.answer(request))
    desk.now, desk.step = desk.now + 60.5, step
    desk.ledger.follow_request(calls.bye(request))
    began, ended = (float(row.time_hires) for row in desk.acc.rows.values())
    assert ended - began == 60.5


def test_a_clock_set_back_while_the_proxy_was_down_makes_no_negative_duration(desk: Desk) -> None:
    request = calls.invite()
    desk.ledger.admit(calls.call(ALICE, BOB, request=request))
    desk.ledger.hear(request, calls.answer(request))
    desk.now, desk.step = desk.now + 60.5, -3600.0
    desk.open()
    desk.ledger.follow_request(calls.bye(request))
    began, ended = (float(row.time_hires) for row in desk.acc.rows.values())
    assert ended == began


def test_deadlines_of_calls_that_are_over_are_forgotten(desk: Desk) -> None:
    for number in range(3000):
        request = calls.invite(f"call{number}")
        desk.ledger.admit(calls.call(ALICE, BOB, request=request))
        desk.ledger.hear(request, calls.answer(request))
        desk.ledger.follow_request(calls.bye(request))
    assert len(desk.ledger._deadlines) < 1100


def test_status_tells_what_is_away(desk: Desk) -> None:
    assert desk.ledger.status == "0 calls"
    desk.redis.dead = desk.acc.dead = True
    request = calls.invite()
    desk.ledger.admit(calls.call(ALICE, BOB, request=request))
    desk.ledger.refuse(request, 486, "Busy")
    assert desk.ledger.status == "0 calls; Redis is away; 1 call records wait for MariaDB"


def test_timer_is_due_with_the_next_call_to_end(desk: Desk) -> None:
    request = calls.invite()
    desk.ledger.tick(desk.now)
    desk.ledger.admit(calls.call(calls.user("a", max_call_duration=3), BOB, request=request))
    desk.ledger.hear(request, calls.answer(request))
    assert desk.ledger.due == desk.now + 3
    desk.now += 3
    desk.ledger.tick(desk.now)
    assert desk.hung_up == ["c1"]


def test_redis_that_is_too_slow_gets_the_picture_later() -> None:
    waiting: list[Coroutine[None, None, None]] = []
    redis = MemoryRedis()

    class Source:
        def adopt(self, calls: Sequence[str], records: Sequence[str]) -> None:
            """Nothing is there."""

        def picture(self) -> list[Change]:
            return [Change([(3, "MSET", "total", "9")])]

    mirror = Mirror(MemoryRedisLine(redis), Databases(), waiting.append)
    mirror.source = Source()
    run_now(mirror.work())
    command: Command = (3, "MSET", "total", "1")
    mirror.write(Change([command] * WAITING))
    assert not mirror.is_away
    mirror.write(Change([command]))
    assert mirror.is_away
    run_now(waiting.pop())
    assert redis.counters == {"total": 9}


def test_mistake_in_a_command_does_not_stop_the_mirror(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.mirror.write(Change([(3, "NOSUCH", "x")]))
    assert desk.mirror.is_away
    desk.ledger.tick(desk.now + 10)
    assert not desk.mirror.is_away
    assert "what Redis was to be told" in caplog.text
