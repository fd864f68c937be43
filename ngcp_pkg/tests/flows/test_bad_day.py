"""MariaDB is away for a minute while 20 calls a second are made."""

from flows.attempts import ANSWERS, IS_BUSY, Attempt
from flows.phones import Call, Phone
from flows.whole import Node

AWAY = 60
RATE = 20
#: What a phone is told that registers meanwhile.
REFUSED = 503, "20"


def answer(node: Node, attempt: Attempt) -> int:
    assert node.wire.run_until(lambda: attempt.is_over)
    assert attempt.status is not None
    return attempt.status


def hang_up(caller: Phone) -> None:
    for call in [call for call in caller.calls if call.is_up]:
        call.hang_up()


def call_all_the_time(node: Node, caller: Phone, callees: list[Phone]) -> list[Call]:
    """Let the caller call for a minute, the last callee once a second; whoever answered is hung up on.

    That one refreshes a short registration meanwhile, and is refused.
    """
    calls: list[Call] = []
    refused: list[Attempt] = []
    for number in range(AWAY * RATE):
        if number % (30 * RATE) == 0:
            refused.append(callees[-1].register(60))
        calls.append(caller.call(callees[-1 if number % RATE == 0 else 0].user))
        node.wire.run(1 / RATE)
        hang_up(caller)
        for phone in (caller, *callees):
            phone.calls = [call for call in phone.calls if not call.is_ended]
    node.wire.run(5.0)
    hang_up(caller)
    node.wire.run(1.0)
    assert [(one.status, one.final and one.final.get("Retry-After")) for one in refused] == [REFUSED] * 2
    return calls


def test_mariadb_is_away_for_a_minute_under_20_calls_a_second() -> None:
    node = Node(memory_lifetime=20.0)
    alice = node.registered("alice", "192.0.2.10")
    bob = node.registered("bob", "192.0.2.20", script=IS_BUSY)
    carol = node.phone("carol", "192.0.2.30", script=ANSWERS)
    assert answer(node, carol.register(60)) == 200  # that ends while MariaDB is away
    node.directory.add("dave")
    dave = node.phone("dave", "192.0.2.40")

    node.directory.dead = node.table.dead = node.acc.dead = True
    new = dave.register()
    calls = call_all_the_time(node, alice, [bob, carol])

    assert new.status == 503, "nothing is promised"
    assert [call.status for call in calls] == ([200] + [486] * (RATE - 1)) * AWAY

    node.directory.dead = node.table.dead = node.acc.dead = False
    assert [answer(node, phone.register(60)) for phone in (carol, dave)] == [200, 200]
    assert sorted(row.username for row in node.table.rows.values()) == ["alice", "bob", "carol", "dave"]
    node.wire.run(30.0)
    recorded = [(row.method, row.callid) for row in node.acc.rows.values()]
    assert {call.call_id for call in calls} == {call_id for method, call_id in recorded if method == "INVITE"}
    assert sum(method == "BYE" for method, _ in recorded) == AWAY
