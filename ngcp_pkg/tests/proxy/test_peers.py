"""Which peers take a call, and whose call it is, as tables."""

from collections import Counter
from random import Random

import pytest

from ngcp.provisioning.runtime import InboundRule, Peer, PeerGroup, PeerRule
from ngcp.proxy.peers import Rejected, Wanted, origin, routes


def peer(number: int, weight: int = 1, ip: str = "192.0.2.1") -> Peer:
    return Peer(number, f"p{number}", ip, 5060, weight=weight)


def group(
    number: int,
    *rules: PeerRule,
    priority: int = 1,
    peers: tuple[Peer, ...] = (),
    inbound: tuple[InboundRule, ...] = (),
) -> PeerGroup:
    return PeerGroup(number, f"g{number}", priority, 1, rules, inbound, peers or (peer(number),))


ANY = PeerRule()
AUSTRIA = PeerRule("43")
VIENNA = PeerRule("431")


def chosen(*groups: PeerGroup, number: str = "431234", caller: str = "sip:4366@example.org") -> list[int]:
    wanted = Wanted(number, f"sip:{number}@example.org", caller)
    return [route.peer.id for route in routes(groups, wanted, lambda: 0.0)]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ((group(1, ANY), group(2, AUSTRIA), group(3, VIENNA)), [3, 2, 1]),
        ((group(1, ANY, priority=2), group(2, ANY, priority=1)), [2, 1]),
        ((group(1, VIENNA, priority=9), group(2, ANY, priority=1)), [1, 2]),
        ((group(1, PeerRule("49")),), []),
        ((group(1),), []),
        ((group(1, ANY, VIENNA, AUSTRIA),), [1]),
        ((group(1, PeerRule(callee_pattern=r"^sip:431")), group(2, PeerRule(callee_pattern=r"^431"))), [1]),
        ((group(1, PeerRule(caller_pattern=r"@example\.org$")), group(2, PeerRule("", "", "@a"))), [1]),
        ((group(1, PeerRule("43", is_stopper=True)), group(2, ANY), group(3, VIENNA)), [3, 1]),
        ((group(1, PeerRule("43", is_stopper=True), priority=2), group(2, AUSTRIA)), [2, 1]),
        ((group(1, PeerRule(callee_pattern="(a*)*b")),), []),
    ],
    ids=[
        "longest prefix first",
        "then priority",
        "prefix before priority",
        "no prefix matches",
        "no rules",
        "a peer once",
        "pattern over the callee's URI",
        "pattern over the caller's URI",
        "stopper leaves shorter prefixes out",
        "stopper leaves its equals in",
        "unsafe pattern",
    ],
)
def test_peers_are_tried_in_order(groups: tuple[PeerGroup, ...], expected: list[int]) -> None:
    assert chosen(*groups) == expected


def test_weight_is_a_share_of_the_load() -> None:
    groups = [group(1, ANY, peers=(peer(1, 3), peer(2, 1), peer(3, 0)))]
    draw = Random(1).random
    orders = [tuple(r.peer.id for r in routes(groups, Wanted("1", "", ""), draw)) for _ in range(4000)]
    firsts = Counter(order[0] for order in orders)
    assert 2900 < firsts[1] < 3100
    assert firsts[3] == 0
    assert {order[-1] for order in orders} == {3}


def test_without_weights_the_order_stays() -> None:
    groups = [group(1, ANY, peers=(peer(1, 0), peer(2, 0), peer(3, 0)))]
    assert [r.peer.id for r in routes(groups, Wanted("1", "", ""), lambda: 0.99)] == [1, 2, 3]


def test_equal_groups_share_the_load() -> None:
    groups = [group(1, ANY), group(2, ANY)]
    assert [r.peer.id for r in routes(groups, Wanted("1", "", ""), lambda: 0.9)] == [2, 1]


NORTH = InboundRule("ruri_user", "^431")
SOUTH = InboundRule("from_domain", r"^south\.example$")
STRICT = InboundRule("ruri_user", "^431", 403, "Not For You")
FIELDS = {"ruri_user": "431234", "from_domain": "south.example"}


@pytest.mark.parametrize(
    ("groups", "fields", "expected"),
    [
        ((group(1),), FIELDS, 1),
        ((group(1, peers=(peer(1, ip="192.0.2.9"),)),), FIELDS, None),
        ((group(1), group(2, inbound=(NORTH,))), FIELDS, 2),
        ((group(1), group(2, inbound=(NORTH,))), {"ruri_user": "49"}, 1),
        ((group(1, inbound=(NORTH,)),), {"ruri_user": "49"}, None),
        ((group(1, inbound=(NORTH,)), group(2, inbound=(SOUTH,))), {"from_domain": "south.example"}, 2),
        ((group(1, inbound=(NORTH, SOUTH)),), {"from_domain": "south.example"}, 1),
        ((group(1, inbound=(STRICT,)),), {"ruri_user": "49"}, Rejected(403, "Not For You")),
        ((group(1, inbound=(STRICT,)), group(2)), {"ruri_user": "49"}, Rejected(403, "Not For You")),
        ((group(1, inbound=(STRICT,)), group(2, inbound=(SOUTH,))), {"from_domain": "south.example"}, 2),
    ],
    ids=[
        "by address",
        "another address",
        "rules before none",
        "no rule matches, so whoever has none",
        "no rule matches",
        "the group whose rule matches",
        "any rule of a group",
        "rejected",
        "rejected for good",
        "another group accepts",
    ],
)
def test_peer_that_a_call_is_of(
    groups: tuple[PeerGroup, ...], fields: dict[str, str], expected: int | Rejected | None
) -> None:
    found = origin(groups, "192.0.2.1", fields)
    assert (found if found is None or isinstance(found, Rejected) else found.peer.id) == expected
