"""Which counters a call moves, and who may have how many."""

from collections import Counter

import pytest

from ngcp.provisioning.runtime import Peer, Platform, Subscriber
from ngcp.proxy.call import Call
from ngcp.proxy.legs import Limit, Place, counters_of, legs_of, limits_of, longest
from proxy.calls import call, customer, invite, layer, peer, user

ALICE, BOB, CAROL = user("alice", 1, 9), user("bob", 2, 9), user("carol", 3, 9)


def moved(given: Call) -> Counter[str]:
    return Counter(counters_of(legs_of(given), given.uri))


def plain(given: Call) -> dict[str, int]:
    """Counters without the totals and those of customers and resellers."""
    return {key: n for key, n in moved(given).items() if key.startswith(("user", "peer"))}


def limits(given: Call) -> list[Limit]:
    return [*limits_of(legs_of(given), given.platform)]


def test_call_between_subscribers() -> None:
    assert moved(call(ALICE, BOB)) == {
        "total": 1,
        **dict.fromkeys(["user:alice", "userout:alice", "totaluser:alice", "totaluserout:alice"], 1),
        **dict.fromkeys(["account:1", "accountout:1", "totalaccount:1", "totalaccountout:1"], 1),
        **dict.fromkeys(["reseller:9", "resellerout:9", "totalreseller:9", "totalresellerout:9"], 1),
        **dict.fromkeys(["user:bob", "totaluser:bob", "account:2", "totalaccount:2"], 1),
    }


def test_within_a_customer_a_call_is_one_call() -> None:
    assert moved(call(ALICE, user("bob", 1)))["account:1"] == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (call(ALICE, peer(5)), {"user:alice": 1, "userout:alice": 1, "peer:5": 1, "peerout:5": 1}),
        (call(peer(5), BOB), {"peer:5": 1, "user:bob": 1}),
        (call(peer(5), peer(6)), {"peer:5": 1, "peer:6": 1, "peerout:6": 1}),
        (call(ALICE, None), {"user:alice": 1, "userout:alice": 1}),
    ],
    ids=["to a peer", "from a peer", "from peer to peer", "to a foreign domain"],
)
def test_other_networks(given: Call, expected: dict[str, int]) -> None:
    assert plain(given) == expected


def test_call_to_an_application_counts_in_totals_only() -> None:
    given = call(ALICE, None, request=invite(uri="sip:vmubob@voicebox.local"))
    assert plain(given) == {}
    assert moved(given)["totaluser:alice"] == 1


@pytest.mark.parametrize("kind", ["cfu", "cfb", "cft", "cfna", "cfr"])
def test_who_forwards_is_in_two_calls(kind: str) -> None:
    given = call(ALICE, CAROL, (kind, BOB))
    assert plain(given) == {
        "user:alice": 1,
        "userout:alice": 1,
        "user:bob": 2,
        "userout:bob": 1,
        "user:carol": 1,
    }
    assert moved(given)["total"] == 1


def test_who_forwards_is_in_one_call_if_he_wants_so() -> None:
    given = call(ALICE, CAROL, ("cfu", user("bob", count_callforward_as_one=1)))
    assert {key: n for key, n in plain(given).items() if "bob" in key} == {"user:bob": 1}


def test_who_forwards_on_overflow_is_in_none() -> None:
    given = call(ALICE, CAROL, ("cfo", user("bob", concurrent_max=0)))
    assert not [key for key in moved(given) if "bob" in key]
    assert limits(given) == []


def test_chain_of_forwards() -> None:
    legs = legs_of(call(ALICE, user("dave"), ("cfu", BOB), ("cfb", CAROL)))
    ends = [(leg.caller.subscriber, leg.callee.subscriber, leg.kind) for leg in legs]
    assert ends == [(ALICE, BOB, "call"), (BOB, CAROL, "cfu"), (CAROL, user("dave"), "cfb")]


@pytest.mark.parametrize(
    ("attribute", "counter", "minus"),
    [
        ("concurrent_max", "user:alice", None),
        ("concurrent_max_out", "userout:alice", None),
        ("concurrent_max_in", "user:alice", "userout:alice"),
        ("concurrent_max_total", "totaluser:alice", None),
        ("concurrent_max_out_total", "totaluserout:alice", None),
        ("concurrent_max_in_total", "totaluser:alice", "totaluserout:alice"),
        ("concurrent_max_per_account", "account:1", None),
        ("concurrent_max_out_per_account", "accountout:1", None),
        ("concurrent_max_in_per_account", "account:1", "accountout:1"),
    ],
)
def test_limits_of_a_subscriber(attribute: str, counter: str, minus: str | None) -> None:
    caller = user("alice", 1, 9, **{attribute: 4})
    assert limits(call(caller, BOB)) == [Limit(counter, minus, 4, Place.CALLER)]


@pytest.mark.parametrize("attribute", ["concurrent_max", "concurrent_max_out_total"])
def test_limits_of_a_customer(attribute: str) -> None:
    counter = {"concurrent_max": "account:2", "concurrent_max_out_total": "totalaccountout:2"}[attribute]
    callee = customer(BOB, **{attribute: 4})
    assert limits(call(ALICE, callee)) == [Limit(counter, None, 4, Place.CALLEE)]


def test_limits_of_a_reseller() -> None:
    platform = Platform(resellers={9: layer({"concurrent_max_in": 4})})
    found = limits(call(peer(5), BOB, platform=platform))
    assert Limit("reseller:9", "resellerout:9", 4, Place.CALLEE) in found


@pytest.mark.parametrize(
    ("caller", "callee", "place"),
    [(peer(5, concurrent_max_out=4), BOB, Place.CALLER), (ALICE, peer(5, concurrent_max_out=4), Place.PEER)],
)
def test_limits_of_a_peer(caller: Subscriber | Peer, callee: Subscriber | Peer, place: Place) -> None:
    assert limits(call(caller, callee)) == [Limit("peerout:5", None, 4, place)]


def test_limits_of_who_forwards() -> None:
    limited = user("bob", concurrent_max=4)
    assert {limit.place for limit in limits(call(ALICE, CAROL, ("cfu", limited)))} == {Place.FORWARDER}


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (call(ALICE, BOB), 600.0),
        (call(user("alice", max_call_duration=60), BOB), 60.0),
        (call(ALICE, user("bob", max_call_duration=60)), 60.0),
        (call(user("alice", max_call_duration=60), user("bob", max_call_duration=30)), 30.0),
        (call(ALICE, customer(BOB, max_call_duration=60)), 60.0),
        (call(user("alice", max_call_duration=9999), BOB), 600.0),
        (call(user("alice", max_call_duration=0), BOB), 600.0),
        (call(ALICE, CAROL, ("cfu", user("bob", max_call_duration=60))), 60.0),
    ],
)
def test_longest_duration(given: Call, seconds: float) -> None:
    assert longest(legs_of(given), 600.0) == seconds
