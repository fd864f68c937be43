"""What is known of calls while they live, and what is left when they are over: counters, dialogs, records."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from flows.attempts import ANSWERS, IS_BUSY, IS_DEAD, RINGS, SDP, Script
from flows.phones import Call, Phone
from flows.whole import EDGE, UNIX_EPOCH_OF_WIRE, Node
from ngcp.provisioning.runtime import Destination, Forward, Peer, PeerGroup, PeerRule, Preferences
from ngcp.proxy.livecall import LiveCall, Stage
from proxy.stores import DB

#: What a call from alice to bob moves.
COUNTED = {
    "total": 1,
    "user:uuid-alice": 1,
    "userout:uuid-alice": 1,
    "totaluser:uuid-alice": 1,
    "totaluserout:uuid-alice": 1,
    "user:uuid-bob": 1,
    "totaluser:uuid-bob": 1,
}


@pytest.fixture
def node() -> Node:
    return Node()


def call_bob(node: Node, script: Script = ANSWERS) -> tuple[Call, Phone]:
    bob = node.registered("bob", "192.0.2.20", script=script)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)
    return call, bob


def prefer(node: Node, user: str, **preferences: object) -> None:
    """Set preferences of a subscriber."""
    layer = {name: (str(value),) for name, value in preferences.items()}
    node.directory.accounts[user] = replace(node.directory.accounts[user], preferences=layer)


def assert_nothing_is_counted(node: Node) -> None:
    assert (dict(node.proxy.ledger.counts), len(node.proxy.ledger), len(node.proxy.passes)) == ({}, 0, 0)
    assert (node.redis.counters, node.redis.moved) == ({}, {})
    assert not any(node.redis.hashes(DB.own).values())


# Counters


def test_call_is_counted_while_it_lives(node: Node) -> None:
    call, _ = call_bob(node)
    assert call.is_up
    assert node.redis.counters == COUNTED
    assert set(node.redis.moved[call.call_id]) == set(COUNTED)


def test_call_is_counted_while_it_rings(node: Node) -> None:
    call_bob(node, RINGS)
    assert node.redis.counters == COUNTED


def ends_by_caller(call: Call, bob: Phone) -> None:
    call.hang_up()


def ends_by_callee(call: Call, bob: Phone) -> None:
    bob.calls[0].hang_up()


def ends_by_both(call: Call, bob: Phone) -> None:
    call.hang_up()
    bob.calls[0].hang_up()


def ends_twice(call: Call, bob: Phone) -> None:
    call.hang_up()
    call.hang_up()


@pytest.mark.parametrize("end", [ends_by_caller, ends_by_callee, ends_by_both, ends_twice])
def test_answered_call_ends(node: Node, end: Callable[[Call, Phone], None]) -> None:
    call, bob = call_bob(node)
    end(call, bob)
    node.wire.run(5.0)
    assert_nothing_is_counted(node)
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]


@pytest.mark.parametrize(("dead", "sound"), [(False, {"avg_score": 4.2}), (True, None)])
def test_record_of_the_end_says_how_it_sounded(
    node: Node, dead: bool, sound: dict[str, float] | None
) -> None:
    """As far as the media relay knows; a record does not wait for a relay that is gone."""
    for score, loss in ((43, 0), (41, 3)):
        node.relay.scores.append(
            {"MOS": score, "packet loss": loss, "jitter": 4, "round-trip time": 90_000, "samples": 3}
        )
    call, _ = call_bob(node)
    node.relay.dead = dead
    call.hang_up()
    node.wire.run(5.0)

    stop = next(row for row in node.acc.rows.values() if row.method == "BYE")
    expected = {"mos": {"avg_packetloss": 1.5, "avg_jitter": 4.0, "avg_rtt": 90.0, **sound}} if sound else {}
    assert json.loads(stop.dst_leg) == expected


@pytest.mark.parametrize(
    ("script", "seconds", "status"), [(IS_BUSY, 0.0, "486"), (IS_DEAD, 60.0, "408"), (RINGS, 70.0, "408")]
)
def test_failed_call_ends(node: Node, script: Script, seconds: float, status: str) -> None:
    call_bob(node, script)
    node.wire.run(seconds)
    assert_nothing_is_counted(node)
    assert node.acc.log == [("INVITE", status)]


def test_caller_cancels(node: Node) -> None:
    call, _ = call_bob(node, RINGS)
    call.cancel()
    node.wire.run(1.0)
    assert_nothing_is_counted(node)
    assert node.acc.log == [("INVITE", "487")]


def test_caller_cancels_while_the_callee_answers(node: Node) -> None:
    """§9.1: the call is up, and counted, until the BYE that the caller then sends."""
    bob = node.registered("bob", "192.0.2.20", script=ANSWERS)
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run_until(lambda: bool(bob.calls) and bob.calls[0].status == 200)
    call.cancel()
    node.wire.run(3.0)
    assert call.is_up
    assert node.redis.counters == COUNTED
    call.hang_up()
    node.wire.run(1.0)
    assert_nothing_is_counted(node)


def test_media_relay_refuses(node: Node) -> None:
    node.relay.dead = True
    call_bob(node)
    assert_nothing_is_counted(node)
    assert node.acc.log == [("INVITE", "503")]


def test_call_has_gone_too_far(node: Node) -> None:
    """§16.3: refused by the engine, after the corridor let it pass."""
    node.registered("bob", "192.0.2.20")
    alice = node.registered("alice", "192.0.2.10")
    alice.hops = 2  # one is for the load-balancer
    call = alice.call("bob")
    node.wire.run(3.0)
    assert call.status == 483
    assert_nothing_is_counted(node)


def test_reinvite_counts_nothing(node: Node) -> None:
    call, _ = call_bob(node)
    call.request("INVITE", SDP)
    node.wire.run(1.0)
    assert node.redis.counters == COUNTED


def test_forked_call_is_one_call(node: Node) -> None:
    node.registered("bob", "192.0.2.21", script=RINGS)
    call, _ = call_bob(node)
    assert node.redis.counters == COUNTED
    call.hang_up()
    node.wire.run(1.0)
    assert_nothing_is_counted(node)


def test_unanswered_challenge_counts_nothing(node: Node) -> None:
    node.registered("bob", "192.0.2.20")
    node.phone("mallory", "192.0.2.66").call("bob")
    node.wire.run(40.0)
    assert_nothing_is_counted(node)
    assert node.acc.log == []


# Limits


def test_caller_has_too_many_calls(node: Node) -> None:
    prefer(node, "alice", concurrent_max=1)
    call_bob(node)
    second = node.registered("alice", "192.0.2.11").call("bob")
    node.wire.run(3.0)
    assert second.attempt is not None and second.attempt.final is not None
    assert (second.status, second.attempt.final.reason) == (403, "Maximum parallel calls exceeded")
    assert node.redis.counters == COUNTED
    assert node.acc.log[-1] == ("INVITE", "403")


def test_callee_has_too_many_calls(node: Node) -> None:
    prefer(node, "bob", concurrent_max_in=1)
    _, bob = call_bob(node)
    second = node.registered("carol", "192.0.2.30").call("bob")
    node.wire.run(3.0)
    assert second.attempt is not None and second.attempt.final is not None
    assert (second.status, second.attempt.final.reason) == (486, "Busy")
    assert len(bob.calls) == 1
    assert node.redis.counters == COUNTED


def test_limit_is_free_again_when_a_call_is_over(node: Node) -> None:
    prefer(node, "alice", concurrent_max_out=1)
    call, _ = call_bob(node)
    call.hang_up()
    node.wire.run(1.0)
    second = call.phone.call("bob")
    node.wire.run(3.0)
    assert second.is_up


# Redis


def test_calls_go_on_while_redis_is_away_and_are_counted(node: Node) -> None:
    prefer(node, "alice", concurrent_max=1)
    node.redis.dead = True
    call, _ = call_bob(node)
    refused = call.phone.call("bob")
    node.wire.run(3.0)
    assert (call.is_up, refused.status) == (True, 403)
    node.redis.dead = False
    node.wire.run(6.0)
    assert node.redis.counters == COUNTED
    assert [key.split(":")[-1] for key in node.redis.hashes(DB.acc, "acc:entry::")] == ["0", "0"]


@pytest.mark.parametrize("is_noticed_by", ["the next look", "the next call"])
def test_redis_is_emptied(node: Node, is_noticed_by: str) -> None:
    call, _ = call_bob(node)
    node.redis.empty()
    if is_noticed_by == "the next call":
        second = node.registered("carol", "192.0.2.30").call("alice")
        node.wire.run(1.0)
        second.cancel()
    node.wire.run(10.0)
    assert node.redis.counters == COUNTED
    call.hang_up()
    node.wire.run(1.0)
    assert_nothing_is_counted(node)


def test_call_that_ends_while_redis_is_away(node: Node) -> None:
    call, _ = call_bob(node)
    node.redis.dead = True
    call.hang_up()
    node.wire.run(20.0)
    node.redis.dead = False
    node.wire.run(10.0)
    assert_nothing_is_counted(node)


# A proxy that starts again


def test_proxy_that_starts_again_knows_its_calls(node: Node) -> None:
    call, bob = call_bob(node)
    node.restart_proxy()
    node.wire.run(1.0)
    assert node.redis.counters == COUNTED
    call.hang_up()
    node.wire.run(1.0)
    assert bob.calls[0].is_ended
    assert_nothing_is_counted(node)
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]


def test_call_that_rang_when_the_proxy_died(node: Node) -> None:
    call_bob(node, RINGS)
    node.restart_proxy()
    node.wire.run(1.0)
    assert_nothing_is_counted(node)
    assert node.acc.log == [("INVITE", "408")]


def test_call_that_ends_before_redis_is_back(node: Node) -> None:
    """It does not rise from the dead when the proxy reads what it left."""
    call, _ = call_bob(node)
    node.redis.dead = True
    node.restart_proxy()
    call.hang_up()
    node.wire.run(3.0)
    node.redis.dead = False
    node.wire.run(3.0)
    assert_nothing_is_counted(node)
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]


def test_bye_of_a_call_that_nobody_remembers_leaves_its_record(node: Node) -> None:
    call, _ = call_bob(node)
    node.redis.empty()
    node.restart_proxy()
    call.hang_up()
    node.wire.run(1.0)
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]


# Ends that nobody asked for


def terminated(node: Node, call: Call, bob: Phone) -> bool:
    """Whether the call was ended for both, and for everybody else who knew of it."""
    assert_nothing_is_counted(node)
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]
    assert node.relay.log[-1][0] == "delete"
    return call.is_ended and bob.calls[0].is_ended


def test_lost_bye_ends_with_the_longest_duration(node: Node) -> None:
    node.max_call_duration = 600.0
    node.restart_proxy()
    call, bob = call_bob(node)
    node.wire.run(590.0)
    assert call.is_up
    node.wire.run(20.0)
    assert terminated(node, call, bob)


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_duration_that_a_subscriber_is_allowed(node: Node, user: str) -> None:
    prefer(node, user, max_call_duration=60)
    call, bob = call_bob(node)
    node.wire.run(70.0)
    assert terminated(node, call, bob)


def test_session_that_nobody_refreshes(node: Node) -> None:
    """RFC 4028 §10."""
    bob = node.registered("bob", "192.0.2.20")
    bob.session_expires = 90
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(3.0)
    node.wire.run(80.0)
    assert call.is_up
    call.request("INVITE", SDP)
    node.wire.run(110.0)
    assert call.is_up
    node.wire.run(30.0)
    assert terminated(node, call, bob)


@pytest.mark.parametrize("is_new", [False, True], ids=["same proxy", "proxy that started again"])
def test_operator_ends_a_call(node: Node, is_new: bool) -> None:
    call, bob = call_bob(node)
    bob.calls[0].request("INVITE", SDP)
    node.wire.run(1.0)
    if is_new:
        node.restart_proxy()
        node.wire.run(1.0)
    (live,) = node.proxy.ledger
    node.proxy.ledger.terminate(live)
    node.wire.run(2.0)
    assert terminated(node, call, bob)


# Dialogs


def test_dialog_is_kept(node: Node) -> None:
    call, _ = call_bob(node)
    (text,) = node.redis.hashes(DB.own)["calls"].values()
    live = LiveCall.read(text)
    assert (live.stage, live.call_id, live.uri) == (Stage.CONFIRMED, call.call_id, "sip:bob@example.org")
    assert live.caller.value == call.local
    assert live.callee.value == call.remote
    assert live.answered - live.began < 3.0


# Records


def test_record_tells_who_called_whom(node: Node) -> None:
    bob = node.registered("bob", "192.0.2.20")
    call = node.registered("alice", "192.0.2.10").call("4311002")
    node.wire.run(3.0)
    call.hang_up()
    node.wire.run(1.0)
    start, stop = node.acc.rows.values()
    assert (start.callid, stop.callid) == (call.call_id, call.call_id)
    assert (start.src_user, start.src_domain) == ("alice", "example.org")
    assert (start.dst_user, start.dst_ouser, start.dst_domain) == ("bob", "4311002", "example.org")
    assert (start.from_tag, start.to_tag) == (stop.from_tag, stop.to_tag)
    assert 0 < float(stop.time_hires) - float(start.time_hires) < 4
    source, destination = json.loads(start.src_leg), json.loads(start.dst_leg)
    assert (source["uuid"], source["ip"], source["s"]) == ("uuid-alice", "192.0.2.10", "call")
    assert source["t"] > UNIX_EPOCH_OF_WIRE
    assert (destination["uuid"], destination["dialed"], destination["lcr"]) == ("uuid-bob", "4311002", 0)
    assert bob.calls[0].is_ended


def test_record_is_in_redis_with_its_indexes(node: Node) -> None:
    call, _ = call_bob(node)
    (key,) = node.redis.hashes(DB.acc)
    (row,) = node.acc.rows.values()
    assert key == f"acc:entry::{call.call_id}:{row.time_hires}:0"
    assert node.redis.hashes(DB.acc)[key] == row._asdict()
    indexes = {name: kept for name, kept in node.redis.databases[DB.acc].items() if isinstance(kept, set)}
    assert indexes == {
        f"acc:cid::{call.call_id}": {key},
        "acc:meth::INVITE": {key},
        "acc::index::cid": {f"acc:cid::{call.call_id}"},
        "acc::index::meth": {"acc:meth::INVITE"},
    }


@pytest.mark.parametrize("restarts", [False, True], ids=["", "and the proxy is killed"])
def test_records_wait_for_the_database(node: Node, restarts: bool) -> None:
    node.acc.dead = True
    call, _ = call_bob(node)
    call.hang_up()
    node.wire.run(60.0)
    assert (node.acc.log, len(node.redis.hashes(DB.own)["records"])) == ([], 2)
    if restarts:
        node.restart_proxy()
        node.wire.run(1.0)
    node.acc.dead = False
    node.wire.run(10.0)
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]
    assert node.redis.hashes(DB.own)["records"] == {}


def test_records_wait_for_redis(node: Node) -> None:
    node.redis.dead = True
    call, _ = call_bob(node)
    call.hang_up()
    node.wire.run(60.0)
    node.redis.dead = False
    node.wire.run(10.0)
    assert {entry["method"] for entry in node.redis.hashes(DB.acc).values()} == {"INVITE", "BYE"}


def test_callee_offline_leaves_a_record(node: Node) -> None:
    node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(1.0)
    assert node.acc.log == [("INVITE", "480")]


# Forwards and peers


def peers(node: Node, *limits: int | None) -> list[Phone]:
    """Provision peers, each with so many calls at a time; they are asked in this order."""
    made = [
        Peer(
            number,
            f"peer{number}",
            f"203.0.113.{number}",
            5060,
            preferences=Preferences(({} if most is None else {"concurrent_max_out": (str(most),)},)),
        )
        for number, most in enumerate(limits, 1)
    ]
    groups = tuple(
        PeerGroup(one.id, one.name, one.id, 1, rules=(PeerRule(),), inbound_rules=(), peers=(one,))
        for one in made
    )
    node.directory.shared = replace(node.directory.shared, peer_groups=groups)
    node.restart_proxy()
    return [Phone(node.wire, one.name, (one.ip, 5060), EDGE) for one in made]


def test_peer_that_has_too_many_calls_is_passed_over(node: Node) -> None:
    first, second = peers(node, 1, None)
    alice, carol = node.registered("alice", "192.0.2.10"), node.registered("carol", "192.0.2.30")
    calls = [alice.call("43123456"), carol.call("43123457")]
    node.wire.run(3.0)
    assert [call.is_up for call in calls] == [True, True]
    assert (len(first.calls), len(second.calls)) == (1, 1)
    counted = {key: count for key, count in node.redis.counters.items() if key.startswith("peer")}
    assert counted == {"peer:1": 1, "peerout:1": 1, "peer:2": 1, "peerout:2": 1}
    for call in calls:
        call.hang_up()
    node.wire.run(1.0)
    assert_nothing_is_counted(node)
    lcr = [json.loads(row.dst_leg)["lcr"] for row in node.acc.rows.values() if row.method == "INVITE"]
    assert lcr == [1, 2]


def test_all_peers_have_too_many_calls(node: Node) -> None:
    peers(node, 0, 0)
    call = node.registered("alice", "192.0.2.10").call("43123456")
    node.wire.run(3.0)
    assert call.attempt is not None and call.attempt.final is not None
    assert (call.status, call.attempt.final.reason) == (503, "PSTN Termination Currently Unavailable")
    assert_nothing_is_counted(node)
    assert node.acc.log == [("INVITE", "503")]


@pytest.mark.parametrize("is_one", ["0", "1"])
def test_forwarded_call(node: Node, is_one: str) -> None:
    """Two legs, a record of each, and one end."""
    node.registered("bob", "192.0.2.20", script=IS_BUSY)
    node.registered("carol", "192.0.2.30")
    node.prefer("bob", count_callforward_as_one=is_one)
    node.change("bob", forwards=(Forward("cfb", (Destination("sip:4311003@example.org", 30.0),)),))
    call = node.registered("alice", "192.0.2.10").call("4311002")
    node.wire.run(5.0)
    assert call.is_up
    counted = {key: n for key, n in node.redis.counters.items() if key.startswith("user")}
    bobs = {"user:uuid-bob": 1} if is_one == "1" else {"user:uuid-bob": 2, "userout:uuid-bob": 1}
    assert counted == {"user:uuid-alice": 1, "userout:uuid-alice": 1, "user:uuid-carol": 1, **bobs}
    call.hang_up()
    node.wire.run(1.0)
    assert_nothing_is_counted(node)
    first, second, stop = node.acc.rows.values()
    assert (first.sip_code, second.sip_code, stop.method) == ("200", "200", "BYE")
    legs = [(row.src_user, row.dst_ouser, row.dst_user, row.branch_id) for row in (first, second)]
    assert legs == [("alice", "4311002", "bob", "0"), ("bob", "4311003", "carol", "1")]
    kinds = [json.loads(row.src_leg)["s"] for row in (first, second)]
    assert kinds == ["call", "cfb"]


def test_who_may_have_one_call_cannot_forward_it(node: Node) -> None:
    """A forward is a second call of his, unless he counts both as one."""
    node.registered("carol", "192.0.2.30")
    node.prefer("bob", concurrent_max="1")
    node.change("bob", forwards=(Forward("cfna", (Destination("sip:carol@example.org", 30.0),)),))
    alice = node.registered("alice", "192.0.2.10")
    refused = alice.call("bob")
    node.wire.run(3.0)
    node.prefer("bob", concurrent_max="1", count_callforward_as_one="1")
    accepted = alice.call("bob")
    node.wire.run(3.0)
    assert (refused.status, accepted.is_up) == (486, True)
