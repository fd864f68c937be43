"""The ledger and a real Redis, which is killed, emptied and paused while calls come and go."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine

import pytest

from ngcp.proxy.archive import Archive
from ngcp.proxy.books import Books
from ngcp.proxy.ledger import Ledger, Terms
from ngcp.proxy.mirror import Mirror
from ngcp.sip.syntax import Request
from ngcp.state.layout import Databases
from ngcp.state.line import Line
from private_redis import RedisServer
from proxy import calls
from proxy.stores import MemoryAcc

DB = Databases()
USERS = [calls.user(f"user{number}", number % 3) for number in range(10)]


class Load:
    """A proxy's ledger under calls that begin, are answered and end at random."""

    def __init__(self, server: RedisServer, seed: int) -> None:
        self.server, self.random = server, random.Random(seed)
        self.now, self.number = 0.0, 0
        self.ringing: list[Request] = []
        self.up: list[Request] = []
        self.ended: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self.ledger = self.start()

    def start(self) -> Ledger:
        self.line = Line((self.server.socket, 0), DB.own, lambda: f"{self.random.random()}", 0.5)
        books = Books(Mirror(self.line, DB, self.spawn), Archive(MemoryAcc(), self.spawn))
        return Ledger(books, Terms(lambda: self.now, lambda: 1e9 + self.now, "<sip:127.0.0.1:5062;", 1e6))

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def run(self, steps: int) -> None:
        for _ in range(steps):
            self.step()
            if self.random.random() < 0.1:
                self.now += 0.3
                self.ledger.tick(self.now)
                await asyncio.sleep(0)

    def step(self) -> None:
        what = self.random.random()
        if what < 0.4 or not self.ringing:
            self.number += 1
            caller, callee = self.random.sample(USERS, 2)
            request = calls.invite(f"call{self.number}")
            assert self.ledger.admit(calls.call(caller, callee, request=request)) is None
            self.ringing.append(request)
        elif what < 0.8:
            request = self.ringing.pop(self.random.randrange(len(self.ringing)))
            status = self.random.choice([200, 200, 200, 486])
            self.ledger.hear(request, calls.answer(request, status))
            if status == 200:
                self.up.append(request)
        elif self.up:
            request = self.up.pop(self.random.randrange(len(self.up)))
            self.ledger.follow_request(calls.bye(request))
            self.ended.add(request.call_id)

    async def settle(self) -> None:
        """Let Redis have all the time it wants."""
        for _ in range(20):
            self.now += 6.0
            self.ledger.tick(self.now)
            while self.tasks:
                await asyncio.gather(*self.tasks)

    def assert_redis_is_right(self) -> None:
        ask, texts = self.server.ask, self.server.texts
        counted = {key: int(str(ask(DB.central, "GET", key))) for key in texts(DB.central, "KEYS", "*")}
        assert counted == self.ledger.counts
        assert counted.get("total", 0) == len(self.up) + len(self.ringing)
        moved: Counter[str] = Counter()
        for call_id in texts(DB.pair, "KEYS", "*"):
            moved.update(texts(DB.pair, "LRANGE", call_id, "0", "-1"))
        assert moved == self.ledger.counts


def under_load(server: RedisServer, disturb: Callable[[Load], None], seed: int) -> Load:
    async def main() -> Load:
        load = Load(server, seed)
        await load.ledger.settle()
        for _ in range(4):
            await load.run(100)
            disturb(load)
            await load.run(100)
            if not server.is_running:
                server.start()
            await load.run(50)
        await load.settle()
        load.assert_redis_is_right()
        await load.line.close()
        return load

    return asyncio.run(main())


def kill(load: Load) -> None:
    load.server.kill()


def empty(load: Load) -> None:
    load.server.connect(0).flushall()


def empty_one(load: Load) -> None:
    """An operator deletes counters; that is noticed when the whole is written anew."""
    load.server.connect(0).flushall()
    load.server.connect(DB.central).set("user:ghost", 7)


def another_writer(load: Load) -> None:
    load.server.connect(DB.own).set("ngcp:writer", "somebody else")


@pytest.mark.parametrize("disturb", [kill, empty, empty_one, another_writer])
def test_no_counter_drifts(redis_server: RedisServer, disturb: Callable[[Load], None]) -> None:
    under_load(redis_server, disturb, seed=1)


def test_every_record_reaches_redis(redis_server: RedisServer) -> None:
    load = under_load(redis_server, another_writer, seed=2)
    stops = redis_server.texts(DB.acc, "SMEMBERS", "acc:meth::BYE")
    assert {redis_server.ask(DB.acc, "HGET", key, "callid") for key in stops} == load.ended


def test_killed_proxy_finds_its_calls(redis_server: RedisServer) -> None:
    async def main() -> None:
        load = Load(redis_server, seed=3)
        await load.ledger.settle()
        await load.run(300)
        await load.settle()
        lost, load.ringing = load.ringing, []
        load.ledger = load.start()  # the old one still has its connection
        await load.settle()
        assert lost and load.up
        assert {live.call_id for live in load.ledger} == {request.call_id for request in load.up}
        load.assert_redis_is_right()
        await load.run(100)
        await load.settle()
        load.assert_redis_is_right()
        await load.line.close()

    asyncio.run(main())


def test_thousands_of_calls_are_written_anew(redis_server: RedisServer) -> None:
    async def main() -> None:
        load = Load(redis_server, seed=4)
        await load.ledger.settle()
        for number in range(500):
            caller, callee = (calls.user(f"{side}{number}", number) for side in ("a", "b"))
            request = calls.invite(f"call{number}")
            load.ledger.admit(calls.call(caller, callee, request=request))
            load.ringing.append(request)
        await load.settle()
        load.assert_redis_is_right()
        redis_server.connect(0).flushall()
        await load.settle()
        load.assert_redis_is_right()
        await load.line.close()

    asyncio.run(main())
