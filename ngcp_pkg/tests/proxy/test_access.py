"""Lock levels: what a subscriber may still do (preference `lock`)."""

import pytest

from ngcp.provisioning.runtime import Domain, Peer, PeerGroup, PeerRule
from ngcp.proxy.call import Routed
from ngcp.proxy.floor import Store
from ngcp.sip.core.decision import Reply
from proxy.stage import Stage, make_request

LOCKED = Reply(403, "Caller locked")
PORTED = Reply(403, "Unauthorized, lock level ported")
OFFLINE = Reply(480, "Offline")


@pytest.fixture
def stage() -> Stage:
    """There is another domain of ours, and a peer that takes all numbers."""
    stage = Stage()
    peer = Peer(1, "carrier", "192.0.2.100", 5060)
    group = PeerGroup(1, "carriers", 1, 1, (PeerRule(),), (), (peer,))
    stage.share(domains={"example.org": Domain(), "two.example": Domain()}, peer_groups=(group,))
    return stage


@pytest.mark.parametrize(
    ("lock", "inside", "elsewhere", "outside"),
    [
        ("0", OFFLINE, Routed, Routed),
        ("1", OFFLINE, LOCKED, LOCKED),
        ("2", LOCKED, LOCKED, LOCKED),
        ("3", LOCKED, LOCKED, LOCKED),
        ("4", LOCKED, LOCKED, LOCKED),
        ("5", PORTED, PORTED, PORTED),
    ],
)
def test_calls_of_a_locked_subscriber(
    stage: Stage, lock: str, inside: object, elsewhere: object, outside: object
) -> None:
    stage.give("alice", lock=lock)

    def call(uri: str) -> object:
        outcome = stage.decide(lambda: stage.call(request=make_request("INVITE", uri)))
        return Routed if isinstance(outcome, Routed) else outcome

    assert call("sip:bob@example.org") == inside
    assert call("sip:4319999@two.example") == elsewhere
    assert call("sip:4319999@example.org") == outside


@pytest.mark.parametrize(("lock", "may_register"), [("3", True), ("4", False), ("5", True)])
def test_registration_of_a_locked_subscriber(stage: Stage, lock: str, may_register: bool) -> None:
    stage.give("alice", lock=lock)
    outcome = stage.decide(lambda: stage.call(request=make_request("REGISTER")))
    assert isinstance(outcome, Store) if may_register else outcome == LOCKED


@pytest.mark.parametrize(
    ("lock", "outcome"),
    [("2", OFFLINE), ("3", Reply(403, "Callee locked")), ("4", Reply(403, "Callee locked"))],
)
def test_calls_for_a_locked_subscriber(stage: Stage, lock: str, outcome: Reply) -> None:
    stage.give("bob", lock=lock)
    assert stage.decide(stage.call) == outcome
