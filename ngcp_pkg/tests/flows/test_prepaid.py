"""Who pays in advance: refused when nothing is left, cut off when it is used up, with all his calls."""

import pytest

from flows.attempts import ANSWERS, SDP
from flows.phones import Call, Phone
from flows.test_announcements import SPEAKS, outcome, speaker
from flows.test_calls_in_the_book import assert_nothing_is_counted
from flows.test_two_passes import told
from flows.whole import Node
from proxy.prepaid import credit, tariff


def pay_in_advance(node: Node, user: str, cents: str, *, rate: str = "1", interval: int = 60) -> None:
    node.directory.prices[5] = tariff(rate, interval)
    node.directory.funds[7] = credit(cents)
    node.change(user, account_id=7, prepaid=5)


@pytest.fixture(params=[True, False], ids=["with the B2BUA", "without"])
def node(request: pytest.FixtureRequest) -> Node:
    return Node(bypass=not request.param)


@pytest.fixture
def two_passes() -> Node:
    return Node(bypass=False)


def call_bob(node: Node, caller: Phone | None = None) -> tuple[Call, Phone]:
    bob = node.registered("bob", "192.0.2.20", script=ANSWERS)
    call = (caller or node.registered("alice", "192.0.2.10")).call("bob", body=SDP)
    node.wire.run(3.0)
    return call, bob


def test_nothing_left(node: Node) -> None:
    pay_in_advance(node, "alice", "59")
    call, _ = call_bob(node)

    assert outcome(call) == (402, "Insufficient Credit")
    assert node.acc.log == [("INVITE", "402")]
    assert node.proxy.ledger.statistics["no_credit"] == 1
    assert_nothing_is_counted(node)


def test_an_announcement_says_so(two_passes: Node) -> None:
    node = two_passes
    pay_in_advance(node, "alice", "0")
    node.share(announcements={3: frozenset({"no_credit"})})
    node.prefer("alice", sound_set="3")
    b2bua = speaker(node, SPEAKS)
    node.registered("bob", "192.0.2.20")
    call = node.registered("alice", "192.0.2.10").call("bob")
    node.wire.run(1.0)

    assert ";audio_id=no_credit;" in b2bua.calls[0].invite.first("P-App-Param")
    node.wire.run(4.0)
    assert outcome(call) == (402, "Insufficient Credit")


def test_a_call_is_cut_off_when_credit_ends(node: Node) -> None:
    pay_in_advance(node, "alice", "130")
    call, bob = call_bob(node)
    assert call.is_up

    node.wire.run(110.0)
    assert call.is_up
    node.wire.run(10.0)

    assert call.is_ended and bob.calls[0].is_ended
    assert node.acc.log == [("INVITE", "200"), ("BYE", "200")]
    started, ended = (float(row.time_hires) for row in node.acc.rows.values())
    assert 100 < ended - started < 120
    assert_nothing_is_counted(node)


def test_the_b2bua_knows_for_how_long(two_passes: Node) -> None:
    pay_in_advance(two_passes, "alice", "180")
    call_bob(two_passes)
    (invite,) = told(two_passes)
    assert invite.first("P-App-Param").startswith(";calltimer=179;")


def test_two_calls_share_it(node: Node) -> None:
    pay_in_advance(node, "alice", "200", interval=1)
    bob = node.registered("bob", "192.0.2.20", script=ANSWERS)
    alice = node.registered("alice", "192.0.2.10")
    first = alice.call("bob")
    node.wire.run(20.0)
    second = alice.call("bob")
    node.wire.run(80.0)
    assert first.is_up and second.is_up

    node.wire.run(15.0)

    assert first.is_ended and second.is_ended
    assert all(call.is_ended for call in bob.calls)
    spent = [float(row.time_hires) for row in node.acc.rows.values()]
    assert 190 < sum(spent[2:]) - sum(spent[:2]) <= 200


def test_a_call_that_is_over_leaves_the_rest_to_the_other(node: Node) -> None:
    pay_in_advance(node, "alice", "200", interval=1)
    node.registered("bob", "192.0.2.20", script=ANSWERS)
    alice = node.registered("alice", "192.0.2.10")
    first, second = alice.call("bob"), alice.call("bob")
    node.wire.run(50.0)
    first.hang_up()
    node.wire.run(80.0)
    assert second.is_up
    node.wire.run(25.0)
    assert second.is_ended


def test_credit_that_was_added_is_for_the_next_call(node: Node) -> None:
    pay_in_advance(node, "alice", "0")
    alice = node.registered("alice", "192.0.2.10")
    first, _ = call_bob(node, alice)
    node.directory.funds[7] = credit("1000")
    node.proxy.directory.drop("credit:7")

    second, _ = call_bob(node, alice)

    assert not first.is_up and second.is_up


def test_who_gets_a_bill_is_not_looked_at(node: Node) -> None:
    call, _ = call_bob(node)
    assert call.is_up
