"""What operators see of calls, end of them, and repair of their counters (`dlg.*`, `dlgcnt.*`)."""

import asyncio

import pytest

from flows.attempts import RINGS
from flows.phones import Call, Phone
from flows.whole import Node
from ngcp.proxy.dialog_control import add_dialogs
from ngcp.proxy.passes import NET
from ngcp.service.commands import CommandError, CommandTable, Json
from proxy.stores import DB


@pytest.fixture
def node() -> Node:
    return Node()


def ask(node: Node, name: str, *arguments: Json) -> Json:
    table = CommandTable("kamailio-proxy")
    add_dialogs(table, node.proxy.ledger, lambda: 1_700_002_000.0, lambda: None)
    return asyncio.run(table.call(name, *arguments))


def call_bob(node: Node) -> tuple[Call, Phone]:
    bob = node.registered("bob", "192.0.2.20")
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)
    return call, bob


def test_a_call_is_shown_as_kamailio_shows_it(node: Node) -> None:
    call, _ = call_bob(node)
    (row,) = as_rows(ask(node, "dlg.list"))
    assert row == ask(node, "dlg.dlg_list", call.call_id)
    assert (row["call-id"], row["state"], row["h_id"]) == (call.call_id, 4, 1)
    assert (row["from_uri"], row["to_uri"]) == ("sip:alice@example.org", "sip:bob@example.org")
    assert int(str(row["timeout"])) == int(str(row["start_ts"])) + 21600 + NET
    caller, callee = row["caller"], row["callee"]
    assert isinstance(caller, dict) and isinstance(callee, dict)
    assert f"tag={caller['tag']}" in call.local and f"tag={callee['tag']}" in call.remote
    assert "127.0.0.1:5062" not in f"{caller['route_set']}{callee['route_set']}"


def as_rows(answer: Json) -> list[dict[str, Json]]:
    assert isinstance(answer, list)
    return [row for row in answer if isinstance(row, dict)]


def test_calls_in_a_few_words_with_whose_they_are(node: Node) -> None:
    call, _ = call_bob(node)
    (row,) = as_rows(ask(node, "dlg.briefing"))
    assert row == {key: value for key, value in as_rows(ask(node, "dlg.list"))[0].items() if key in row}
    counters = row["counters"]
    assert row["call-id"] == call.call_id and isinstance(counters, list)
    assert [key for key in counters if str(key).startswith("totaluser")] == [
        "totaluser:uuid-alice",
        "totaluserout:uuid-alice",
        "totaluser:uuid-bob",
    ]
    assert counters[0] == "total"


def test_counters_are_listed(node: Node) -> None:
    assert ask(node, "dlgcnt.list") == []
    call_bob(node)
    assert ask(node, "dlgcnt.list", "user") == [
        {"key": "user:uuid-alice", "calls": 1},
        {"key": "user:uuid-bob", "calls": 1},
        {"key": "userout:uuid-alice", "calls": 1},
    ]
    assert {"key": "total", "calls": 1} in as_rows(ask(node, "dlgcnt.list"))


def test_calls_are_counted_by_state(node: Node) -> None:
    call_bob(node)
    node.registered("carol", "192.0.2.30", script=RINGS)
    node.registered("alice", "192.0.2.11").call("carol")
    node.wire.run(1.0)
    counted = ask(node, "dlg.stats_active")
    assert counted == {"starting": 0, "connecting": 1, "answering": 0, "ongoing": 1, "all": 2}


@pytest.mark.parametrize("by", ["number", "call-id", "call-id and tag"])
def test_a_call_is_ended(node: Node, by: str) -> None:
    call, bob = call_bob(node)
    (row,) = as_rows(ask(node, "dlg.list"))
    caller = row["caller"]
    assert isinstance(caller, dict)
    if by == "number":
        ask(node, "dlg.end_dlg", row["h_entry"], row["h_id"])
    else:
        tags = (caller["tag"],) if by == "call-id and tag" else ()
        ask(node, "dlg.terminate_dlg", call.call_id, *tags)
    node.wire.run(1.0)
    assert call.is_ended and bob.calls[0].is_ended
    assert ask(node, "dlg.list") == []


@pytest.mark.parametrize(
    ("command", "arguments"),
    [("dlg.end_dlg", (1, 1)), ("dlg.terminate_dlg", ("nobody's",)), ("dlg.dlg_list", ("nobody's",))],
)
def test_a_call_that_is_not_there(node: Node, command: str, arguments: tuple[Json, ...]) -> None:
    with pytest.raises(CommandError, match="no call has") as refused:
        ask(node, command, *arguments)
    assert refused.value.code == 404


def test_a_call_of_another_tag(node: Node) -> None:
    call, _ = call_bob(node)
    with pytest.raises(CommandError, match="and tag wrong"):
        ask(node, "dlg.terminate_dlg", call.call_id, "wrong")


def test_a_call_that_rings_cannot_be_ended(node: Node) -> None:
    node.registered("bob", "192.0.2.20", script=RINGS)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(1.0)
    with pytest.raises(CommandError, match="not answered yet"):
        ask(node, "dlg.terminate_dlg", call.call_id)


def test_counters_are_right(node: Node) -> None:
    call_bob(node)
    assert ask(node, "dlgcnt.check") == []
    assert ask(node, "dlgcnt.get", "total") == 1
    assert ask(node, "dlgcnt.get", "user:nobody") == 0


def test_wrong_counters_are_shown_and_put_right(node: Node) -> None:
    call, _ = call_bob(node)
    right = node.redis.counters
    node.redis.databases[DB.central] |= {"total": "7", "user:ghost": "1", "fu;tu;ru": "1"}
    del node.redis.databases[DB.central]["userout:uuid-alice"]
    node.redis.databases[DB.pair]["ghost"] = ["user:ghost"]
    wrong = [
        {"key": "call:ghost", "right": 0, "found": 1},
        {"key": "total", "right": 1, "found": 7},
        {"key": "user:ghost", "right": 0, "found": 1},
        {"key": "userout:uuid-alice", "right": 1, "found": 0},
    ]
    assert ask(node, "dlgcnt.check") == wrong
    assert ask(node, "dlgcnt.clean") == wrong
    assert ask(node, "dlgcnt.check") == []
    assert node.redis.counters == right | {"fu;tu;ru": 1}
    assert set(node.redis.moved) == {call.call_id}


def test_redis_is_away(node: Node) -> None:
    call_bob(node)
    node.redis.dead = True
    for command in ("dlgcnt.check", "dlgcnt.clean"):
        with pytest.raises(CommandError, match="Redis") as refused:
            ask(node, command)
        assert refused.value.code == 503
