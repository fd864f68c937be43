"""Whatever happens, in whatever order: counters are those of the calls there are, records are complete.

The model knows calls only; it counts them anew for every comparison.
"""

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from ngcp.proxy.archive import Archive
from ngcp.proxy.books import Books
from ngcp.proxy.call import Call
from ngcp.proxy.ledger import Ledger, Terms
from ngcp.proxy.livecall import LiveCall
from ngcp.proxy.mirror import Mirror
from ngcp.state.layout import Databases
from proxy import calls
from proxy.doors import run_now
from proxy.stores import DB, MemoryAcc, MemoryRedis, MemoryRedisLine

LIMIT = 2
USERS = {name: calls.user(name, 1 + "abc".index(name) // 2, concurrent_max=LIMIT) for name in "abc"}
LONGEST = 600.0


class Crashes(RuleBasedStateMachine):
    """A ledger, its stores, and the end of each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.number = 1_000_000.0, 0
        self.redis, self.acc = MemoryRedis(), MemoryAcc()
        self.ringing: dict[str, tuple[Call, str, str]] = {}
        self.up: dict[str, tuple[Call, str, str]] = {}
        self.ends: dict[str, float] = {}
        self.records: Counter[tuple[str, str]] = Counter()
        self.hung_up: list[str] = []
        self.start()

    def start(self) -> None:
        mirror = Mirror(MemoryRedisLine(self.redis), Databases(), run_now)
        books = Books(mirror, Archive(self.acc, run_now))
        clock = Terms(lambda: self.now, lambda: self.now, "<sip:127.0.0.1:5062;", LONGEST)
        self.ledger = Ledger(books, clock)
        self.ledger.hang_up = self.note_hang_up
        self.look()

    def note_hang_up(self, live: LiveCall) -> None:
        self.hung_up.append(live.call_id)

    def look(self) -> None:
        """Let the stores be looked after, as the timer does."""
        for _ in range(2):
            self.now += 6.0
            self.expire()
            self.ledger.tick(self.now)

    def expire(self) -> None:
        for name in [name for name, end in self.ends.items() if end <= self.now + 0.001]:
            self.close(name)

    def close(self, name: str) -> None:
        del self.up[name], self.ends[name]
        self.records[name, "BYE"] += 1

    # What calls do

    @rule(caller=st.sampled_from("abc"), callee=st.sampled_from("abc"))
    def calls(self, caller: str, callee: str) -> None:
        self.number += 1
        name = f"call{self.number}"
        call = calls.call(USERS[caller], USERS[callee], request=calls.invite(name))
        refusal = self.ledger.admit(call)
        has_room = all(self.count(user) + more <= LIMIT for user, more in self.more(caller, callee).items())
        assert (refusal is None) == has_room
        if refusal is None:
            self.ringing[name] = call, caller, callee
        else:
            self.ledger.refuse(call.request, 486, "Busy")
            self.records[name, "INVITE"] += 1

    def count(self, user: str) -> int:
        return sum(user in ends for _, *ends in (*self.ringing.values(), *self.up.values()))

    @staticmethod
    def more(caller: str, callee: str) -> dict[str, int]:
        return dict.fromkeys((caller, callee), 1)

    @precondition(lambda self: self.ringing)
    @rule(data=st.data())
    def answered(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.ringing)))
        entry = self.ringing.pop(name)
        self.ledger.hear(entry[0].request, calls.answer(entry[0].request))
        self.up[name], self.ends[name] = entry, self.now + LONGEST
        self.records[name, "INVITE"] += 1

    @precondition(lambda self: self.ringing)
    @rule(data=st.data(), status=st.sampled_from([408, 480, 486, 487, 603]))
    def failed(self, data: st.DataObject, status: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.ringing)))
        request = self.ringing.pop(name)[0].request
        self.ledger.hear(request, calls.answer(request, status))
        self.ledger.note_end(request)
        self.records[name, "INVITE"] += 1

    @precondition(lambda self: self.ringing)
    @rule(data=st.data(), callee=st.sampled_from("abc"))
    def tries_another(self, data: st.DataObject, callee: str) -> None:
        """A forked or hunted call goes on to somebody else, if he has room."""
        name = data.draw(st.sampled_from(sorted(self.ringing)))
        call, caller, before = self.ringing.pop(name)
        call.callee = calls.party(USERS[callee], call.platform)
        has_room = callee in (caller, before) or self.count(callee) < LIMIT
        assert (self.ledger.admit(call) is None) == has_room
        self.ringing[name] = call, caller, callee if has_room else before

    @precondition(lambda self: self.up)
    @rule(data=st.data(), by_callee=st.booleans(), copies=st.integers(1, 2))
    def hangs_up(self, data: st.DataObject, by_callee: bool, copies: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.up)))
        request = self.up[name][0].request
        for _ in range(copies):
            self.ledger.follow_request(calls.bye(request, by_callee=by_callee))
        self.close(name)

    @rule(seconds=st.sampled_from([1.0, 30.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.expire()
        self.ledger.tick(self.now)

    # What dies

    @rule(is_dead=st.booleans())
    def redis_dies_or_comes(self, is_dead: bool) -> None:
        self.redis.dead = is_dead

    @rule()
    def redis_is_emptied(self) -> None:
        self.redis.empty()

    @rule(is_dead=st.booleans())
    def database_dies_or_comes(self, is_dead: bool) -> None:
        self.acc.dead = is_dead

    @precondition(lambda self: not self.redis.dead)
    @rule()
    def proxy_is_killed(self) -> None:
        """What it and Redis had is lost where both die at once; so here Redis has had a moment."""
        self.look()
        for name in self.ringing:
            self.records[name, "INVITE"] += 1
        self.ringing.clear()
        self.start()

    # What must be

    def expected(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for _, caller, callee in (*self.ringing.values(), *self.up.values()):
            counts["total"] += 1
            users = {caller, callee}
            accounts = {USERS[user].account_id for user in users}
            for scope in ("", "total"):
                counts.update(f"{scope}user:{user}" for user in users)
                counts.update(f"{scope}account:{account}" for account in accounts)
                counts[f"{scope}userout:{caller}"] += 1
                counts[f"{scope}accountout:{USERS[caller].account_id}"] += 1
        return counts

    @invariant()
    def memory_is_right(self) -> None:
        assert self.ledger.counts == self.expected()
        assert {live.call_id for live in self.ledger} == {*self.ringing, *self.up}

    def teardown(self) -> None:
        """When all are back, all is as it must be."""
        self.redis.dead = self.acc.dead = False
        self.look()
        assert self.redis.counters == self.expected()
        assert set(self.redis.moved) == {*self.ringing, *self.up}
        assert Counter((row.callid, row.method) for row in self.acc.rows.values()) == self.records
        assert not self.redis.hashes(DB.own).get("records")


TestCrashes = Crashes.TestCase
TestCrashes.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
