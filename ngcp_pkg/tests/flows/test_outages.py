"""Databases that go away under load and come back: calls go on, nothing is lost, nobody restarts anything."""

from collections import Counter
from collections.abc import Callable

import pytest

from flows.phones import Call
from flows.whole import Node
from proxy.stores import DB

#: Seconds that it lasts; calls a second; seconds that each lasts.
OUTAGE, RATE, LENGTH = 60, 3, 2.5


@pytest.fixture
def node() -> Node:
    return Node()


def load(node: Node, seconds: int) -> list[Call]:
    """Let alice call bob again and again; each call is answered, and ended by one of them."""
    bob, alice = node.registered("bob", "192.0.2.20"), node.registered("alice", "192.0.2.10")
    calls: list[Call] = []

    def begin(number: int) -> None:
        call = alice.call("bob")
        calls.append(call)
        node.wire.at(node.wire.now + LENGTH, lambda: end(number, call))

    def end(number: int, call: Call) -> None:
        assert call.is_up
        callee = next(other for other in bob.calls if node.is_same(other, call))
        (call if number % 2 else callee).hang_up()

    for number in range(seconds * RATE):
        node.wire.at(node.wire.now + number / RATE, lambda number=number: begin(number))  # type: ignore[misc]
    return calls


def mariadb(node: Node, is_away: bool) -> None:
    node.directory.dead = node.table.dead = node.acc.dead = is_away


def redis(node: Node, is_away: bool) -> None:
    """A Redis that is killed has forgotten everything when it comes back."""
    node.redis.dead = is_away
    if is_away:
        node.redis.empty()


def redis_that_flaps(node: Node, is_away: bool) -> None:
    for second in range(0, OUTAGE * is_away, 7):
        node.wire.at(node.wire.now + second, lambda: redis(node, True))
        node.wire.at(node.wire.now + second + 1.5, lambda: redis(node, False))


@pytest.mark.parametrize("fail", [mariadb, redis, redis_that_flaps])
def test_outage_under_load(node: Node, fail: Callable[[Node, bool], None]) -> None:
    calls = load(node, OUTAGE + 20)
    node.wire.run(5.0)
    fail(node, True)
    node.wire.run(OUTAGE)
    fail(node, False)
    node.wire.run(9.0)
    counted = node.redis.counters
    assert counted["total"] == len(node.proxy.ledger) > RATE
    assert counted == node.proxy.ledger.counts

    node.wire.run(60.0)
    assert (node.redis.counters, node.redis.moved, dict(node.proxy.ledger.counts)) == ({}, {}, {})
    assert len(calls) == (OUTAGE + 20) * RATE
    assert all(call.is_ended and call.status == 200 for call in calls)
    stored = Counter((row.callid, row.method) for row in node.acc.rows.values())
    assert stored == {(call.call_id, method): 1 for call in calls for method in ("INVITE", "BYE")}
    assert not node.redis.hashes(DB.own).get("records")


def test_records_of_an_outage_of_mariadb_are_in_redis_meanwhile(node: Node) -> None:
    calls = load(node, 10)
    mariadb(node, True)
    node.wire.run(30.0)
    assert node.acc.rows == {}
    assert len(node.redis.hashes(DB.acc, "acc:entry::")) == 2 * len(calls)
    assert len(node.redis.hashes(DB.own)["records"]) == 2 * len(calls)
